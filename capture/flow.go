package capture

import (
	"cmp"
	"net/netip"
	"time"

	"imds-analyzer/imds"
)

// flow is one connection: its two directions, the messages in them and the
// calls that wait for their answers.
type flow struct {
	analyzer *Analyzer
	id       uint64    // of its connection
	opened   time.Time // when its first packet was captured
	// legs are the tuples under which the connection is known: the first one is nearest
	// to the client, captured at the vantage, others are translated ones.
	legs    []flowLeg
	vantage *vantage

	opening   *opening // nil if nothing of it waits
	streams   [2]stream
	requests  requestReader
	responses responseReader
	exchange  exchange
	notes     notes
	// delivering are the answers that wait for their client's acknowledgment.
	delivering []delivering
	saving     *saving // nil if no packets are saved
	reach      reach
	// acknowledges is true once an acknowledgment of the client's was seen that is
	// nothing else.
	acknowledges bool
	index        int32 // in the heap of deadlines, -1 if not there

	lastSeen moment
	closedAt moment
	begun    moment // as opened, but for when the clock was set back

	// handshake is true if the client's SYN was seen.
	handshake bool
	// settled is true once it is clear where the connection begins.
	settled bool
	// ended is true if the connection has ended, at closedAt.
	ended     bool
	reopening reopening
	notHTTP   bool
	reported  bool // a call was handed over
	told      bool // the handler knows of it
}

// conn is the connection as others know it.
func (f *flow) conn() imds.Conn {
	return imds.Conn{
		ID:        f.id,
		Client:    f.client(),
		Service:   f.vantage.service,
		Interface: f.vantage.named,
		Network:   f.vantage.network,
		Opened:    f.opened,
		Handshake: f.handshake,
	}
}

// client is its end of the tuple nearest to it.
func (f *flow) client() netip.AddrPort {
	return f.legs[0].key.client(f.vantage.service)
}

func (a *Analyzer) newFlow(s *segment) *flow {
	a.stats.Connections++
	a.lastID++
	f := a.takeUnused()
	*f = flow{
		analyzer:   a,
		id:         a.lastID,
		vantage:    a.vantageOf(s),
		opened:     s.time,
		handshake:  s.has(flagSYN) && s.direction == up,
		legs:       append(f.legs[:0], legOf(s)),
		delivering: f.delivering[:0],
		begun:      momentOf(s.time),
		settled:    s.has(flagSYN),
		index:      -1,
	}
	f.requests.flow, f.responses.flow = f, f
	if a.mask != nil {
		f.saving = &saving{}
	}
	return f
}

// maxUnused bounds the flows that wait for another connection: 1 MiB, with room for
// an answer that waits in each.
const maxUnused = 1 << 10

// takeUnused returns a flow of a connection that has ended, or a new one. Its
// fields are to be set anew.
func (a *Analyzer) takeUnused() *flow {
	last := len(a.unused) - 1
	if last < 0 {
		return &flow{}
	}
	f := a.unused[last]
	a.unused = a.unused[:last]
	return f
}

// retire keeps the flow of a connection that has ended for another one, unless
// packets of it still wait to be saved.
func (a *Analyzer) retire(f *flow) {
	if cap(f.delivering) > 1 {
		f.delivering = nil
	}
	if waits := f.saving != nil && f.saving.waiting > 0; !waits && len(a.unused) < maxUnused {
		f.saving = nil // what may be shown of it can be much
		a.unused = append(a.unused, f)
	}
}

// segment takes in a segment of the connection.
func (f *flow) segment(s *segment, now time.Time) {
	f.lastSeen = momentOf(now)
	if s.direction == up && !s.has(flagSYN|flagRST) {
		f.tell()
	}
	if !f.settled && !s.has(flagSYN) && f.wait(s) {
		return
	}
	if s.has(flagSYN) && s.direction == up {
		f.handshake = true
	}
	f.receive(s, now)
	f.settle(now)
}

// receive takes in a segment whose place in the connection is known.
func (f *flow) receive(s *segment, now time.Time) {
	st, peer := &f.streams[s.direction], &f.streams[1-s.direction]
	if !f.accepts(s, st) {
		f.analyzer.stats.SegmentsIgnored++
		if s.has(flagRST) && s.has(flagACK) && st.known && !st.outside(s.seq) {
			peer.reaches(s.ack) // what it comes behind was lost
		}
		return
	}
	if s.has(flagSYN) && f.beginsWith(s, st) {
		st.start(s.seq + 1)
		f.reader(s.direction).joinStart(s.seq + 1)
	}
	st.heard = true
	f.takeNote(s.note)
	f.synchronise(s, st, peer)
	f.followDelivery(s)
	f.takeOnSYN(s, now)
	if s.length() > 0 && st.known {
		f.payload(s, now)
	}
	f.finishes(s, st)
	f.pump(now)
	if s.has(flagRST) {
		f.reset(s.direction, now)
	}
}

