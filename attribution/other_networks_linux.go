package attribution

import (
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// maxNamespaces bounds the network namespaces in which a socket is kept: 64
// take 64 × 2 descriptors and 0.5 MiB, and 0.5 ms to ask all.
const maxNamespaces = 64

// otherNetworks are the network namespaces that processes are in, but ours, each
// with a socket in it to ask the kernel on. It is safe for concurrent use.
//
// A socket keeps its namespace, and so must not outlive the last process in it:
// of each namespace one process is watched, and when that ends another one is
// looked for. Nothing else wakes. Of a process that moves to another namespace
// (setns(2)) that is noticed when it ends.
type otherNetworks struct {
	proc proc

	mu      sync.Mutex // guards what follows
	kept    map[string]*otherNetwork
	refused bool // we may not enter any
	closed  bool
}

// otherNetwork is one that a socket is kept in.
type otherNetwork struct {
	kernel  *diagConn
	process *os.File // a pidfd of a process in it (pidfd_open(2))
}

func newOtherNetworks(p proc) *otherNetworks {
	return &otherNetworks{proc: p, kept: make(map[string]*otherNetwork)}
}

// lookUp asks all namespaces for the socket with the tuple. Several can have one
// with the same: there is no telling which it was.
func (n *otherNetworks) lookUp(t Tuple) (s diagSocket, from *diagConn, ambiguous bool) {
	for _, kernel := range n.kernels() {
		found, err := kernel.lookUp(t, 0)
		if err != nil {
			continue
		}
		if from != nil {
			return diagSocket{}, nil, true
		}
		s, from = found, kernel
	}
	return s, from, false
}

func (n *otherNetworks) kernels() (list []*diagConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range n.kept {
		list = append(list, k.kernel)
	}
	return list
}

// keeps reports whether a socket is kept in the namespace.
func (n *otherNetworks) keeps(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[name] != nil
}

// refresh opens a socket in each namespace that has none. It reports whether
// there are more now.
func (n *otherNetworks) refresh() (more bool) {
	if !n.room() {
		return false // without a look at all processes
	}
	pids, err := n.proc.pids()
	if err != nil {
		return false
	}
	seen := map[string]bool{"": true, n.proc.networkNamespace("self"): true}
	for _, pid := range pids {
		name := n.proc.networkNamespace(strconv.Itoa(pid))
		if !seen[name] && !n.keeps(name) && n.open(name, pid) {
			more = true
		}
		seen[name] = true
	}
	return more
}

// open keeps a socket in the namespace of the process.
func (n *otherNetworks) open(name string, pid int) bool {
	if !n.room() {
		return false
	}
	k, err := n.enter(name, pid)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refused = n.refused || errors.Is(err, unix.EPERM)
	if err != nil {
		return false
	}
	if n.closed || n.kept[name] != nil {
		k.close()
		return false
	}
	n.kept[name] = k
	go n.follow(name, k)
	return true
}

func (n *otherNetworks) room() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.refused && len(n.kept) < maxNamespaces
}

// enter opens what is needed of a namespace.
func (n *otherNetworks) enter(name string, pid int) (*otherNetwork, error) {
	process, err := n.watch(name, pid)
	if err != nil {
		return nil, err
	}
	k := &otherNetwork{process: process}
	err = inNetworkOf(n.proc.path(pid), func() (err error) { k.kernel, err = dialDiag(); return err })
	if err != nil {
		process.Close()
		return nil, err
	}
	return k, nil
}

// errMoved says that a process is not in the namespace any more.
var errMoved = errors.New("the process is in another namespace")

// watch opens a descriptor that can be read once the process has ended, which
// is in the namespace.
func (n *otherNetworks) watch(name string, pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, err // before Linux 5.10
	}
	process := os.NewFile(uintptr(fd), "process")
	if n.proc.networkNamespace(strconv.Itoa(pid)) != name {
		process.Close()
		return nil, errMoved
	}
	return process, nil
}

// follow keeps the namespace while there are processes in it.
func (n *otherNetworks) follow(name string, k *otherNetwork) {
	for k.wait() {
		process := n.another(name)
		n.mu.Lock()
		if process == nil || n.closed {
			delete(n.kept, name)
			n.mu.Unlock()
			break
		}
		k.process.Close()
		k.process = process
		n.mu.Unlock()
	}
	k.close()
}

// wait returns when the process has ended, false if it is not to be waited for
// any longer.
func (k *otherNetwork) wait() bool {
	c, err := k.process.SyscallConn()
	if err != nil {
		return false
	}
	// The first call is before the wait: what ended earlier wakes nobody.
	return c.Read(ended) == nil
}

// ended reports whether the process of a pidfd has: then there is something to
// read (pidfd_open(2)).
func ended(pidfd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
}

// another watches another process in the namespace, nil if there is none.
func (n *otherNetworks) another(name string) *os.File {
	pids, err := n.proc.pids()
	if err != nil {
		return nil
	}
	for _, pid := range pids {
		if n.proc.networkNamespace(strconv.Itoa(pid)) != name {
			continue
		}
		if process, err := n.watch(name, pid); err == nil {
			return process
		}
	}
	return nil
}

func (k *otherNetwork) close() {
	k.process.Close()
	k.kernel.close()
}

func (n *otherNetworks) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for name, k := range n.kept {
		delete(n.kept, name)
		k.process.Close() // ends follow
		k.kernel.close()
	}
	return nil
}
