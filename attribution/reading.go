package attribution

import (
	"slices"
	"strings"
	"time"
)

// reading is what /proc said of a process between two points in time. What is
// missing in it could not be read.
type reading struct {
	process      Process // without ancestors
	userID       *uint32
	network      string // its network namespace, as networkNamespace names it
	parent       int
	start        time.Duration // as procStat.start
	known        bool          // start, parent and kernel were read
	kernel       bool          // as procStat.kernel
	began, ended int64         // ns, CLOCK_MONOTONIC
	// told is what the kernel told of the process when it called execve(2): it
	// is certain, unlike what was read later. It is nil for a reading at any
	// other time.
	told *Process
	// doubted is true once nothing in it is certain: the process ran another
	// program while it was read, or another had taken over its pid.
	doubted bool
}

// tell adds what the kernel told, which comes after what was read: a process
// may have changed its arguments since.
func (r *reading) tell(told *Process) {
	r.told = told
	r.process.lacks(*told)
}

// sure is when all has happened that can put it in doubt.
func (r *reading) sure() int64 { return r.ended + execWindow }

// doubt takes back what was read.
func (r *reading) doubt() {
	if r.told == nil {
		r.doubted = true
		return
	}
	r.process, r.userID, r.network, r.known = *r.told, nil, "", false
}

// says reports whether anything is known from the reading of what runs.
func (r *reading) says() bool {
	return r != nil && !r.doubted && (r.process.Executable != "" || len(r.process.Args) > 0)
}

// hasArgs reports whether what is known of what runs is all that can be.
func (r *reading) hasArgs() bool {
	return r != nil && !r.doubted && len(r.process.Args) > 0 && r.process.Executable != ""
}

// ancestor is a process that runs what was read, as one among the ancestors of
// another.
func (r *reading) ancestor(pid int) Ancestor {
	p := r.process
	args, cut := bound(p.Args, MaxAncestorArgsBytes)
	return Ancestor{PID: pid, Name: p.Name, Executable: p.Executable, Args: args, ArgsTruncated: cut || p.ArgsTruncated}
}

// size is about how much memory it takes, in bytes.
func (r *reading) size() int {
	if r == nil {
		return 0
	}
	n := 512 + len(r.process.Executable) + len(r.process.WorkingDirectory) + len(r.process.Cgroup)
	for _, arg := range r.process.Args {
		n += textHeader + len(arg)
	}
	return n
}

// contradicts reports whether two readings are of different processes.
func (r *reading) contradicts(other *reading) bool {
	return other != nil && r.known && other.known && r.start != other.start
}

// lacks fills in what is not known of the program that runs.
func (p *Process) lacks(program Process) {
	if len(p.Args) == 0 {
		p.Args, p.ArgsTruncated = program.Args, program.ArgsTruncated
	}
	if p.Executable == "" {
		p.Executable, p.ExecutableFile, p.Deleted = program.Executable, program.ExecutableFile, program.Deleted
	}
	if p.Name == "" {
		p.Name = program.Name
	}
}

// textHeader is what a text takes besides its bytes.
const textHeader = 16

// bound cuts the arguments off after limit bytes, counting one that ends each, and after as
// many as take so much besides their bytes: somebody's may all be empty. It reports whether
// it did.
func bound(args []string, limit int) ([]string, bool) {
	most := limit / textHeader
	for i, arg := range args {
		if i == most {
			return slices.Clone(args[:i]), true
		}
		if len(arg) >= limit {
			return append(args[:i:i], strings.Clone(BeforeSecret(arg[:limit]))), true
		}
		limit -= len(arg) + 1
	}
	return args, false
}

// BeforeSecret returns an argument of which the end was cut off without its last word, if that
// may be what is left of a token or key: it could not be told by its shape any more. Those are
// written in base64 with capitals in it (RFC 4648), percent-encoded or not.
func BeforeSecret(arg string) string {
	word := len(arg)
	for word > 0 && isInSecret(arg[word-1]) {
		word--
	}
	if strings.ToLower(arg[word:]) == arg[word:] {
		return arg
	}
	return arg[:word]
}

func isInSecret(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_=%", c) >= 0
}
