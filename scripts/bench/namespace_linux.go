package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace, kept by a thread of this process. It ends
// with the thread and with what was started in it.
type namespace struct {
	jobs chan func()
	path string // of its file in /proc
}

func newNamespace() (*namespace, error) {
	n, err := newThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
	if err != nil {
		return nil, fmt.Errorf("cannot make a network namespace, which takes root: %w", err)
	}
	return n, nil
}

// newThread makes a thread that has entered what enter enters.
func newThread(enter func() error) (*namespace, error) {
	n := &namespace{jobs: make(chan func())}
	entered := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		entered <- enter()
		for job := range n.jobs {
			job()
		}
	}()
	if err := <-entered; err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *namespace) close() { close(n.jobs) }

// do runs the job in the namespace. Sockets belong to the one in which they
// were made, and processes to the one in which they were started.
func (n *namespace) do(job func() error) error {
	result := make(chan error)
	n.jobs <- func() { result <- job() }
	return <-result
}

// start starts the command in the namespace and in a session of its own, as a
// service manager does: the processes of a session share their time (sched(7),
// autogroups). The command ends with the namespace, at the latest.
func (n *namespace) start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	cmd.SysProcAttr.Setsid = true
	return n.do(cmd.Start)
}
