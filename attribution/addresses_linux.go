package attribution

import (
	"net"
	"net/netip"
)

// network is what our own network namespace consists of.
type network struct {
	addresses  map[netip.Addr]bool
	interfaces []uint32 // their indices
}

// readNetwork reads it as it is now. What cannot be read is not there.
func readNetwork() network {
	n := network{addresses: make(map[netip.Addr]bool)}
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			n.addresses[prefix.Addr()] = true
		}
	}
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		n.interfaces = append(n.interfaces, uint32(i.Index))
	}
	return n
}

// has reports whether an address is one of the namespace's.
func (n network) has(a netip.Addr) bool { return a.IsLoopback() || n.addresses[a] }
