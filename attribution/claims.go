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
	// maxUnclaimed connections are waited for: 1 s of 1,000 a second none of
	// which is seen. Of more it is not told who made them.
	maxUnclaimed = 1 << 10
)

// claims are connections to the services that were made and not seen yet. Who
// owns them has a lock for all of it.
type claims struct {
	services []netip.AddrPort
	missing  chan struct{} // receives when one is late; nil without services
	waiting  []claim       // in the order of time
	unnamed  int           // that there was no room for
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

// await takes in a connection, and reports whether it has to be seen still.
func (c *claims) await(h *handshake, now time.Time) bool {
	if h.claimed || !h.succeeded || !slices.Contains(c.services, h.tuple.Remote) {
		return false
	}
	c.waiting = slices.DeleteFunc(c.waiting, func(w claim) bool { return w.claimed })
	if len(c.waiting) == maxUnclaimed {
		c.waiting = c.waiting[1:]
		c.unnamed++
	}
	c.waiting = append(c.waiting, claim{h, now})
	return true
}

// claim takes note that a connection was seen, of those that are meant.
func (c *claims) claim(t Tuple, meant func(*handshake) bool) {
	for _, w := range c.waiting {
		if w.tuple == t.ends() && meant(w.handshake) {
			w.claimed = true
		}
	}
}

// late says that a connection has waited for ClaimWithin.
func (c *claims) late(h *handshake) {
	if h.claimed {
		return
	}
	select {
	case c.missing <- struct{}{}:
	default: // it was said
	}
}

// take returns those that were made up to a point in time and were not seen, and
// the number of those that there was no room for.
func (c *claims) take(until time.Time) (missing []*handshake, unnamed int) {
	c.waiting = slices.DeleteFunc(c.waiting, func(w claim) bool {
		if !w.claimed && !w.since.After(until) {
			missing = append(missing, w.handshake)
		}
		return w.claimed || !w.since.After(until)
	})
	unnamed, c.unnamed = c.unnamed, 0
	return missing, unnamed
}
