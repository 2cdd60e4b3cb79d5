package attribution

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// ClaimWithin is how long after it was made a connection has to be seen, else
	// its packets are not captured. They take a tenth of a second; this leaves
	// time for a host that is very busy.
	ClaimWithin = 3 * time.Second
	// maxUnclaimed connections are waited for: as many as are remembered. What
	// has been seen of one that is forgotten could not be told to be its.
	maxUnclaimed = maxHandshakes
)

// claims are connections to the services that were made and not seen yet. Who
// owns them has a lock for all of it.
type claims struct {
	services []netip.AddrPort
	early    early
	missing  chan struct{} // receives when one is late; nil without services
	waiting  []claim       // in the order of time
	watched  bool          // late will be called
	lost     uint64        // that there was no room for: whether they were seen is not known
}

// claim is a connection that was made.
type claim struct {
	*handshake
	since time.Time
}

func newClaims(services []netip.AddrPort) claims {
	c := claims{services: services}
	if len(services) > 0 {
		c.missing = make(chan struct{}, 1)
	}
	return c
}

// await takes in a connection that has to be seen still. It reports whether late
// is to be called after ClaimWithin.
func (c *claims) await(h *handshake, now time.Time) (watch bool) {
	if !slices.Contains(c.services, h.tuple.Remote) {
		return false
	}
	switch seen := c.early.take(h); {
	case seen || h.claimed || !h.succeeded:
		return false
	case h.began < c.early.forgotten:
		c.lost++
		return false
	}
	if len(c.waiting) == maxUnclaimed {
		c.makeRoom()
	}
	c.waiting = append(c.waiting, claim{h, now})
	watch = !c.watched
	c.watched = true
	return watch
}

// makeRoom lets go of those that were seen, or of the oldest if none was.
func (c *claims) makeRoom() {
	c.tidy()
	if len(c.waiting) == maxUnclaimed {
		c.waiting = slices.Delete(c.waiting, 0, 1)
		c.lost++
	}
}

func (c *claims) tidy() {
	c.waiting = slices.DeleteFunc(c.waiting, func(w claim) bool { return w.claimed })
}

// claim takes note that a connection was seen that had begun at a time, ns,
// CLOCK_MONOTONIC: one of those that are meant. If none of them waits, the kernel's word of
// it is still to be read.
func (c *claims) claim(t Tuple, at int64, meant func(*handshake) bool) {
	found := false
	for _, w := range c.waiting {
		if w.tuple == t.ends() && meant(w.handshake) {
			w.claimed, found = true, true
		}
	}
	if !found && slices.Contains(c.services, t.Remote) {
		c.early.put(&sight{tuple: t.ends(), at: at, meant: meant})
	}
}

// late says so if a connection has waited for ClaimWithin. It returns how long
// the next one has still, 0 if none waits: then it need not be called again.
func (c *claims) late(now time.Time) (wait time.Duration) {
	c.tidy()
	next := slices.IndexFunc(c.waiting, func(w claim) bool { return now.Sub(w.since) < ClaimWithin })
	if len(c.waiting) > 0 && next != 0 {
		select {
		case c.missing <- struct{}{}:
		default: // it was said
		}
	}
	if c.watched = next >= 0; !c.watched {
		return 0
	}
	return c.waiting[next].since.Add(ClaimWithin).Sub(now)
}

// take returns those that were made up to a point in time, ns, CLOCK_MONOTONIC, and were
// not seen.
func (c *claims) take(until int64) (missing []*handshake) {
	c.waiting = slices.DeleteFunc(c.waiting, func(w claim) bool {
		if !w.claimed && w.began <= until && !c.early.takeElsewhere(w.handshake) {
			missing = append(missing, w.handshake)
		}
		return w.claimed || w.began <= until
	})
	return missing
}
