// Package testbed is what benchmarks and attacks have in common: network namespaces, logs, and
// what a process has used.
package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace, kept by a thread of this process. It ends
// with the thread and with what was started in it.
type Namespace struct {
	jobs chan func()
	Path string // of its file in /proc
}

// NewNamespace makes one, which takes root.
func NewNamespace() (*Namespace, error) {
	n, err := NewThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
	if err != nil {
		return nil, fmt.Errorf("cannot make a network namespace, which takes root: %w", err)
	}
	return n, nil
}

// NewThread makes a thread that has entered what enter enters.
func NewThread(enter func() error) (*Namespace, error) {
	n := &Namespace{jobs: make(chan func())}
	entered := make(chan error)
	go n.hold(func() { entered <- enter() })
	if err := <-entered; err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// hold takes a thread, and does jobs there.
func (n *Namespace) hold(enter func()) {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		n.holdAnother(enter)
		return
	}
	// Never unlocked: the thread ends with the goroutine.
	n.Path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
	enter()
	for job := range n.jobs {
		job()
	}
}

// holdAnother is for the process's first thread, which does not end before the
// process, nor does what was started from it: as long as it is locked, another
// goroutine gets another thread.
func (n *Namespace) holdAnother(enter func()) {
	held := make(chan struct{})
	go n.hold(func() {
		close(held)
		enter()
	})
	<-held
	runtime.UnlockOSThread()
}

// Close lets go of the namespace.
func (n *Namespace) Close() { close(n.jobs) }

// Do runs the job in the namespace. Sockets belong to the one in which they
// were made, and processes to the one in which they were started.
func (n *Namespace) Do(job func() error) error {
	result := make(chan error)
	n.jobs <- func() { result <- job() }
	return <-result
}

// Start starts the command in the namespace and in a session of its own, as a
// service manager does: the processes of a session share their time (sched(7),
// autogroups). The command ends with the namespace, at the latest.
func (n *Namespace) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	cmd.SysProcAttr.Setsid = true
	return n.Do(cmd.Start)
}
