package capture

import (
	"slices"
	"time"
)

// legs tells when a connection is seen a second time behind address
// translation, as a capture on all interfaces of a container host sees it:
// the same segment then comes by again within moments, from another address,
// but with the same sequence numbers.
//
// Sequence numbers alone prove nothing, since files made by hand tend to begin
// every connection at the same one. A translated packet was also routed, which
// takes one off its hop limit (RFC 1812, section 5.3.1) but keeps its IPv4
// identification, and was captured at another place. In another network
// namespace it may come by as it was.
type legs struct{ recent [legsKept]leg }

// legsKept is how many segments are remembered, each in the place that its
// sequence numbers say: at 100,000 packets a second some 10 ms, many times
// what a packet takes through a host.
const legsKept = 1 << 10

// leg is a segment as it was seen.
type leg struct {
	flow      *flow
	conn      uint64 // of which connection that was
	time      time.Time
	key       flowKey
	length    int
	seq, ack  uint32
	timestamp uint32
	id        uint32
	direction direction
	flags     uint8
	hopLimit  uint8
	at        hop
}

// maxLegHops is how many routers there may be between two places of a host.
const maxLegHops = 4

// touch writes to all of it. A page of memory that is read before it is written to is given to
// the process twice: first as the page of zeros that all share, which each processor then has to
// be stopped for to forget it.
func (l *legs) touch() { clear(l.recent[:]) }

func (l *legs) place(s *segment) *leg {
	mixed := (s.seq ^ s.ack<<16 ^ s.ack>>16) * 2654435761 // Knuth's multiplicative hash
	return &l.recent[mixed>>22]
}

// speaks reports whether a segment is one that is remembered: those that move
// a connection on.
func speaks(s *segment) bool { return s.length() > 0 || s.has(flagSYN) }

// remember takes note of a segment.
func (l *legs) remember(s *segment, f *flow) {
	if !speaks(s) {
		return
	}
	l.place(s).set(s, f)
}

// set makes the leg a segment of the flow: field by field, and what is larger than a word on
// its own, as it is not copied twice so.
func (l *leg) set(s *segment, f *flow) {
	l.flow, l.conn, l.length = f, f.id, s.length()
	l.time = s.time
	l.key = s.key
	l.at = s.at
	l.seq, l.ack, l.timestamp, l.id = s.seq, s.ack, s.timestamp, s.id
	l.direction, l.flags, l.hopLimit = s.direction, s.flags, s.hopLimit
}

// find returns the segment of an open flow of which s is a repeat on another
// leg.
func (l *legs) find(s *segment) *leg {
	other := l.place(s)
	if !speaks(s) || !other.repeatedBy(s) || !other.isOpen() || s.time.Sub(other.time).Abs() > legWait {
		return nil
	}
	if slices.ContainsFunc(other.flow.legs, legOf(s).isAsFar) {
		return nil // as far from the client as a leg that is known: another connection
	}
	return other
}

// isOpen reports whether the connection that the segment is of is still open.
func (l *leg) isOpen() bool { return l.flow != nil && l.flow.id == l.conn && l.flow.index >= 0 }

// repeatedBy reports whether s is the same segment at another place.
func (l *leg) repeatedBy(s *segment) bool {
	sameClient := l.key.address == s.key.address && l.key.ports == s.key.ports
	hops := max(l.hopLimit, s.hopLimit) - min(l.hopLimit, s.hopLimit)
	switch {
	case !l.isLike(s) || hops > maxLegHops:
		return false
	case l.key.network != s.key.network:
		return sameClient || hops > 0 || s.timestamp != 0
	case hops == 0 || sameClient:
		return false
	case s.linkKnown:
		return l.at != s.at
	}
	return s.timestamp != 0
}

// isLike reports whether s says what the segment does, wherever it was seen.
func (l *leg) isLike(s *segment) bool {
	return l.seq == s.seq && l.ack == s.ack && l.id == s.id && l.timestamp == s.timestamp &&
		(l.flags == s.flags && l.length == s.length() || l.joins(s)) &&
		l.direction == s.direction && l.key.endpoint() == s.key.endpoint()
}

// joins reports whether one of two segments can be the other with what follows that, as offloads
// join segments on some interfaces and not on others. The joined one has the flags of all.
func (l *leg) joins(s *segment) bool {
	return l.timestamp != 0 && l.length > 0 && s.length() > 0 && (l.flags^s.flags)&^(flagPSH|flagFIN) == 0
}

// routersTo is how many routers a repeat of the segment is farther from the client: the hop limit
// is the higher on the way to the service, the lower on the way back.
func (l *leg) routersTo(s *segment) int8 {
	farther := int8(l.hopLimit - s.hopLimit)
	if s.direction == down {
		return -farther
	}
	return farther
}