// accepts reports whether the receiver would take the segment.
func (f *flow) accepts(s *segment, st *stream) bool {
	switch {
	case !s.has(flagACK | flagSYN | flagRST):
		return false // RFC 9293, section 3.10.7.4
	case !st.known:
		return true
	case s.has(flagSYN):
		return f.beginsWith(s, st) || s.seq+1 == f.reader(s.direction).firstSeq
	case s.has(flagRST):
		return st.endsAt(s.seq)
	}
	return !st.outside(s.seq)
}

// finishes takes in a segment's FIN. One behind what was read is forged.
func (f *flow) finishes(s *segment, st *stream) {
	fin := s.seq + uint32(s.length())
	if s.has(flagSYN) {
		fin++
	}
	if s.has(flagFIN) && st.known && !st.hasFin && !before(fin, st.next) {
		st.fin, st.hasFin = fin, true
	}
}

// synchronise learns what the headers tell of both directions.
func (f *flow) synchronise(s *segment, st, peer *stream) {
	if s.has(flagSYN) {
		st.scale, st.hasScale = s.scale, true
	}
	if s.has(flagACK) {
		f.startAt(1-s.direction, s.ack)
		scaled := st.hasScale && peer.hasScale
		window := s.window
		if !s.has(flagSYN) {
			window <<= st.scale
		}
		peer.acknowledge(s.ack, window, scaled)
		peer.reaches(s.ack)
	}
	st.reaches(s.seq)
	if s.length() > 0 && !s.has(flagSYN) {
		f.startAt(s.direction, s.seq)
	}
}

// startAt says that a direction has a byte with sequence number seq. Without
// its SYN, and as long as nothing was read, the least of these is the first.
func (f *flow) startAt(d direction, seq uint32) {
	st, r := &f.streams[d], f.reader(d)
	if !st.known || f.isUnread(d) && before(seq, st.next) {
		st.start(seq)
		r.firstSeq = seq
	}
}

// isUnread reports whether nothing was read of a direction whose SYN was not seen.
func (f *flow) isUnread(d direction) bool {
	st := &f.streams[d]
	return !st.hasScale && st.next == f.reader(d).firstSeq
}

func (f *flow) reader(d direction) *messageReader {
	if d == up {
		return &f.requests.messageReader
	}
	return &f.responses.messageReader
}

// payload takes in the segment's payload.
func (f *flow) payload(s *segment, now time.Time) {
	c := chunk{data: s.payload, missing: s.missing, whole: s.whole, clock: s.timestamp}
	c.seq, c.packet, c.ack, c.hasAck = s.seq, s.seq, s.ack, s.has(flagACK)
	c.hopLimit, c.time, c.note, c.noted = s.hopLimit, s.time, f.notes.last, s.note != nil
	if s.has(flagSYN) {
		c.seq++ // data on a SYN (RFC 7413) comes after it
		if s.direction == up {
			f.keepOnSYN(c)
			return
		}
	}
	f.take(s.direction, &c, now)
}

// take reads bytes if their turn has come, or holds them.
func (f *flow) take(d direction, c *chunk, now time.Time) {
	st := &f.streams[d]
	if f.isOld(d, c) {
		f.analyzer.stats.SegmentsIgnored++
		return
	}
	if repeated := int(int32(st.next - c.seq)); repeated > 0 {
		f.noteAgain(c)
		if repeated >= c.length() {
			return
		}
		c.trimFront(repeated)
	}
	if !st.holds() && c.seq == st.next && f.ready(d, c) {
		f.deliver(d, c)
		return
	}
	f.hold(d, *c, now)
}

// deliver hands the next bytes of a direction to its reader.
func (f *flow) deliver(d direction, c *chunk) {
	st := &f.streams[d]
	st.next = c.seq + uint32(len(c.data))
	st.clock = cmp.Or(c.clock, st.clock)
	f.reader(d).feed(c)
	if c.missing > 0 {
		f.cut(d, c)
	}
}

// cut tells a direction's reader what the snaplen has cut off behind its bytes.
func (f *flow) cut(d direction, c *chunk) {
	hidden := d == up && f.requests.hidesHeads(int64(c.missing))
	f.lost(d, c.missing, imds.Snaplen)
	if hidden && !f.requests.proven() {
		f.analyzer.stats.requestCut(c.whole)
	}
}

// lost tells a direction's reader that n bytes are not in the capture.
func (f *flow) lost(d direction, n int, reason imds.Incomplete) {
	r := f.reader(d)
	hidden, between := r.hidesHeads(int64(n)), r.state == stateStart
	f.streams[d].next += uint32(n)
	r.lost(int64(n), reason)
	switch x := &f.exchange; {
	case d == down && hidden:
		x.hidden = true
	case hidden:
		x.requestsLost, x.wholeLost = true, x.wholeLost || between && n >= minRequestBytes
	}
}
