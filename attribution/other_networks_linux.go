package attribution

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// maxNamespaces bounds the network namespaces in which a socket is kept: 64
// take 64 × 2 descriptors and 0.5 MiB, and 0.5 ms to ask all.
const maxNamespaces = 64

// maxLatest is how many addresses are remembered, of some 50 bytes each.
const maxLatest = 1 << 10

// otherNetworks are the network namespaces that processes are in, but ours, each
// with a socket in it to ask the kernel on. It is safe for concurrent use.
//
// A socket keeps its namespace, and so must not outlive the last process in it.
type otherNetworks struct {
	proc     proc
	captured *follower // says in which namespaces packets are captured

	mu      sync.Mutex // guards what follows
	kept    map[string]*otherNetwork
	latest  map[netip.Addr]string // the namespaces of the latest connections
	refused bool                  // we may not enter any
	closed  bool
}

// otherNetwork is one that a socket is kept in.
type otherNetwork struct {
	*residents
	kernel *diagConn
}

func newOtherNetworks(p proc) *otherNetworks {
	return &otherNetworks{proc: p, kept: make(map[string]*otherNetwork), latest: make(map[netip.Addr]string)}
}

// likely asks the namespace that had the latest connection from the address.
func (n *otherNetworks) likely(t Tuple) (s diagSocket, from *diagConn) {
	n.mu.Lock()
	name := cmp.Or(t.Network, n.latest[t.Local.Addr()])
	n.mu.Unlock()
	kernel := n.kernel(name)
	if kernel == nil {
		return diagSocket{}, nil
	}
	s, err := kernel.lookUp(t, 0)
	if err != nil {
		return diagSocket{}, nil
	}
	return s, kernel
}

// elsewhere reports whether another namespace than one has a socket with the
// tuple.
func (n *otherNetworks) elsewhere(t Tuple, one *diagConn) bool {
	return slices.ContainsFunc(n.kernels(), func(k *diagConn) bool {
		if k == one {
			return false
		}
		_, err := k.lookUp(t, 0)
		return err == nil
	})
}

// remember takes note of where connections from the address come from.
func (n *otherNetworks) remember(a netip.Addr, from *diagConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.latest) >= maxLatest {
		clear(n.latest)
	}
	for name, k := range n.kept {
		if k.kernel == from {
			n.latest[a] = name
		}
	}
}

// lookUp asks for the socket with the tuple: the namespace in which its packets
// were captured, then those that are not captured themselves. Several can have
// one with the same: there is no telling which it was. Nor is there before the
// first can be asked.
func (n *otherNetworks) lookUp(t Tuple) (s diagSocket, from *diagConn, ambiguous bool) {
	switch kernel := n.kernel(t.Network); {
	case kernel != nil:
		if s, err := kernel.lookUp(t, 0); err == nil {
			return s, kernel, false
		}
	case n.captured.follows(t.Network):
		return diagSocket{}, nil, false
	}
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
	if from != nil {
		n.remember(t.Local.Addr(), from)
	}
	return s, from, false
}

// kernel is that of a namespace, nil if none is kept in it.
func (n *otherNetworks) kernel(name string) *diagConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := n.kept[name]; k != nil {
		return k.kernel
	}
	return nil
}

// kernels are those of namespaces whose packets are not captured there.
func (n *otherNetworks) kernels() (list []*diagConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, k := range n.kept {
		if !n.captured.follows(name) {
			list = append(list, k.kernel)
		}
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
	go n.follow(name, k, n.captured)
	return true
}

func (n *otherNetworks) room() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.refused && len(n.kept) < maxNamespaces
}

// enter opens what is needed of a namespace.
func (n *otherNetworks) enter(name string, pid int) (*otherNetwork, error) {
	inside, err := newResidents(n.proc, name, pid)
	if err != nil {
		return nil, err
	}
	k := &otherNetwork{residents: inside}
	if k.kernel, err = dialDiagIn(Network{Name: name, dir: n.proc.path(pid)}); err != nil {
		inside.close()
		return nil, err
	}
	return k, nil
}

func dialDiagIn(n Network) (kernel *diagConn, err error) {
	namespace, err := n.Open()
	if err != nil {
		return nil, err
	}
	defer namespace.Close()
	err = InNetwork(namespace, func() (err error) { kernel, err = dialDiag(); return err })
	return kernel, err
}

// follow keeps the namespace while there are processes in it.
func (n *otherNetworks) follow(name string, k *otherNetwork, captured *follower) {
	k.wait()
	captured.forget(name) // as long as the socket keeps it, no other has its name
	n.mu.Lock()
	if n.kept[name] == k {
		delete(n.kept, name)
	}
	n.mu.Unlock()
	k.close()
}

func (k *otherNetwork) close() {
	k.residents.close()
	_ = k.kernel.close()
}

func (n *otherNetworks) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for name, k := range n.kept {
		delete(n.kept, name)
		k.close() // ends follow
	}
	return nil
}
