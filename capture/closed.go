package capture

import "time"

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
	last        time.Time
}

func newClosedFlows(limit int) closedFlows {
	return closedFlows{flows: make(map[flowKey]closedFlow), order: make([]flowKey, 0, min(limit, 1<<10))}
}

func (c *closedFlows) remember(key flowKey, f *flow) {
	if _, ok := c.flows[key]; !ok {
		c.push(key, f.analyzer.limits.ClosedConnections)
	}
	closed := closedFlow{last: f.lastSeen}
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
		return s.seq+1 == closed.first[s.direction] && !s.reusesNumber(closed.last)
	}
	behind := int32(closed.next[s.direction] - s.seq)
	return behind >= int32(min(s.length(), 1<<20)) && behind < 1<<30
}
