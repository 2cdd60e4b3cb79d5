package attribution

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// addresses are those of our own network namespace.
type addresses map[netip.Addr]bool

// readAddresses reads them as they are now. What cannot be read is not there.
func readAddresses() addresses {
	all := make(addresses)
	found, _ := net.InterfaceAddrs()
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			all[prefix.Addr()] = true
		}
	}
	return all
}

// has reports whether an address is one of the namespace's.
func (a addresses) has(address netip.Addr) bool { return address.IsLoopback() || a[address] }

// rereadInterfaces is how often interfaces are read again at most: where there are 400 the
// kernel tells 600 KiB of them, which takes milliseconds. A socket that is bound to one
// which came since is not found.
const rereadInterfaces = 100 * time.Millisecond

// interfaces are those of our own network namespace. It is safe for concurrent use.
type interfaces struct {
	mu      sync.Mutex
	indices []uint32
	read    time.Time
}

// lately returns their indices as they were a moment ago.
func (i *interfaces) lately() []uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if time.Since(i.read) > rereadInterfaces {
		found, _ := net.Interfaces()
		i.indices = make([]uint32, 0, len(found))
		for _, f := range found {
			i.indices = append(i.indices, uint32(f.Index))
		}
		i.read = time.Now()
	}
	return i.indices
}
