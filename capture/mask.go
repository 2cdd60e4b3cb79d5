package capture

import (
	"slices"
	"time"

	"imds-analyzer/imds"
)

// masker saves packets without what is secret in them. Of the bytes that the
// connections carry only those are left that the readers of messages have
// understood and found harmless: request and status lines, the names of
// fields, the values of fields that are listed in harmless, and what frames bodies.
// All others, bodies and tokens first of all, become maskByte. So a packet has
// to wait until its bytes were read; one whose bytes are not read in time is
// saved without them, as if the snaplen had cut it there.
type masker struct {
	write  func(Saved)
	words  *words
	queue  []masking
	bytes  int      // that queue takes
	spare  [][]byte // the data of packets that were written, to be used again
	masked []byte   // a payload on its way to be masked; the room is used again
}

// Saved is a packet that is to be saved, without what is secret in it.
type Saved struct {
	Packet
	// Conn is the ID of the packet's connection, 0 if it is of none. Closed is
	// called after the connection's last packet.
	Conn uint64
	// Begins is true if a request begins in the packet. Note is what the capture
	// says of who sent it, nil if nothing.
	Begins bool
	Note   *imds.Note
}

// masking is a packet that waits for its bytes to be read.
type masking struct {
	packet    Packet
	flow      *flow
	direction direction
	seq       uint32 // of the first payload byte
	payload   int    // index of that in the packet's data
	note      int    // bytes that are held of what the capture says of the client
	since     time.Time
}

const (
	maskByte = 'x'
	// maskWait and maxMasking bound the wait: a second's retransmission, and
	// 8 MiB of packets.
	maskWait   = time.Second
	maxMasking = 8 << 20
	// maxSpareData and spareData bound what is kept to be used again: 128 KiB.
	maxSpareData = 64
	spareData    = 2 << 10
)

// SaveTo makes the Analyzer hand each packet to and from the endpoints to
// write, masked, in the order in which they came. The packet's data is valid until write
// returns. Comments are left out, as nobody knows what is in them. It is to be
// called before the first packet.
func (a *Analyzer) SaveTo(write func(Saved)) { a.mask = &masker{write: write, words: &a.words} }

// segment takes in a packet that holds a segment of the flow f, or of none.
func (m *masker) segment(p *Packet, s *segment, f *flow, now time.Time) {
	q := masking{payload: cap(p.Data) - cap(s.payload), since: s.time} // both end in one array
	if f == nil {
		m.enqueue(p, q, 0)
	} else {
		q.flow, q.direction, q.seq = f, s.direction, s.seq
		if s.has(flagSYN) {
			q.seq++
		}
		m.enqueue(p, q, len(s.payload))
	}
	m.drain(now)
}

// pass takes in a packet to or from an endpoint of which no segment could be
// read; what follows its headers is not kept.
func (m *masker) pass(p *Packet, header int, now time.Time) {
	if m != nil {
		m.enqueue(p, masking{payload: header, since: p.Time}, 0)
		m.drain(now)
	}
}

func (m *masker) enqueue(p *Packet, q masking, length int) {
	q.packet = *p
	q.packet.Comment = ""
	q.packet.Data = append(m.takeSpare(), p.Data[:min(q.payload+length, len(p.Data))]...)
	hideInHeaders(p, q.packet.Data[:min(q.payload, len(q.packet.Data))], m.words)
	if q.flow != nil {
		q.note = q.flow.notes.last.Size()
	}
	m.queue = append(m.queue, q)
	m.bytes += q.cost()
}

// cost is the memory that a waiting packet takes.
func (q *masking) cost() int { return len(q.packet.Data) + q.note + segmentOverhead }

// drain writes the packets at the head of the queue that need not wait.
func (m *masker) drain(now time.Time) {
	n := 0
	for n < len(m.queue) {
		q := &m.queue[n]
		if !q.read() && now.Sub(q.since) < maskWait && m.bytes <= maxMasking {
			break
		}
		m.bytes -= q.cost()
		m.save(q)
		n++
	}
	m.take(n)
}

// take takes so many off the head of the queue. To move up a long rest for each of a few takes
// longer than all else: that is left where it is, until the queue grows into new memory.
func (m *masker) take(n int) {
	if n < len(m.queue)-n {
		clear(m.queue[:n])
		m.queue = m.queue[n:]
		return
	}
	m.queue = slices.Delete(m.queue, 0, n)
}

// due is when the packet at the head of the queue has waited long enough.
func (m *masker) due() (time.Time, bool) {
	if m == nil || len(m.queue) == 0 {
		return time.Time{}, false
	}
	return m.queue[0].since.Add(maskWait), true
}

func (m *masker) tick(now time.Time) {
	if m != nil {
		m.drain(now)
	}
}

// flush writes all that waits.
func (m *masker) flush() {
	if m == nil {
		return
	}
	for i := range m.queue {
		m.save(&m.queue[i])
	}
	m.queue, m.bytes = nil, 0
}

func (m *masker) save(q *masking) {
	s := q.saved()
	if q.read() && !q.forgotten() {
		m.apply(q)
	} else {
		q.packet.Data = q.packet.Data[:q.payload]
	}
	s.Packet = q.packet
	m.write(s)
	m.keepSpare(q.packet.Data[:0])
	if q.flow != nil {
		q.flow.saved()
	}
}

func (m *masker) takeSpare() (data []byte) {
	last := len(m.spare) - 1
	if last < 0 {
		return nil
	}
	data, m.spare = m.spare[last], m.spare[:last]
	return data
}

func (m *masker) keepSpare(data []byte) {
	if len(m.spare) < maxSpareData && cap(data) <= spareData {
		m.spare = append(m.spare, data)
	}
}

// saved says what the packet is, before it is cut.
func (q *masking) saved() (s Saved) {
	if q.flow == nil {
		return s
	}
	s.Conn = q.flow.id
	if q.direction == up {
		s.Note, s.Begins = q.flow.requests.begunIn(q.seq, q.length())
	}
	return s
}

func (q *masking) length() int { return len(q.packet.Data) - q.payload }

// read reports whether all of the packet's bytes were read.
func (q *masking) read() bool {
	if q.flow == nil || q.length() == 0 {
		return true
	}
	st, r := &q.flow.streams[q.direction], q.flow.reader(q.direction)
	read := st.next - uint32(r.undecided())
	return st.known && !before(read, q.seq+uint32(q.length()))
}

// forgotten reports whether it is not known any more what of the packet's bytes may
// be shown.
func (q *masking) forgotten() bool {
	if q.flow == nil || q.length() == 0 {
		return false
	}
	shown := &q.flow.saving.shown[q.direction]
	return shown.dropped && before(q.seq, shown.from)
}

// apply masks the packet's payload.
func (m *masker) apply(q *masking) {
	if q.flow == nil || q.length() == 0 {
		return
	}
	payload := q.packet.Data[q.payload:]
	shown := &q.flow.saving.shown[q.direction]
	m.masked = append(m.masked[:0], payload...)
	fill(m.masked, maskByte)
	shown.copyTo(m.masked, q.seq)
	copy(payload, m.masked)
	shown.forget(q.seq)
}
