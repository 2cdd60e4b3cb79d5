package attribution

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
}
