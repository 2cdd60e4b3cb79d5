package attribution

import "time"

// rereadHome is how often the addresses of our network namespace are read again
// at most. They change seldom, and reading them takes some 0.1 ms.
const rereadHome = 100 * time.Millisecond

// home is the network namespace in which packets are captured. The kernel tells
// of connections in all of them, and the same tuple can be in several.
type home struct {
	name    string // as networkNamespace names it, empty if that is not known
	network network
	read    time.Time // when network was
}

func newHome(p proc) home {
	return home{name: p.networkNamespace("self"), network: readNetwork(), read: time.Now()}
}

// captures reports whether the packets of the handshake can be among those that
// are captured. From an address of ours only a process in here sends them, as
// Linux takes in no packets from elsewhere with an address of its own
// (fib_validate_source, net/ipv4/fib_frontend.c), and a process in here sends
// them from no other.
func (o *home) captures(h *handshake) bool {
	if o.name == "" || h.read == nil || h.read.doubted || h.read.network == "" {
		return true // for all that is known
	}
	inside, address := h.read.network == o.name, h.tuple.Local.Addr()
	if inside != o.network.has(address) && time.Since(o.read) > rereadHome {
		o.network, o.read = readNetwork(), time.Now()
	}
	return inside == o.network.has(address)
}
