package attribution

import "time"

const (
	// samePacket is how far apart in capture time two sightings of a tuple
	// may be that are one packet. Handles stamp the same packet within
	// microseconds of each other, and a packet is through all interfaces of a
	// host in less than 1 ms. A tuple comes back in about 250 ms at the
	// fastest, 10,000 connections a second from one address: Linux goes
	// through its 28,232 ports in steps of 10 on average
	// (ip_local_port_range, ip(7); the step was measured). Only programs that
	// choose their port themselves can be faster.
	samePacket = time.Millisecond
	// maxRecent connections are remembered: 1 s of 1,000 a second, by which
	// the second handle has delivered. With typical answers of 4 KiB they
	// hold 4 MiB.
	maxRecent = 1 << 10
)

// sighting is a connection that was seen.
type sighting struct {
	tuple   Tuple
	at      time.Time
	pending *Pending
}

// recent remembers the latest connections, so that each is looked up once.
type recent struct {
	byTuple map[Tuple][]sighting // oldest first
	ring    []sighting
	next    int // the place in ring of the oldest, once ring is full
}

func newRecent() *recent { return &recent{byTuple: make(map[Tuple][]sighting)} }

// find returns the answer for the packet if it was seen, else nil.
func (r *recent) find(t Tuple, at time.Time) *Pending {
	for _, s := range r.byTuple[t] {
		if at.Sub(s.at).Abs() <= samePacket {
			return s.pending
		}
	}
	return nil
}

func (r *recent) remember(s sighting) {
	if len(r.ring) < maxRecent {
		r.ring = append(r.ring, s)
	} else {
		r.forget(r.ring[r.next].tuple)
		r.ring[r.next] = s
		r.next = (r.next + 1) % maxRecent
	}
	r.byTuple[s.tuple] = append(r.byTuple[s.tuple], s)
}

// forget drops the oldest sighting of the tuple.
func (r *recent) forget(t Tuple) {
	if rest := r.byTuple[t][1:]; len(rest) > 0 {
		r.byTuple[t] = rest
	} else {
		delete(r.byTuple, t)
	}
}
