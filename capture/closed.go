package capture

import "hash/maphash"

// closedFlows remembers connections that have ended, so that late repeats of
// their segments are told from new ones. It has two generations: when the
// younger one is full, the older is forgotten and the younger takes its place,
// so that between half of the limit and all of it are remembered. They are known by a
// number made of their tuple, 8 bytes in place of 32: two of 64 bits are the
// same less often than memory fails.
type closedFlows struct {
	younger, older map[uint64]closedFlow
	limit          int
	seed           maphash.Seed
}

// closedFlow holds what came first and what comes next in each direction,
// where that is known, when the last packet came, and the timestamp of the
// client's last bytes.
type closedFlow struct {
	first, next [2]uint32
	last        moment
	clock       uint32
	known       [2]bool
	reopening   reopening
}

// reopening tells a connection that uses the initial sequence numbers of the
// one before on its tuple, as files made by hand do, from late copies of that
// one's handshake: both its SYN and the answer come after the end, and were captured
// after it. Where two sockets capture for a while, and one is read late, the whole
// connection comes again; and so it does in a capture by another clock. But what a client
// opens after the end has a later timestamp, or it would be refused (RFC 6191, section 2).
type reopening struct{ asked bool }

// restarts reports whether a SYN or the answer to one that comes after the end of a
// connection, at ended, opens another. same tells whether its number is the old one's, clock is
// the timestamp of the client's last bytes, 0 if they had none. Of a SYN with that number it is
// noted whether it asks for another, for the answer to tell.
func (r *reopening) restarts(s *segment, same bool, ended moment, clock uint32) bool {
	if s.direction == down {
		return !same || r.asked
	}
	later := s.timestamp == 0 || clock == 0 || before(clock, s.timestamp)
	r.asked = same && later && momentOf(s.time) >= ended
	return !same
}

func newClosedFlows(limit int) closedFlows {
	return closedFlows{
		younger: make(map[uint64]closedFlow), older: make(map[uint64]closedFlow),
		limit: limit, seed: maphash.MakeSeed(),
	}
}

func (c *closedFlows) remember(key flowKey, f *flow) {
	if len(c.younger) >= c.limit/2 {
		c.younger, c.older = c.older, c.younger
		clear(c.younger)
	}
	closed := closedFlow{reopening: f.reopening, last: f.lastSeen, clock: f.streams[up].clock}
	for d := range f.streams {
		closed.first[d] = f.reader(direction(d)).firstSeq
		closed.next[d], closed.known[d] = f.streams[d].next, f.streams[d].known
	}
	c.younger[maphash.Comparable(c.seed, key)] = closed
}

// find returns what is remembered of the last connection with the number, and the
// generation that it is in, nil if none is remembered.
func (c *closedFlows) find(number uint64) (closedFlow, map[uint64]closedFlow) {
	for _, generation := range [...]map[uint64]closedFlow{c.younger, c.older} {
		if closed, ok := generation[number]; ok {
			return closed, generation
		}
	}
	return closedFlow{}, nil
}

// repeats reports whether the segment repeats what was read of a connection
// that has ended.
func (c *closedFlows) repeats(s *segment) bool {
	number := maphash.Comparable(c.seed, s.key)
	closed, generation := c.find(number)
	if generation == nil || !closed.known[s.direction] {
		return false
	}
	if s.has(flagSYN) {
		same := s.seq+1 == closed.first[s.direction]
		asked := closed.reopening.asked
		restarts := closed.reopening.restarts(s, same, closed.last, closed.clock)
		if closed.reopening.asked != asked {
			generation[number] = closed
		}
		return !restarts
	}
	behind := int32(closed.next[s.direction] - s.seq)
	return behind >= int32(min(s.length(), 1<<20)) && behind < 1<<30 && !closed.isLongOver(s)
}

// isLongOver reports whether a client's segment is known to be of another connection, whatever its
// number: it came when nobody sends anything of this one any more, and was sent later by the
// client's own clock, which a copy is not, whenever that is read. Ports come again for months, and
// a quarter of all numbers lie behind those of before.
func (c *closedFlow) isLongOver(s *segment) bool {
	later := s.timestamp != 0 && c.clock != 0 && before(c.clock, s.timestamp)
	return s.direction == up && later && c.last.add(repeatWait).isDue(s.time)
}
