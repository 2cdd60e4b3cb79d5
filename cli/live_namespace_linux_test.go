package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace, kept by a thread of this process.
type namespace struct {
	jobs chan func()
	path string // of the namespace's file in /proc
}

// newNamespace makes a network namespace that is there until the test ends.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := newThread(t, func() error { return unix.Unshare(unix.CLONE_NEWNET) })
	n.ip(t, "link set lo up")
	return n
}

// newThread makes a thread that has entered what enter enters. It is never
// given back to the runtime: it ends with its goroutine. It is not the main thread,
// whose namespaces pass for those of this whole process.
func newThread(t *testing.T, enter func() error) *namespace {
	t.Helper()
	n := &namespace{jobs: make(chan func())}
	entered, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			defer runtime.UnlockOSThread()
			elsewhere := make(chan struct{})
			go func() {
				defer close(elsewhere)
				runtime.LockOSThread()
				n.work(entered, enter)
			}()
			<-elsewhere
			return
		}
		n.work(entered, enter)
	}()
	t.Cleanup(func() {
		close(n.jobs)
		<-ended
	})
	if err := <-entered; err != nil {
		t.Fatalf("live tests need root, for namespaces of their own: %v", err)
	}
	return n
}

// work is what the thread does.
func (n *namespace) work(entered chan<- error, enter func() error) {
	n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
	entered <- enter()
	for job := range n.jobs {
		job()
	}
}

// do runs the job in the namespace. Sockets belong to the one in which they
// were made, and processes to the one in which they were started.
func (n *namespace) do(job func() error) error {
	result := make(chan error)
	n.jobs <- func() { result <- job() }
	return <-result
}

// start starts the command in the namespace. It ends with the namespace, at
// the latest.
func (n *namespace) start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	return n.do(cmd.Start)
}

// startBounded starts the command in the namespace. What it returns waits for the end, and after
// patience ends the command with all that it has started.
func (n *namespace) startBounded(cmd *exec.Cmd) (wait func() error, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.WaitDelay = patience // for who holds its outputs and is in no group of it
	if err := n.start(cmd); err != nil {
		return nil, err
	}
	timer := time.AfterFunc(patience, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	return func() error {
		err := cmd.Wait()
		if !timer.Stop() && err != nil {
			return fmt.Errorf("not ended within %v: %w", patience, err)
		}
		return err
	}, nil
}

// run runs a command that reads its input and ends.
func (n *namespace) run(t *testing.T, input, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	var out strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &out
	wait, err := n.startBounded(cmd)
	if err == nil {
		err = wait()
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", name, err, out.String(), input)
	}
}

// ip runs commands of ip(8), each on a line.
func (n *namespace) ip(t *testing.T, commands string) {
	t.Helper()
	n.run(t, commands, "ip", "-batch", "-")
}

// sysctl sets a variable of the namespace, named by its path below
// /proc/sys/net.
func (n *namespace) sysctl(t *testing.T, path, value string) {
	t.Helper()
	err := n.do(func() error { return os.WriteFile("/proc/sys/net/"+path, []byte(value), 0) })
	if err != nil {
		t.Fatal(err)
	}
}

// tool returns where the tool of that name is.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing (scripts/test installs it): %v", name, err)
	}
	return path
}
