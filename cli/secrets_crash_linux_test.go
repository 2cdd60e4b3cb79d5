package cli_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// What a program says that crashes, of all goroutines and with the runtime's own frames, has
// nothing of what it has read, and it leaves no memory behind in a file.
func TestSecretsOfCrashes(t *testing.T) {
	t.Parallel()
	list := []planted{}
	for _, place := range slices.Sorted(maps.Keys(named)) {
		list = append(list, plantOnce(named[place], secretsAndPhrase(), len(list))...)
	}
	captured := readFile(t, save(t, packetsOf(list)))
	secrets := piecesOf(secretsAndPhrase())
	if secrets.find(captured) == nil {
		t.Fatal("nothing was planted")
	}
	for name, tt := range map[string]struct {
		kind   string
		signal syscall.Signal // 0 for none
		trace  string         // GOTRACEBACK, package runtime; after signals "crash" takes seconds
		says   string
	}{
		"SIGQUIT": {"yes", syscall.SIGQUIT, "system", "SIGQUIT"},
		"SIGABRT": {"yes", syscall.SIGABRT, "system", "SIGABRT"},
		"panic":   {panics, 0, "crash", "panic: the output is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := program(t, "--format", "json", "-r", "-")
			c.Dir, c.Env = t.TempDir(), append(c.Env, asProgram+"="+tt.kind, "GOTRACEBACK="+tt.trace)
			said := crashed(t, c, captured, tt.signal)
			if !strings.Contains(said, tt.says) || !strings.Contains(said, "\ngoroutine ") || !strings.Contains(said, "runtime.") {
				t.Errorf("it has not crashed: %s", said)
			}
			if err := secrets.find(said); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 {
				t.Errorf("%v is left behind, %v", left, err)
			}
		})
	}
}

// crashed feeds a program, sends it a signal once it has told of a call, and returns what it
// said in the end.
func crashed(t *testing.T, c *exec.Cmd, captured string, signal syscall.Signal) string {
	t.Helper()
	var said bytes.Buffer
	c.Stderr = &said
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	fed := make(chan struct{})
	go func() { // and leaves it open
		defer close(fed)
		_, _ = io.WriteString(in, captured)
	}()
	if signal != 0 {
		if _, err := io.ReadAtLeast(out, make([]byte, 64<<10), 2<<10); err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.Copy(io.Discard, out)
	<-fed
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) {
		t.Errorf("it ended with %v", err)
	}
	return said.String()
}
