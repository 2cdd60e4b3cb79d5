package attribution

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// residents are the processes in a network namespace, of which one is watched:
// when that ends, another one is looked for. Nothing wakes before. Of a process
// that moves to another namespace (setns(2)) that is noticed when it ends.
type residents struct {
	proc proc
	name string // of the namespace

	mu      sync.Mutex // guards what follows
	process *os.File   // a pidfd (pidfd_open(2)), nil where there are none
	pid     int
	closed  bool
	ended   chan struct{} // closed with it
}

// askResidents is how often it is looked whether a process still runs, where
// the kernel does not tell: before Linux 5.10.
const askResidents = time.Second

func newResidents(p proc, name string, pid int) (*residents, error) {
	r := &residents{proc: p, name: name, ended: make(chan struct{})}
	return r, r.watch(pid)
}

// watch watches a process, which has to be in the namespace.
func (r *residents) watch(pid int) error {
	process, err := r.open(pid)
	if err != nil {
		return err
	}
	if !r.isIn(pid) {
		if process != nil {
			process.Close()
		}
		return ErrMoved
	}
	r.set(process, pid)
	return nil
}

// open returns a pidfd of the process, nil if there are none, or if the kernel has another
// process by that number, or none (numberedOutside).
func (r *residents) open(pid int) (*os.File, error) {
	if r.proc.numbered != numberedAsOurs {
		return nil, nil
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	switch {
	case err == nil:
		return os.NewFile(uintptr(fd), "process"), nil
	case errors.Is(err, unix.ESRCH):
		return nil, err
	}
	return nil, nil
}

func (r *residents) isIn(pid int) bool {
	return r.proc.networkNamespace(strconv.Itoa(pid)) == r.name
}

func (r *residents) set(process *os.File, pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil {
		r.process.Close()
	}
	r.process, r.pid = process, pid
	if r.closed && process != nil {
		process.Close()
	}
}

// wait returns when there is no process in the namespace any more, or when close
// is called.
func (r *residents) wait() {
	for r.waitForOne() && r.another() {
	}
}

// waitForOne returns when the process that is watched has ended, false if it is
// not to be waited for any longer.
func (r *residents) waitForOne() bool {
	r.mu.Lock()
	process, pid, closed := r.process, r.pid, r.closed
	r.mu.Unlock()
	if closed {
		return false
	}
	if process == nil {
		return r.ask(pid)
	}
	c, err := process.SyscallConn()
	if err != nil {
		return false
	}
	return c.Read(hasEnded) == nil // is called again once there is something to read
}

// hasEnded reports whether the process of a pidfd has. That is asked, as it may
// have before anybody waits.
func hasEnded(pidfd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// ask is for kernels that do not tell.
func (r *residents) ask(pid int) bool {
	ticks := time.NewTicker(askResidents)
	defer ticks.Stop()
	for r.isIn(pid) {
		select {
		case <-ticks.C:
		case <-r.ended:
			return false
		}
	}
	return true
}

// another watches another process in the namespace, and reports whether there
// is one.
func (r *residents) another() bool {
	pids, err := r.proc.pids()
	if err != nil {
		return false
	}
	for _, pid := range pids {
		if r.isIn(pid) && r.watch(pid) == nil {
			return true
		}
	}
	return false
}

func (r *residents) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	close(r.ended)
	if r.process != nil {
		r.process.Close()
	}
}
