package capture

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"imds-analyzer/imds"
)

// Mask saves packets without what is secret in them. Of the bytes that the
// connections carry only those are left that the readers of messages have
// understood and found harmless: request and status lines, the names of
// fields, the values of fields that are listed below, and what frames bodies.
// All others, bodies and tokens first of all, become maskByte. So a packet has
// to wait until its bytes were read; one whose bytes are not read in time is
// saved without them, as if the snaplen had cut it there.
type Mask struct {
	write func(Packet) error
	err   error
	queue []masking
}

// masking is a packet that waits for its bytes to be read.
type masking struct {
	packet    Packet
	flow      *flow
	direction direction
	seq       uint32 // of the first payload byte
	payload   int    // index of that in the packet's data
	since     time.Time
}

const (
	maskByte = 'x'
	// maskWait and maxMasking bound the wait: a second's retransmission, and
	// 4,096 packets of up to 1,500 bytes, 6 MiB.
	maskWait    = time.Second
	maxMasking  = 4 << 10
	maxKept     = 256 // spans remembered in a direction, for repeats
	keptDropped = maxKept / 2
)

// SaveTo makes the Analyzer hand each packet to and from the endpoints to
// write, masked, in the order in which they came. The packet's data is write's
// to keep. It is to be called before the first packet.
func (a *Analyzer) SaveTo(write func(Packet) error) { a.mask = &Mask{write: write} }

// SaveError returns the error that ended the saving of packets, if any.
func (a *Analyzer) SaveError() error {
	if a.mask == nil {
		return nil
	}
	return a.mask.err
}

// segment takes in a packet that holds a segment of the flow f, or of none.
func (m *Mask) segment(p *Packet, s *segment, f *flow) {
	if m == nil {
		return
	}
	at := cap(p.Data) - cap(s.payload) // both share one array
	if f == nil || s.joined {
		m.enqueue(p, masking{payload: min(at, len(p.Data))}, 0)
	} else {
		seq := s.seq
		if s.has(flagSYN) {
			seq++
		}
		m.enqueue(p, masking{flow: f, direction: s.direction, seq: seq, payload: at, since: s.time}, len(s.payload))
	}
	m.drain(s.time)
}

// pass takes in a packet to or from an endpoint that is no segment; what
// follows its IP header is not kept.
func (m *Mask) pass(p *Packet, header int) {
	if m != nil {
		m.enqueue(p, masking{payload: header}, 0)
	}
}

func (m *Mask) enqueue(p *Packet, q masking, length int) {
	q.packet = *p
	q.packet.Comment = ""
	q.packet.Data = bytes.Clone(p.Data[:min(q.payload+length, len(p.Data))])
	m.queue = append(m.queue, q)
}

// drain writes the packets at the head of the queue that need not wait.
func (m *Mask) drain(now time.Time) {
	n := 0
	for n < len(m.queue) {
		q := &m.queue[n]
		if !q.read() && now.Sub(q.since) < maskWait && len(m.queue)-n <= maxMasking {
			break
		}
		m.save(q)
		n++
	}
	m.queue = slices.Delete(m.queue, 0, n)
}

// due is when the packet at the head of the queue has waited long enough.
func (m *Mask) due() (time.Time, bool) {
	if m == nil || len(m.queue) == 0 {
		return time.Time{}, false
	}
	return m.queue[0].since.Add(maskWait), true
}

func (m *Mask) tick(now time.Time) {
	if m != nil {
		m.drain(now)
	}
}

// flush writes all that waits.
func (m *Mask) flush() {
	if m == nil {
		return
	}
	for i := range m.queue {
		m.save(&m.queue[i])
	}
	m.queue = nil
}

