package attribution

import "time"

// search finds the processes that hold sockets.
type search struct {
	facts   facts
	callers callers
	now     func() time.Time
}

// answers says who holds the sockets of the queries, those with an inode,
// looking for all of them at once. open reports whether the tuple still is that
// of the socket.
func (s *search) answers(queries []query, inodes []uint64, open func(Tuple, uint64) bool) []Answer {
	v := newVisit(s, open)
	for i, q := range queries {
		v.want(q, inodes[i])
	}
	v.run()
	answers := make([]Answer, len(queries))
	family := newFamily(s.facts)
	for i, q := range queries {
		if inodes[i] != 0 {
			holders := v.wanted[inodes[i]].holders
			answers[i] = s.answer(holders, family)
			answers[i].Status = v.status(q, holders)
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
