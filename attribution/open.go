package attribution

import "slices"

// Options say where to look. The zero value is right for a normal machine.
type Options struct {
	// Proc is the root of /proc, "/proc" if empty.
	Proc string
	// Passwd is a file in the format of passwd(5) with the names of users,
	// "/etc/passwd" if empty.
	Passwd string
	// Ports are those of the service that connections go to, 80 if there are
	// none. The kernel tells of connections to them alone.
	Ports []uint16
	// Ways are those that may be used, all if there are none.
	Ways []Method
}

// Methods are all ways of finding a process, best first.
func Methods() []Method { return []Method{Tracepoint, SockDiag, Proc} }

// may reports whether the way may be used.
func (o Options) may(m Method) bool { return len(o.Ways) == 0 || slices.Contains(o.Ways, m) }
