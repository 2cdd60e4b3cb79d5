package attribution

import (
	"slices"
	"time"
)

const (
	// samePacket is how far apart in capture time two sightings of a tuple
	// may be that are one packet. Handles stamp the same packet within
	// microseconds of each other. A tuple can come back as soon as its
	// connection was reset, which leaves no TIME-WAIT: among 3,000 connections
	// six did within 32 ms. It takes a handshake, a reset and another
	// connect(2), which together last longer than this.
	samePacket = 100 * time.Microsecond
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

// followed reports whether another connection with the tuple was seen before a
// point in time: what was found then is that one's.
func (r *recent) followed(t Tuple, at, until time.Time) bool {
	return slices.ContainsFunc(r.byTuple[t], func(s sighting) bool {
		return s.at.Sub(at) > samePacket && s.at.Before(until)
	})
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
