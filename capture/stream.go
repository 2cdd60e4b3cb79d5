package capture

import (
	"time"

	"imds-analyzer/imds"
)

// stream is one direction of a connection under reassembly: what comes next,
// and the segments that cannot be read yet.
type stream struct {
	// next is the sequence number of the next byte to read, once it is known.
	next uint32
	// clock is the timestamp of the packet with the last bytes read, 0 if it had none.
	clock uint32
	// acked is the highest acknowledgment number that the other side sent;
	// edge is the right edge of its window.
	acked, edge uint32
	// told is the highest sequence number that either side has said to be reached, whether
	// it has been read to there or not.
	told uint32
	// fin is the sequence number of the FIN, ended is true once it is read.
	fin               uint32
	known             bool
	hasAcked, hasEdge bool
	hasFin, ended     bool
	// heard is true if a segment of this direction was seen.
	heard bool
	// scale is the window scale that this side announced in its SYN.
	scale    uint8
	hasScale bool
	// held are the segments that wait, nil if none do.
	held *heldSegments
}

// origin says where in its stream a byte was, and what its packet told.
type origin struct {
	seq      uint32
	packet   uint32 // the sequence number of its packet
	ack      uint32 // what the sender had received
	hasAck   bool
	hopLimit uint8
	noted    bool // the note is of this packet
	time     time.Time
	note     *imds.Note // on who sent it, of this packet or an earlier one
}

// chunk is a run of payload bytes as the reader of messages gets them. Its
// origin is that of its first byte.
type chunk struct {
	origin
	data    []byte
	missing int    // bytes behind data that the snaplen cut off
	whole   int    // the snaplen that would have held them
	clock   uint32 // the packet's timestamp, 0 if there is none
}

func (c *chunk) length() int { return len(c.data) + c.missing }

func (c *chunk) end() uint32 { return c.seq + uint32(c.length()) }

// trimFront takes n bytes off the front.
func (c *chunk) trimFront(n int) {
	cut := min(n, len(c.data))
	c.data = c.data[cut:]
	c.missing -= n - cut
	c.seq += uint32(n)
}

// start sets the sequence number of the first byte.
func (s *stream) start(seq uint32) {
	if !s.known {
		s.told = seq
	}
	s.next, s.known = seq, true
}

// reaches takes in that a side says that the stream is as far as seq.
func (s *stream) reaches(seq uint32) {
	if s.known && before(s.told, seq) {
		s.told = seq
	}
}

// acknowledge takes in the acknowledgment and window that the other side
// sent. The window counts only where its scale is known, from both SYNs.
func (s *stream) acknowledge(ack uint32, window int, scaled bool) {
	if !s.hasAcked || before(s.acked, ack) {
		s.acked, s.hasAcked = ack, true
	}
	if edge := ack + uint32(window); scaled && (!s.hasEdge || before(s.edge, edge)) {
		s.edge, s.hasEdge = edge, true
	}
}

// outside reports whether a segment that starts at seq is so far ahead that
// the receiver will not take it. The edge may be stale by one window, because
// the capture can have missed acknowledgments.
func (s *stream) outside(seq uint32) bool {
	ahead := int64(int32(seq - s.next))
	if ahead <= 0 {
		return ahead < -(1 << 30)
	}
	if s.hasEdge && s.hasAcked {
		return ahead > 2*max(int64(int32(s.edge-s.next)), int64(int32(s.edge-s.acked)), 1)
	}
	return ahead > defaultWindow
}

// isOld reports whether bytes that come next are of an earlier time than those before
// them, as none are that their receiver takes (PAWS, RFC 7323, section 5): those that
// are sent again have a new timestamp.
func (s *stream) isOld(c *chunk) bool {
	return c.clock != 0 && s.clock != 0 && before(c.clock, s.clock) && !before(c.seq, s.next)
}

// clockTells is for how long two timestamps tell which one is later: half of their range, in
// the shortest tick in use (Linux 6.7, tcp_usec_ts).
const clockTells = 1 << 31 * time.Microsecond

// isOld is that of the stream, as long as timestamps tell: a connection on which nothing but
// probes came for longer is not to be stuck (RFC 7323, section 5.5). What came last is
// not older than the message that it is of.
func (f *flow) isOld(d direction, c *chunk) bool {
	return f.streams[d].isOld(c) && c.time.Sub(f.reader(d).first.time) < clockTells
}

// endsAt reports whether a RST with that number ends the direction: it has to be exactly
// the next one that the receiver expects (RFC 5961, section 3.2), which is beyond what
// was read if the capture lacks some of it.
func (s *stream) endsAt(seq uint32) bool {
	switch {
	case seq == s.next, s.hasAcked && seq == s.acked, s.hasFin && (seq == s.fin || seq == s.fin+1):
		return true
	}
	return s.holds() && seq == s.held.last().end()
}

// done reports whether nothing more will come: the FIN was read, or the other
// side has acknowledged it.
func (s *stream) done() bool {
	return s.ended || s.hasFin && s.hasAcked && before(s.fin, s.acked)
}

// unseen is how many bytes are behind those that were read, by what the sides have said, a FIN
// among them.
func (s *stream) unseen() int {
	if !s.known || s.ended {
		return 0
	}
	return int(int32(s.told - s.next))
}
