package capture

import (
	"bytes"
	"math/rand/v2"

	"imds-analyzer/imds"
)

// Where there are as many connections as there is room for, a new one takes the place
// of one that is idle, of those the one that was silent for longest: nobody loses what
// it is about to say by others' opening many. A request that waits for its answer is
// not idle, for as long as there are others. Addresses do not count, since whoever has
// a host has any number of them.
//
// What cannot say anything of a call takes no place at all: the rest of a message whose
// connection had to go.

// full reports whether there is no room for another connection.
func (a *Analyzer) full() bool { return len(a.due) >= a.limits.Connections }

// opens reports whether a connection begins with the segment, or a message does, so that
// it is of use without what comes before it.
func (s *segment) opens() bool {
	if s.has(flagSYN) {
		return true
	}
	if s.direction == down {
		_, ok := parseStatus(s.payload)
		return ok
	}
	return beginsRequest(s.payload)
}

// beginsRequest reports whether data begins with a method that is known, and a blank.
func beginsRequest(data []byte) bool {
	method, _, ended := bytes.Cut(data[:min(len(data), maxMethodBytes)], []byte{' '})
	return ended && isKnownMethod(method)
}

// ignoreForRoom counts a segment that there is no room for. It may hold what nothing else
// tells of, so that a connection counts as given up, if it is not the rest of one that does.
func (a *Analyzer) ignoreForRoom() {
	a.stats.SegmentsIgnored++
	a.stats.Evicted = max(1, a.stats.Evicted)
}

// evict gives a connection up.
func (a *Analyzer) evict() {
	a.stats.Evicted++
	a.end(a.due.stalest(), imds.CaptureEnd)
}

// sampled is how many flows stalest compares. The stalest of 64 is among the
// stalest tenth of all with a probability of 99.9 %.
const sampled = 64

// stalest returns a flow that has been silent for long compared to the others,
// without ordering all of them by that.
func (d deadlines) stalest() *flow {
	stalest := d[0].flow
	for range sampled {
		if f := d[rand.IntN(len(d))].flow; f.yieldsBefore(stalest) {
			stalest = f
		}
	}
	return stalest
}

// yieldsBefore reports whether the flow makes room rather than the other.
func (f *flow) yieldsBefore(other *flow) bool {
	if waits := f.waits(); waits != other.waits() {
		return !waits
	}
	return f.lastSeen < other.lastSeen
}

// waits reports whether a whole request waits for its answer, or an answer to be
// acknowledged.
func (f *flow) waits() bool { return len(f.exchange.pending) > 0 || len(f.delivering) > 0 }
