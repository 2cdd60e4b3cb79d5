package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imds-analyzer/capture"
)

// A named pipe is opened once and read as it comes, behind the files.
func TestNamedPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	r := startOn(strings.NewReader(""), "-r", pipe, captureOf(t, "boto"), pipe, "--format", "json")
	in, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if r.in, err = capture.NewPcapngWriter(in, "test"); err != nil {
		t.Fatal(err)
	}
	talk := asks("10.0.0.7:40001", "/first").Packets()
	for range len(truth(t, "boto")) + 1 {
		r.next(t)
	}
	r.write(t, talk)
	if l := r.next(t); l.URL.Original != "/first" {
		t.Errorf("came %+v", l)
	}
	in.Close()
	if l := r.next(t); l.Event.Action != "capture-stopped" {
		t.Errorf("last comes %+v", l)
	}
	if l, ended := r.next(t), <-r.ended; l != (line{}) || ended.status != 0 {
		t.Errorf("%+v, %+v", l, ended)
	}
}

// One file by several names is read once. What cannot be opened or waited for in
// a directory is passed over, or told.
func TestLinksAndPipesInDirectory(t *testing.T) {
	dir, boto := t.TempDir(), readFile(t, captureOf(t, "boto"))
	real := write(t, dir, "boto", boto)
	for _, err := range []error{
		os.Symlink(real, filepath.Join(dir, "latest")),
		os.Link(real, filepath.Join(dir, "same")),
		os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "oldest")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := succeeded(t, "-r", dir, filepath.Join(dir, "latest"))
	checkSame(t, callsOf(t, r.out), truth(t, "boto"))
	if said, _, _ := strings.Cut(r.err, "\n"); !strings.HasSuffix(said, "2 of 5 in "+dir+" are passed over, which are hidden or no capture files: oldest, pipe") {
		t.Errorf("said %s", said)
	}
}

// A file is read once also if it is standard input besides.
func TestStandardInputIsNamed(t *testing.T) {
	for _, names := range [][]string{{"-", captureOf(t, "boto")}, {captureOf(t, "boto"), "-"}} {
		file, err := os.Open(captureOf(t, "boto"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		r := runOn(file, append([]string{"-r"}, names...)...)
		checkSame(t, callsOf(t, r.out), truth(t, "boto"))
	}
}

// A file in a directory that may not be read is an error, as if it were named.
func TestNoPermissionInDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, open := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	good, closed := write(t, dir, "boto", readFile(t, captureOf(t, "boto"))), write(t, dir, "closed", "")
	for name, mode := range map[string]os.FileMode{good: 0o644, closed: 0} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	var out, said bytes.Buffer
	c := program(t, "-r", dir)
	c.Dir, c.Stdout, c.Stderr = "/", &out, &said
	if os.Getuid() == 0 { // for whom there is nothing forbidden
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if c.Run() == nil || c.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), closed+": permission denied\n") {
		t.Errorf("%v: %s", c.ProcessState, &said)
	}
	checkSame(t, callsOf(t, out.String()), truth(t, "boto"))
}

// A signal ends the reading of what has no end, and all that was read till then
// is reported.
func TestSignalEndsReading(t *testing.T) {
	t.Parallel()
	c, in, out, said := fed(t, "-r", "-", "--format", "json")
	stopped := make(chan error, 1)
	go func() { stopped <- writeForever(in) }()
	var log strings.Builder
	signalled := false
	for lines := bufio.NewReader(out); ; {
		text, err := lines.ReadString('\n')
		log.WriteString(text)
		if err != nil {
			break
		}
		if strings.Contains(text, "imds.call") && !signalled {
			signalled = true
			c.Process.Signal(syscall.SIGINT) // once: a second one ends it at once
		}
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if err := <-stopped; !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed) {
		t.Errorf("the stream ended with %v", err)
	}
	if calls := callsOf(t, log.String()); len(calls) == 0 || summarised(t, said.String()) != count(calls) ||
		!strings.Contains(said.String(), "reading ended before the input did") {
		t.Errorf("%d calls: %s", len(calls), said)
	}
}

// writeForever writes one call after the other until nobody reads.
func writeForever(w io.Writer) error {
	writer, err := capture.NewPcapngWriter(w, "test")
	for n := 0; err == nil; n++ {
		c := asks("10.0.0.7:40001", "/x")
		c.Close()
		for _, p := range c.Packets() {
			p.Time = p.Time.Add(time.Duration(n) * time.Minute)
			if err = writer.WritePacket(p); err != nil {
				break
			}
		}
	}
	return err
}
