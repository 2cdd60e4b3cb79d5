package attribution

import (
	"reflect"
	"time"
)

// maxSharedFacts bounds the processes whose facts are kept to be used again: with
// typical facts of 4 KiB, 512 KiB.
const maxSharedFacts = 128

// sharedFacts have the connections of a process share what is known of it. Somebody who
// keeps 15,000 connections open takes 60 MiB otherwise.
type sharedFacts struct{ byPID map[int]*Process }

// of returns facts that are the same, of an earlier connection if there are some. They
// are not to be changed.
func (s *sharedFacts) of(p *Process) *Process {
	if p == nil {
		return nil
	}
	if known := s.byPID[p.PID]; known != nil && known.saysSame(p) {
		return known
	}
	if s.byPID == nil || len(s.byPID) >= maxSharedFacts {
		s.byPID = make(map[int]*Process)
	}
	s.byPID[p.PID] = p
	return p
}

// sameBoot is how far apart two readings of a process's start can be: it is told to
// 10 ms since the boot, and when that was is worked out anew each time.
const sameBoot = 5 * time.Millisecond

// saysSame reports whether both say the same of one process.
func (p *Process) saysSame(other *Process) bool {
	same := *other
	same.Start = p.Start
	return other.Start.Sub(p.Start).Abs() < sameBoot && reflect.DeepEqual(p, &same)
}
