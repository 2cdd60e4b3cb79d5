package capture

import (
	"slices"
	"time"
)

// keepOnSYN keeps what came with a SYN (RFC 7413). A service that does not know the
// client drops it, and it is sent again behind the handshake.
func (f *flow) keepOnSYN(c chunk) {
	if f.onSYN() != nil {
		f.analyzer.stats.SegmentsIgnored++
		return
	}
	if !f.reserve(len(c.data)) {
		f.analyzer.ignoreForRoom()
		return
	}
	c.data = slices.Clone(c.data)
	f.begins().onSYN = &c
}

// takeOnSYN reads what came with the SYN if the service has acknowledged it, or if its
// client goes on behind it, and drops it if its client sends anything else.
func (f *flow) takeOnSYN(s *segment, now time.Time) {
	switch c := f.onSYN(); {
	case c == nil:
	case s.direction == down && s.has(flagSYN) && s.has(flagACK) && s.ack == c.end(),
		s.direction == up && !s.has(flagSYN) && s.seq == c.end():
		f.readOnSYN(now)
	case s.direction == up && !s.has(flagSYN), s.direction == down && s.has(flagSYN):
		f.analyzer.stats.SegmentsIgnored++
		f.dropOnSYN()
	}
}

func (f *flow) readOnSYN(now time.Time) {
	if c := f.onSYN(); c != nil {
		f.dropOnSYN()
		f.take(up, c, now)
		f.pump(now)
	}
}

func (f *flow) dropOnSYN() {
	if c := f.onSYN(); c != nil {
		f.analyzer.budget.give(len(c.data))
		f.opening.onSYN = nil
	}
}
