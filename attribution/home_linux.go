package attribution

import "time"

// rereadHome is how often the addresses of our network namespace are read again
// at most. They change seldom, and reading them takes some 0.1 ms.
const rereadHome = 100 * time.Millisecond

// home is the network namespace in which packets are captured. The kernel tells
// of connections in all of them, and the same tuple can be in several.
type home struct {
	name      string // as networkNamespace names it, empty if that is not known
	addresses addresses
	read      time.Time // when addresses were
}

func newHome(p proc) home {
	return home{name: p.networkNamespace("self"), addresses: readAddresses(), read: time.Now()}
}

// captures reports whether the packets of the handshake can be among those that
// are captured in our namespace. Those of a process in here are, also from an address
// that is not ours: it was when the connection began, and can be gone, as the one is
// with which cloud-init looks for its user data before the network is up. From an
// address of ours only a process in here sends them, as Linux takes in no packets from
// elsewhere with an address of its own (fib_validate_source, net/ipv4/fib_frontend.c).
func (o *home) captures(h *handshake) bool {
	if h.network() == o.name {
		return true
	}
	address := h.tuple.Local.Addr()
	if o.addresses.has(address) && time.Since(o.read) > rereadHome {
		o.addresses, o.read = readAddresses(), time.Now()
	}
	return !o.addresses.has(address)
}

// network is the namespace in which the handshake's process was, empty if that is
// not known.
func (h *handshake) network() string {
	if h.read == nil || h.read.doubted {
		return ""
	}
	return h.read.network
}

// captures reports whether the packets of the handshake can be among those that
// are captured in the network namespace, ours if it is empty. Connections of a
// namespace that is captured itself are known as seen there, also if their packets pass
// another that is. Those of one that is not may go by way of any other. The caller holds mu.
func (t *tracepoint) captures(network string, h *handshake) bool {
	switch from := h.network(); {
	case from == "" || t.home.name == "" || from == network:
		return true // for all that is known
	case t.networks.followedAt(from, h.end):
		return false
	case network == "":
		return t.home.captures(h)
	default:
		return from != t.home.name
	}
}
