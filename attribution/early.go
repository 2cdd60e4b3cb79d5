package attribution

import "slices"

// maxEarly connections are remembered that were seen first: as many as can wait the other
// way round.
const maxEarly = maxUnclaimed

// early are connections to the services that were seen before it was read that they were
// made, as after a stall or where all processors are busy: packets and events have a buffer
// and a reader each. What has a process by then, or is out of time, waits for no event any
// more. Who owns them has a lock for all of it.
type early struct {
	seen map[Tuple][]*sight // whose handshakes were not read yet
	ring []*sight           // the latest
	next int                // place in ring of the oldest, once it is full
	// forgotten is up to when connections may have been seen that are not remembered.
	forgotten int64
}

// sight is a connection that was seen.
type sight struct {
	tuple Tuple                 // its ends
	at    int64                 // when it had begun, ns, CLOCK_MONOTONIC
	meant func(*handshake) bool // whether that is its handshake
	taken bool                  // that was read
}

func (e *early) put(s *sight) {
	if e.seen == nil {
		e.seen = make(map[Tuple][]*sight)
	}
	e.seen[s.tuple] = append(e.seen[s.tuple], s)
	if len(e.ring) < maxEarly {
		e.ring = append(e.ring, s)
		return
	}
	if oldest := e.ring[e.next]; !oldest.taken {
		e.forgotten = max(e.forgotten, oldest.at)
		e.drop(oldest)
	}
	e.ring[e.next] = s
	e.next = (e.next + 1) % maxEarly
}

// take reports whether the handshake's connection was seen.
func (e *early) take(h *handshake) (seen bool) {
	for _, s := range slices.Clone(e.seen[h.tuple]) {
		if s.meant(h) {
			seen, s.taken = true, true
			e.drop(s)
		}
	}
	return seen
}

// takeElsewhere reports whether a connection of the handshake's tuple was seen in its time,
// of which no other handshake was read: where its process was it cannot have come by, but a
// socket stays in the network namespace in which it was made, wherever it is connected.
func (e *early) takeElsewhere(h *handshake) (seen bool) {
	for _, s := range e.seen[h.tuple] {
		if h.covers(s.at, clockSlack) {
			s.taken = true
			e.drop(s)
			return true
		}
	}
	return false
}

func (e *early) drop(s *sight) {
	rest := slices.DeleteFunc(e.seen[s.tuple], func(other *sight) bool { return other == s })
	if len(rest) == 0 {
		delete(e.seen, s.tuple)
		return
	}
	e.seen[s.tuple] = rest
}
