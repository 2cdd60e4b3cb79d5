package attribution

import (
	"path"
	"slices"
	"strings"
)

const (
	// sameStart is how long before the event of an execve(2) its stack was
	// sampled at most, ns. The copying in between takes 15 to 50 µs, rarely more
	// than 100; the next execve(2) of the process comes later.
	sameStart = 100_000
	// startKeptFor is how long a sample of a stack waits for the event that it
	// belongs to, ns. They are read within a round of each other.
	startKeptFor = 10_000_000
)

// execStart is a program that is about to start, as the kernel sampled it in
// execve(2). Nothing that happens later can put that in doubt.
type execStart struct {
	pid  int
	at   int64 // ns, CLOCK_MONOTONIC
	file string
	args []string
	cut  bool // args are not all that there are
	// whole is false if the sample does not reach up to the end of args: the
	// kernel copies what is in memory, and stops at a page that was not used
	// yet. Linux leaves a random gap of up to 8 KiB above the tables
	// (arch_align_stack on x86), so that one in four samples stops there; on
	// arm64 the gap is smaller than a page.
	whole bool
}

// execStarts are those that were sampled and whose events are to come.
type execStarts struct{ waiting []execStart }

func (s *execStarts) add(start execStart) { s.waiting = append(s.waiting, start) }

// take returns the one that belongs to the event, which comes after it, nil if
// there is none or no telling which.
func (s *execStarts) take(e traceEvent) *execStart {
	belongs := func(o execStart) bool {
		return o.pid == e.pid && o.file == e.file && o.at <= e.at && e.at-o.at <= sameStart
	}
	i := slices.IndexFunc(s.waiting, belongs)
	if i < 0 || slices.ContainsFunc(s.waiting[i+1:], belongs) {
		return nil
	}
	start := s.waiting[i]
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return &start
}

// forget drops those whose events will not come.
func (s *execStarts) forget(now int64) {
	s.waiting = slices.DeleteFunc(s.waiting, func(o execStart) bool { return now-o.at > startKeptFor })
}

// told is what an execve(2) told of its process: the name, which is that of the
// file, and the arguments, if they were sampled.
func (e traceEvent) told(start *execStart) *Process {
	p := &Process{PID: e.pid, Name: fileName(e.file)}
	if start != nil && start.whole {
		p.Args, p.ArgsTruncated = start.args, start.cut
	}
	return p
}

// fileName is the name that the kernel gives a process that runs the file. One
// that was opened before has a name that is not told here (execveat(2),
// AT_EMPTY_PATH).
func fileName(file string) string {
	if file == "" || strings.HasPrefix(file, "/dev/fd/") {
		return ""
	}
	return path.Base(file)
}
