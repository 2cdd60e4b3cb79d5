package attribution

import (
	"net/netip"
	"slices"
)

// Options say where to look. The zero value is right for a normal machine.
type Options struct {
	// Proc is the root of /proc, "/proc" if empty.
	Proc string
	// Passwd is a file in the format of passwd(5) with the names of users,
	// "/etc/passwd" if empty.
	Passwd string
	// Services are the addresses of the service that connections go to: the
	// kernel tells of connections to their ports alone. If there are none, they
	// are all addresses with port 80.
	Services []netip.AddrPort
	// Ways are those that may be used, all if there are none.
	Ways []Method
}

// ports are those of the services, each once.
func (o Options) ports() []uint16 {
	if len(o.Services) == 0 {
		return []uint16{80}
	}
	var ports []uint16
	for _, s := range o.Services {
		if !slices.Contains(ports, s.Port()) {
			ports = append(ports, s.Port())
		}
	}
	return ports
}

// Methods are all ways of finding a process, best first.
func Methods() []Method { return []Method{Tracepoint, SockDiag, Proc} }

// may reports whether the way may be used.
func (o Options) may(m Method) bool { return len(o.Ways) == 0 || slices.Contains(o.Ways, m) }
