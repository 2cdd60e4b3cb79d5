package attribution

import (
	"strconv"
	"time"
)

// search finds the processes that hold sockets.
type search struct {
	facts   facts
	callers callers
	births  births // nil if nobody knows
	vain    vain
	now     func() time.Time
}

// birth is how a process became what it is.
type birth struct {
	parent      int   // who forked it
	since, exec int64 // when, and when it called execve(2) last; 0 if it did not
	// free is its lowest descriptor that was free then, 0 if that is not known.
	free int
}

// made reports whether the process has made the socket that it has under the
// descriptor, and not inherited it.
func (b birth) made(descriptor string) bool {
	return b.exec != 0 && b.free != 0 && descriptor == strconv.Itoa(b.free)
}

// births know when processes were forked. Times are in ns, CLOCK_MONOTONIC.
type births interface {
	// after returns all processes forked since then that live, the youngest
	// first, false if it does not know them all.
	after(at int64) (pids []int, all bool)
	// birth returns what is known of the process's, nothing if that is old.
	birth(pid int) birth
	// candidates returns the youngest, in the order in which to look at them.
	candidates() []int
}

// answers says who holds the sockets of the queries, those with an inode,
// looking for all of them at once. open reports whether the tuple still is that
// of the socket.
func (s *search) answers(queries []query, inodes []uint64, open func(Tuple, uint64) bool) []Answer {
	v := newVisit(s, open)
	for i, q := range queries {
		if !s.vain.has(inodes[i], v.began) {
			v.want(q, inodes[i])
		}
	}
	v.run()
	s.vain.add(v.unknown(), v.began)
	answers := make([]Answer, len(queries))
	family := newFamily(s.facts)
	for i, q := range queries {
		switch t := v.wanted[inodes[i]]; {
		case t != nil:
			answers[i] = s.answer(t.holders, family)
			answers[i].Status, answers[i].looked = v.status(q, t.holders), v.began
		case inodes[i] != 0:
			answers[i].Status = NotFound
		}
	}
	return answers
}

// answer tells the holders, the one that opened the connection first.
func (s *search) answer(holders []holder, family *family) (a Answer) {
	for i, h := range holders {
		process := s.facts.complete(h)
		if i > 0 {
			a.Candidates = append(a.Candidates, process)
			continue
		}
		process.Ancestors = family.ancestors(h.stat)
		a.Process = &process
		s.callers.add(process.PID)
	}
	return a
}
