package capture

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"imds-analyzer/imds"
)

// masker saves packets without what is secret in them. Of the bytes that the
// connections carry only those are left that the readers of messages have
// understood and found harmless: request and status lines, the names of
// fields, the values of fields that are listed below, and what frames bodies.
// All others, bodies and tokens first of all, become maskByte. So a packet has
// to wait until its bytes were read; one whose bytes are not read in time is
// saved without them, as if the snaplen had cut it there.
type masker struct {
	write func(Saved)
	queue []masking
	bytes int // that queue takes
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
	maskWait    = time.Second
	maxMasking  = 8 << 20
	maxKept     = 64 // runs remembered in a direction, for repeats
	maxRunBytes = 4 << 10
	keptDropped = maxKept / 2
)

// SaveTo makes the Analyzer hand each packet to and from the endpoints to
// write, masked, in the order in which they came. The packet's data is write's
// to keep. Comments are left out, as nobody knows what is in them. It is to be
// called before the first packet.
func (a *Analyzer) SaveTo(write func(Saved)) { a.mask = &masker{write: write} }

// segment takes in a packet that holds a segment of the flow f, or of none.
func (m *masker) segment(p *Packet, s *segment, f *flow, now time.Time) {
	if m == nil {
		return
	}
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
	q.packet.Data = bytes.Clone(p.Data[:min(q.payload+length, len(p.Data))])
	if q.flow != nil {
		q.flow.unsaved++
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
		q.apply()
	} else {
		q.packet.Data = q.packet.Data[:q.payload]
	}
	s.Packet = q.packet
	m.write(s)
	if q.flow != nil {
		q.flow.saved()
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
	shown := q.flow.reader(q.direction).shown
	return shown.dropped && before(q.seq, shown.from)
}

// undecided is the number of bytes that were read but may be of any kind.
func (r *messageReader) undecided() int {
	if r.state == stateHead || r.state == stateChunkSize {
		return len(r.buffer)
	}
	return 0
}

// apply masks the packet's payload.
func (q *masking) apply() {
	if q.flow == nil || q.length() == 0 {
		return
	}
	payload := q.packet.Data[q.payload:]
	r := q.flow.reader(q.direction)
	masked := bytes.Repeat([]byte{maskByte}, len(payload))
	for _, k := range r.shown.kept {
		from := int(int32(k.seq - q.seq))
		skip := max(0, -from)
		if at := from + skip; skip < len(k.data) && at < len(masked) {
			copy(masked[at:], k.data[skip:])
		}
	}
	copy(payload, masked)
}

// markBegun notes where a request begins, the first one of a packet, for that to be
// saved.
func (r *messageReader) markBegun() {
	if r.shown == nil {
		return
	}
	last := len(r.shown.begun) - 1
	if last >= 0 && r.shown.begun[last].packet == r.first.packet {
		return
	}
	if len(r.shown.begun) >= maxKept {
		r.shown.begun = slices.Delete(r.shown.begun, 0, keptDropped)
	}
	r.shown.begun = append(r.shown.begun, r.first)
}

// begunIn reports whether a message begins in the bytes from sequence number seq on,
// and returns the note on who sent it.
func (r *messageReader) begunIn(seq uint32, length int) (*imds.Note, bool) {
	within := func(o origin) bool { return uint32(length) > o.seq-seq }
	if i := slices.IndexFunc(r.shown.begun, within); i >= 0 {
		return r.shown.begun[i].note, true
	}
	if r.state == stateHead && within(r.first) {
		return r.first.note, true
	}
	return nil, false
}

// kept is a run of bytes that may be saved, as they were read: a packet that
// repeats them may hold others.
type kept struct {
	seq  uint32
	data []byte
}

func (k *kept) end() uint32 { return k.seq + uint32(len(k.data)) }

// keep says that bytes from sequence number seq on may be saved.
func (r *messageReader) keep(seq uint32, data []byte) {
	if r.shown == nil || len(data) == 0 {
		return
	}
	if last := len(r.shown.kept) - 1; last >= 0 && r.shown.kept[last].end() == seq && len(r.shown.kept[last].data) < maxRunBytes {
		r.shown.kept[last].data = append(r.shown.kept[last].data, data...)
		return
	}
	if len(r.shown.kept) >= maxKept {
		r.shown.dropped, r.shown.from = true, r.shown.kept[keptDropped-1].end()
		r.shown.kept = slices.Delete(r.shown.kept, 0, keptDropped)
	}
	r.shown.kept = append(r.shown.kept, kept{seq, bytes.Clone(data)})
}

// keepBlanks keeps of a text the line ends and blanks, which hold it together.
func (r *messageReader) keepBlanks(seq uint32, text []byte) {
	for i, c := range text {
		if c == '\r' || c == '\n' || c == ' ' || c == '\t' {
			r.keep(seq+uint32(i), text[i:i+1])
		}
	}
}

// keepChunkSize keeps of the line before a chunk its size, not extensions.
func (r *messageReader) keepChunkSize(seq uint32, line []byte) {
	_, extensions, _ := bytes.Cut(line, []byte{';'})
	size := len(line) - len(extensions)
	r.keep(seq, line[:size])
	r.keepBlanks(seq+uint32(size), extensions)
}

// keepHead keeps of a head what may be saved. whole is false for one of which
// the end is missing: then the last line may be cut inside of a secret, which
// can have lost its shape by that.
func (r *messageReader) keepHead(head []byte, whole bool) {
	if r.shown == nil {
		return
	}
	line := lineLength(head)
	r.keepFirstLine(head[:line])
	for at := line; at < len(head); {
		n := fieldLength(head[at:])
		r.keepField(head[at:at+n], r.first.seq+uint32(at), whole || at+n < len(head))
		at += n
	}
}

func lineLength(data []byte) int {
	if n := bytes.IndexByte(data, '\n'); n >= 0 {
		return n + 1
	}
	return len(data)
}

// fieldLength is the length of a field line with its continuation lines.
func fieldLength(data []byte) int {
	n := lineLength(data)
	for n < len(data) && (data[n] == ' ' || data[n] == '\t') {
		n += lineLength(data[n:])
	}
	return n
}

// keepFirstLine keeps a request line without what looks like a secret in its
// target, and of a status line the status.
func (r *messageReader) keepFirstLine(line []byte) {
	text := bytes.TrimRight(line, "\r\n")
	request, ok := parseRequestLine(text)
	if !ok && len(text) == len(line) {
		request, ok = parsePartialLine(text)
	}
	switch _, isStatus := parseStatus(line); {
	case isStatus:
		const size = len("HTTP/1.1 200")
		r.keep(r.first.seq, line[:size])
		r.keepBlanks(r.first.seq+uint32(size), line[size:])
	case ok:
		r.keepRequestLine(line, string(request.target))
	default:
		r.keepBlanks(r.first.seq, line)
	}
}

func (r *messageReader) keepRequestLine(line []byte, target string) {
	from := bytes.IndexByte(line, ' ') + 1
	method := line[:from-1]
	r.keep(r.first.seq, method[:clean(string(method))])
	r.keep(r.first.seq+uint32(from)-1, line[from-1:from])
	if target == "" {
		return // what there is of it may be cut inside of a secret
	}
	from += bytes.Index(line[from:], []byte(target))
	to := from + len(target)
	r.keep(r.first.seq+uint32(from), line[from:from+clean(target)])
	r.keep(r.first.seq+uint32(to), line[to:])
}

// clean returns the length of the part of a target that holds no secret: all
// of it, its path, or nothing.
func clean(target string) int {
	if imds.Redact(target) == target {
		return len(target)
	}
	if path := strings.IndexByte(target, '?'); path > 0 && imds.Redact(target[:path]) == target[:path] {
		return path + 1
	}
	return 0
}

// harmless reports whether a field's value is saved: those say how the message
// is framed, who sent it, and how long a token is to live.
func harmless(name, value string) bool {
	switch name {
	case imds.TokenTTLField, "content-length":
		return strings.Trim(value, "0123456789 \t\r\n") == ""
	case "host", "user-agent", "accept", "accept-encoding", "connection", "content-type",
		"transfer-encoding", "expect", "upgrade", "x-forwarded-for", "server", "date", "last-modified":
		return imds.Redact(value) == value
	}
	return false
}

// keepField keeps a field's name, and its value if that is harmless and whole.
func (r *messageReader) keepField(field []byte, seq uint32, whole bool) {
	name, value, found := bytes.Cut(field, []byte{':'})
	shown := 0
	if found && isToken(bytes.TrimSpace(name)) && imds.Redact(string(name)) == string(name) {
		shown = len(name) + 1
		if whole && harmless(strings.ToLower(string(bytes.TrimSpace(name))), string(value)) {
			shown = len(field)
		}
	}
	r.keep(seq, field[:shown])
	r.keepBlanks(seq+uint32(shown), field[shown:])
}
