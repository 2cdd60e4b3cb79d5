package attribution

import (
	"strings"
	"time"
)

// reading is what /proc said of a process between two points in time. What is
// missing in it could not be read.
type reading struct {
	process      Process // without ancestors
	userID       *uint32
	parent       int
	start        time.Duration // as procStat.start
	known        bool          // start and parent were read
	began, ended int64         // ns, CLOCK_MONOTONIC
	// doubted is true once it turned out that the process ran another program
	// while it was read, or that another had taken over its pid.
	doubted bool
}

// says reports whether anything is known from the reading of what runs.
func (r *reading) says() bool {
	return r != nil && !r.doubted && (r.process.Executable != "" || len(r.process.Args) > 0)
}

// ancestor is the process as one among the ancestors of another.
func (r *reading) ancestor() *Ancestor {
	p := r.process
	args, cut := bound(p.Args, MaxAncestorArgsBytes)
	return &Ancestor{p.PID, p.Name, p.Executable, args, cut || p.ArgsTruncated}
}

// size is about how much memory it takes, in bytes.
func (r *reading) size() int {
	if r == nil {
		return 0
	}
	n := 512 + len(r.process.Executable) + len(r.process.WorkingDirectory) + len(r.process.Cgroup)
	for _, arg := range r.process.Args {
		n += 16 + len(arg)
	}
	return n
}

// completed returns the reading's process with what it lacks taken from what
// was read at its execve(2), if the program is the same.
func (r *reading) completed(earlier *reading) Process {
	p := r.process
	if !earlier.says() || r.known && earlier.known && r.start != earlier.start {
		return p
	}
	e := earlier.process
	if len(p.Args) == 0 {
		p.Args, p.ArgsTruncated = e.Args, e.ArgsTruncated
	}
	if p.Executable == "" {
		p.Executable, p.Deleted = e.Executable, e.Deleted
	}
	if p.Name == "" {
		p.Name = e.Name
	}
	return p
}

// bound cuts the arguments off after limit bytes, counting one that ends each,
// and reports whether it did.
func bound(args []string, limit int) ([]string, bool) {
	for i, arg := range args {
		if len(arg) >= limit {
			return append(args[:i:i], strings.Clone(arg[:limit])), true
		}
		limit -= len(arg) + 1
	}
	return args, false
}
