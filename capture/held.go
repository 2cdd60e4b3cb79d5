package capture

import (
	"slices"
	"time"
)

// heldSegments are the segments of one direction that wait for an earlier one, or for the
// bytes of the other direction that they acknowledge. There is at least one.
type heldSegments struct {
	// segments are ordered by sequence number, and none covers another.
	segments []held
	bytes    int // of their payloads
	// waiting is when the wait for what the first one lacks began.
	waiting moment
}

// held is a segment that waits.
type held struct {
	chunk
	arrival uint64
}

func (h *heldSegments) first() *held { return &h.segments[0] }

func (h *heldSegments) last() *held { return &h.segments[len(h.segments)-1] }

// holds reports whether segments wait.
func (s *stream) holds() bool { return s.held != nil }

// hold keeps a chunk.
func (s *stream) hold(c chunk, arrival uint64, now time.Time) {
	if !s.holds() {
		s.held = &heldSegments{waiting: momentOf(now)}
	}
	s.held.add(held{c, arrival})
}

// add keeps a segment. Where copies overlap, the one is kept that Linux's receiver reads
// (tcp_data_queue_ofo in net/ipv4/tcp_input.c): a copy that covers others takes their
// place, one that is covered is dropped, and of two that overlap in part the one that
// begins first has the bytes of both.
func (h *heldSegments) add(s held) {
	from, _ := slices.BinarySearchFunc(h.segments, s.seq, func(h held, seq uint32) int {
		if before(seq, h.seq) {
			return 1
		}
		return -1
	})
	if from > 0 {
		switch earlier := &h.segments[from-1]; {
		case !before(earlier.end(), s.end()):
			return
		case earlier.seq == s.seq:
			from--
		}
	}
	behind := from
	for ; behind < len(h.segments) && !before(s.end(), h.segments[behind].end()); behind++ {
		h.bytes -= len(h.segments[behind].data)
	}
	s.data = slices.Clone(s.data)
	h.bytes += len(s.data)
	h.segments = slices.Replace(h.segments, from, behind, s)
}

// cost is the memory that the held segments take.
func (s *stream) cost() int {
	if !s.holds() {
		return 0
	}
	return s.held.bytes + len(s.held.segments)*segmentOverhead
}

// full reports whether no more segments may wait.
func (s *stream) full() bool {
	return s.holds() && (len(s.held.segments) >= maxHeldSegments || s.held.bytes >= maxHeldBytes)
}

// hole is the number of bytes missing before the first held segment.
func (s *stream) hole() int {
	if !s.holds() {
		return 0
	}
	return max(0, int(int32(s.held.first().seq-s.next)))
}

// pop takes the first held segment, without what was read already.
func (s *stream) pop(now time.Time) chunk {
	h := s.held
	c := h.first().chunk
	h.segments = h.segments[1:]
	h.bytes -= len(c.data)
	h.waiting = momentOf(now)
	if len(h.segments) == 0 {
		s.held = nil
	}
	return c
}

// holeAcknowledged reports whether the receiver has what is missing: then it
// will not be sent again.
func (s *stream) holeAcknowledged() bool {
	return s.hasAcked && !before(s.acked, s.held.first().seq)
}

// deadline is when waiting for what the first held segment lacks ends.
func (s *stream) deadline() moment {
	if s.hole() > 0 && !s.holeAcknowledged() {
		return s.held.waiting.add(lossWait)
	}
	return s.held.waiting.add(reorderWait)
}
