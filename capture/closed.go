package capture

// closedFlows remembers connections that have ended, so that late repeats of
// their segments are told from new ones. The oldest make room for new ones.
type closedFlows struct {
	flows map[flowKey]closedFlow
	order []flowKey // a ring
	next  int
}

// closedFlow holds what came first and what comes next in each direction,
// where that is known, and when the last packet came.
type closedFlow struct {
	first, next [2]uint32
	known       [2]bool
	reopening   reopening
}

// reopening tells a connection that uses the initial sequence numbers of the
// one before on its tuple, as files made by hand do, from late copies of that
// one's handshake: both its SYN and the answer come after the end.
type reopening struct{ asked bool }

// restarts reports whether a SYN or the answer to one that comes after the end
// of a connection opens another. same tells whether its number is the old one's.
func (r *reopening) restarts(s *segment, same bool) bool {
	if s.direction == down {
		return !same || r.asked
	}
	r.asked = same
	return !same
}

func newClosedFlows(limit int) closedFlows {
	return closedFlows{flows: make(map[flowKey]closedFlow), order: make([]flowKey, 0, min(limit, 1<<10))}
}

func (c *closedFlows) remember(key flowKey, f *flow) {
	if _, ok := c.flows[key]; !ok {
		c.push(key, f.analyzer.limits.ClosedConnections)
	}
	closed := closedFlow{reopening: f.reopening}
	for d := range f.streams {
		closed.first[d] = f.reader(direction(d)).firstSeq
		closed.next[d], closed.known[d] = f.streams[d].next, f.streams[d].known
	}
	c.flows[key] = closed
}

func (c *closedFlows) push(key flowKey, limit int) {
	if len(c.order) < limit {
		c.order = append(c.order, key)
		return
	}
	delete(c.flows, c.order[c.next])
	c.order[c.next] = key
	c.next = (c.next + 1) % len(c.order)
}

// repeats reports whether the segment repeats what was read of a connection
// that has ended.
func (c *closedFlows) repeats(key flowKey, s *segment) bool {
	closed, ok := c.flows[key]
	if !ok || !closed.known[s.direction] {
		return false
	}
	if s.has(flagSYN) {
		same := s.seq+1 == closed.first[s.direction]
		restarts := closed.reopening.restarts(s, same)
		c.flows[key] = closed
		return !restarts
	}
	behind := int32(closed.next[s.direction] - s.seq)
	return behind >= int32(min(s.length(), 1<<20)) && behind < 1<<30
}
