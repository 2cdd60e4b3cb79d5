package cli_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// liveProgram is a run of the whole program, in a process of its own.
type liveProgram struct {
	*exec.Cmd
	out, err watched[string] // the lines it has written
	ended    watched[int]    // its exit status
}

// liveCommand is the command that runs the program: this test binary, in its
// other role.
func liveCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	// Under -race a program waits a second at its end, unless told not to.
	cmd.Env = append(os.Environ(), asProgram+"=yes", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// launch starts the command in the namespace, and ends it with the test. A
// standard output that the command has already is not read. As under a service
// manager the program has a session of its own, so that it does not share its
// time with the clients' (sched(7), the autogroup feature).
func launch(t *testing.T, n *namespace, cmd *exec.Cmd) *liveProgram {
	t.Helper()
	p := &liveProgram{Cmd: cmd}
	var reading sync.WaitGroup
	if cmd.Stdout == nil {
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		reading.Go(func() { readLines(out, &p.out) })
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	reading.Go(func() { readLines(errs, &p.err) })
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	if err := n.start(cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		reading.Wait()
		_ = cmd.Wait()
		p.ended.add(cmd.ProcessState.ExitCode())
		p.ended.end()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		p.ended.all(t, "the program's end")
		p.tellIfFailed(t)
	})
	return p
}

// tellIfFailed shows, with a test that failed, what the program said and counted: what happens
// once in a thousand runs has to be understood from the one.
func (p *liveProgram) tellIfFailed(t *testing.T) {
	if !t.Failed() {
		return
	}
	last := ""
	if lines := p.out.soFar(); len(lines) > 0 {
		last = lines[len(lines)-1]
	}
	t.Logf("the program's standard error:\n%sand its last line:\n%s", p.errors(), last)
}

// readLines adds the lines that it reads, with their ends.
func readLines(r io.Reader, to *watched[string]) {
	defer to.end()
	for reader := bufio.NewReader(r); ; {
		text, err := reader.ReadString('\n')
		if text != "" {
			to.add(text)
		}
		if err != nil {
			return
		}
	}
}

// watch runs the program with the arguments in the namespace, and returns once
// it captures. It leaves other namespaces alone: there are those of other tests.
func (n *namespace) watch(t *testing.T, args ...string) *liveProgram {
	t.Helper()
	return n.watchAll(t, append([]string{"--own-namespace"}, args...)...)
}

// watchAll is watch for a program that captures in other namespaces too.
func (n *namespace) watchAll(t *testing.T, args ...string) *liveProgram {
	t.Helper()
	p := launch(t, n, liveCommand(args...))
	p.awaitStart(t)
	return p
}

func (p *liveProgram) awaitStart(t *testing.T) {
	t.Helper()
	p.err.wait(t, "the word that the program captures", func(lines []string) bool {
		return slices.ContainsFunc(lines, isStart)
	})
}

// isStart reports whether a line is the one that says that the capture runs.
func isStart(line string) bool { return strings.HasPrefix(line, "imds-analyzer: capturing on ") }

// stop ends the program with the signal, and returns what it wrote to standard
// output. It has to end well.
func (p *liveProgram) stop(t *testing.T, signal os.Signal) string {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	return p.finish(t, 0)
}

// finish waits until the program has ended by itself with the exit status, and
// returns what it wrote to standard output.
func (p *liveProgram) finish(t *testing.T, status int) string {
	t.Helper()
	ended := p.ended.all(t, "the program")
	if ended[0] != status {
		t.Errorf("exit status %d, not %d: %s", ended[0], status, p.errors())
	}
	out := strings.Join(p.out.soFar(), "")
	checkNoSecrets(t, "standard output", out)
	checkNoSecrets(t, "standard error", p.errors())
	return out
}

// errors is what the program wrote to standard error.
func (p *liveProgram) errors() string { return strings.Join(p.err.soFar(), "") }

// complaints are the lines on standard error that tell of a failure.
func (p *liveProgram) complaints() []string {
	return slices.DeleteFunc(p.err.soFar(), func(line string) bool {
		return isStart(line) || !strings.HasPrefix(line, "imds-analyzer: ")
	})
}

// checkNoSecrets makes sure that a text holds nothing of what the service
// alone knows.
func checkNoSecrets(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range []string{standInToken, standInKeyID, standInSecret} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s has a secret: …%q", what, text[max(0, i-100):i+len(secret)])
		}
	}
}