func (m *Mask) save(q *masking) {
	if m.err != nil {
		return
	}
	if q.read() {
		q.apply()
	} else {
		q.packet.Data = q.packet.Data[:q.payload]
	}
	m.err = m.write(q.packet)
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

// undecided is the number of bytes that were read but may be of any kind.
func (r *messageReader) undecided() int {
	if r.state == stateHead {
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
	for _, s := range r.kept {
		from := max(0, int(int32(s.from-q.seq)))
		to := min(len(payload), int(int32(s.to-q.seq)))
		if from < to {
			copy(masked[from:to], payload[from:to])
		}
	}
	copy(payload, masked)
}

// span is a range of sequence numbers.
type span struct{ from, to uint32 }

// keep says that n bytes from sequence number seq on may be saved.
func (r *messageReader) keep(seq uint32, n int) {
	if r.flow.analyzer.mask == nil || n <= 0 {
		return
	}
	end := seq + uint32(n)
	if last := len(r.kept) - 1; last >= 0 && r.kept[last].to == seq {
		r.kept[last].to = end
		return
	}
	if len(r.kept) >= maxKept {
		r.kept = slices.Delete(r.kept, 0, keptDropped)
	}
	r.kept = append(r.kept, span{seq, end})
}

// keepLine keeps of a line of the chunked coding the chunk's size and the
// line's end, not extensions and trailers.
func (r *messageReader) keepLine(line []byte, seq uint32) {
	hidden := r.state != stateChunkSize || bytes.IndexByte(r.buffer, ';') >= 0
	for i, c := range line {
		hidden = hidden || c == ';'
		if !hidden || c == '\r' || c == '\n' {
			r.keep(seq+uint32(i), 1)
		}
	}
}

// keepHead keeps of a head what may be saved.
func (r *messageReader) keepHead(head []byte) {
	if r.flow.analyzer.mask == nil {
		return
	}
	line := lineLength(head)
	r.keepFirstLine(head[:line])
	for at := line; at < len(head); {
		n := fieldLength(head[at:])
		r.keepField(head[at:at+n], r.first.seq+uint32(at))
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

// keepFirstLine keeps a status line, and a request line without what looks
// like a secret in its target.
func (r *messageReader) keepFirstLine(line []byte) {
	target := bytes.IndexByte(line, ' ') + 1
	end := bytes.LastIndexByte(line, ' ')
	if _, ok := parseRequestLine(bytes.TrimRight(line, "\r\n")); !ok {
		if _, ok := parseStatus(line); ok {
			target = len("HTTP/1.1 200")
		}
		end = len(bytes.TrimRight(line, "\r\n")) // mask the reason phrase, or a cut target
	}
	r.keep(r.first.seq, target)
	if text := string(line[target:max(target, end)]); len(text) > 0 {
		r.keepText(text, r.first.seq+uint32(target))
	}
	r.keep(r.first.seq+uint32(max(target, end)), len(line)-max(target, end))
}

// keepText keeps a text up to the first sign of a secret.
func (r *messageReader) keepText(text string, seq uint32) {
	redacted := imds.Redact(text)
	n := 0
	for n < min(len(text), len(redacted)) && text[n] == redacted[n] {
		n++
	}
	if n < len(text) {
		n = 0
		if q := strings.IndexByte(text, '?'); q > 0 && imds.Redact(text[:q]) == text[:q] {
			n = q + 1
		}
	}
	r.keep(seq, n)
}

// harmless are the fields whose values are saved: those that say how the
// message is framed, who sent it, and how long a token is to live.
var harmless = map[string]bool{
	"host": true, "user-agent": true, "accept": true, "accept-encoding": true, "connection": true,
	"content-length": true, "content-type": true, "transfer-encoding": true, "expect": true,
	"upgrade": true, "x-forwarded-for": true, "server": true, "date": true, "last-modified": true,
	imds.TokenTTLField: true,
}

// keepField keeps a field's name, and its value if that is harmless.
func (r *messageReader) keepField(field []byte, seq uint32) {
	text := bytes.TrimRight(field, "\r\n")
	name, value, found := bytes.Cut(text, []byte{':'})
	shown := 0
	if found {
		shown = len(name) + 1
	}
	if harmless[strings.ToLower(string(bytes.TrimSpace(name)))] && imds.Redact(string(value)) == string(value) {
		shown = len(text)
	}
	r.keep(seq, shown)
	for i := shown; i < len(text); i++ {
		if text[i] == '\r' || text[i] == '\n' || text[i] == ' ' || text[i] == '\t' {
			r.keep(seq+uint32(i), 1)
		}
	}
	r.keep(seq+uint32(len(text)), len(field)-len(text))
}
