package capture

import (
	"bytes"

	"imds-analyzer/imds"
)

// messageReader reads the HTTP/1 messages in one direction of a connection:
// it finds the heads, hands them to its role, and passes over the bodies
// (RFC 9112). What it does not keep it never stores: of bodies only the
// length is known.
type messageReader struct {
	flow *flow
	// firstSeq is the sequence number of the stream's first byte, lineSeq that
	// of the line that is being collected.
	firstSeq, lineSeq uint32
	state             messageState
	// found is true once a head was read: this is HTTP/1.
	found bool
	// lineRead is true if the buffer holds the head's first line.
	lineRead bool
	// late is true if the capture does not hold the stream's beginning.
	late bool
	// reported is true if the head that was cut by what is missing in stateLost
	// is reported; reason is why the stream's place is lost, Whole if no byte is missing.
	reported bool
	reason   imds.Incomplete
	// inBody is true if it is lost in a body that may come in chunks.
	inBody bool
	// unsure is true if the body that the last head announces may not come, as it is not
	// known to which method that answers.
	unsure bool
	// buffer collects a head, line or tail of a head over several chunks.
	buffer []byte
	// first is where the message began.
	first origin
	// remaining is what is still to come of a body or chunk; withheld is that
	// of a body in whose place a head may come, or unknownBody.
	remaining int64
	withheld  int64
}

// isResponses reports whether it reads responses.
func (r *messageReader) isResponses() bool { return r == &r.flow.responses.messageReader }

// role is what the reader is for.
func (r *messageReader) role() role {
	if r.isResponses() {
		return &r.flow.responses
	}
	return &r.flow.requests
}

// role is what differs between requests and responses.
type role interface {
	// plausible reports whether data can be the beginning of a head.
	plausible(data []byte) bool
	// starts reports whether data, the beginning of a segment, is the
	// beginning of a head beyond doubt.
	starts(data []byte) bool
	// complete takes in a whole head and returns how its body is framed. It
	// reports false if it is no head.
	complete(head []byte) (framing, bool)
	// partial takes in the beginning of a head. It reports false if that is too little to
	// tell of the message.
	partial(head []byte, reason imds.Incomplete) bool
	// tail takes in the end of a head whose beginning was lost. It reports
	// false if it is none.
	tail(tail []byte) (framing, bool)
	// boundary returns how many of the next bytes come before one that a
	// message begins with, going by what the other direction tells; all if
	// that tells nothing.
	boundary(seq uint32, data []byte) int
	// bodyWithheld reports whether what a segment brings may begin a head in the place of a
	// body that was announced.
	bodyWithheld(seq uint32, data []byte) bool
	// mayWithhold reports whether that may be so of what comes next, by what is known.
	mayWithhold() bool
	// gap takes in that bytes were lost in which there may be heads, of which
	// nothing is told.
	gap()
}

type messageState uint8

const (
	stateStart      messageState = iota // before a message
	stateHead                           // in a head
	stateSkipHead                       // in the rest of a head that is too large
	stateBody                           // in a body of known length
	stateChunkSize                      // in the line before a chunk
	stateChunk                          // in a chunk
	stateChunkEnd                       // in the line end behind a chunk
	stateTrailer                        // behind the last chunk
	stateUntilClose                     // in a body that ends with the connection
	stateLost                           // the place in the stream is lost
	stateIgnore                         // this is not, or no longer, HTTP/1
)

// framing says how long a message's body is (RFC 9112, section 6.3).
type framing struct {
	kind   bodyKind
	length int64
}

type bodyKind uint8

const (
	bodyNone bodyKind = iota
	bodyLength
	bodyChunked
	bodyUntilClose
	bodyTunnel // not HTTP/1 from here on
)

// feed reads the next bytes of the stream, from one segment, whose origin moves along.
func (r *messageReader) feed(c *chunk) {
	at, data := &c.origin, c.data
	if r.state == stateLost && r.role().starts(data) {
		r.findPlace()
	}
	if r.role().bodyWithheld(at.seq, data) {
		r.withheld, r.state = r.remaining, stateStart
	}
	for len(data) > 0 {
		n := r.consume(data, at)
		data = data[n:]
		at.seq += uint32(n)
	}
}

// joinStart says that the stream begins with sequence number seq.
func (r *messageReader) joinStart(seq uint32) {
	r.dropBuffer()
	r.firstSeq, r.state, r.late = seq, stateStart, false
}

// joinLate says that the stream's beginning is not in the capture. atStart
// tells that a message seems to begin where it is joined.
func (r *messageReader) joinLate(atStart bool) {
	r.late = true
	r.loseTrack(imds.CaptureStart)
	if atStart {
		r.state = stateStart
	}
}

// consume reads some of data and returns how much.
func (r *messageReader) consume(data []byte, at *origin) int {
	switch r.state {
	case stateStart:
		return r.skipBlank(data, at)
	case stateHead:
		return r.collectHead(data)
	case stateSkipHead:
		return r.skipHead(data)
	case stateBody, stateChunk:
		return r.skipBody(data)
	case stateChunkSize, stateChunkEnd, stateTrailer:
		return r.collectLine(data, at)
	case stateLost:
		n := r.role().boundary(at.seq, data)
		if n == 0 {
			r.findPlace()
			return 0
		}
		return r.collectTail(data[:n], at)
	}
	return len(data)
}

// skipBlank skips the blank lines that may precede a message (RFC 9112,
// section 2.2).
func (r *messageReader) skipBlank(data []byte, at *origin) int {
	n := 0
	for n < len(data) && (data[n] == '\r' || data[n] == '\n') {
		n++
	}
	r.keep(at.seq, data[:n])
	if n < len(data) {
		r.first = *at
		r.first.seq += uint32(n)
		r.state = stateHead
	}
	return n
}

// collectHead reads a head, up to and including the blank line.
func (r *messageReader) collectHead(data []byte) int {
	if r.withheld > 0 && !beginsMethod(r.buffer, data) {
		return r.bodyAfterAll()
	}
	if len(r.buffer) == 0 {
		if end := headEnd(data, 0); end >= 0 && end <= maxHeadBytes {
			r.endHead(data[:end])
			return end
		}
	}
	n := min(len(data), maxHeadBytes-len(r.buffer))
	kept := len(r.buffer)
	if n == 0 || !r.flow.reserve(n) {
		r.giveUpHead(append(bytes.Clone(r.buffer), data[:n]...))
		return 0
	}
	r.buffer = append(r.buffer, data[:n]...)
	if end := headEnd(r.buffer, kept-2); end >= 0 {
		head := r.buffer[:end]
		r.dropBuffer()
		r.endHead(head)
		return end - kept
	}
	if r.saysMore(kept) && !r.role().plausible(r.buffer) {
		r.notAMessage()
	}
	return n
}

// saysMore reports whether what is behind the first bytes of the buffer says more of whether that
// is the beginning of a head: a method's length and the end of the first line do.
func (r *messageReader) saysMore(kept int) bool {
	ends := !r.lineRead && bytes.IndexByte(r.buffer[kept:], '\n') >= 0
	r.lineRead = r.lineRead || ends
	return kept <= maxMethodBytes || ends
}

// headEnd returns the index behind the blank line that ends a head, or -1.
// Lines end with CRLF or, from lenient senders, LF (RFC 9112, section 2.2).
func headEnd(data []byte, from int) int {
	for i := max(0, from); ; {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n + 1
		switch rest := data[i:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2
		}
	}
}

func (r *messageReader) endHead(head []byte) {
	frame, ok := r.role().complete(head)
	if !ok {
		r.notAMessage()
		return
	}
	r.withheld = 0
	r.found = true
	r.keepHead(head, true)
	r.beginBody(frame)
}

// giveUpHead reports a head that is too large by its beginning. What of it is not
// in the buffer is still to be passed over.
func (r *messageReader) giveUpHead(head []byte) {
	if !r.role().partial(head, imds.HeadersTooLarge) {
		r.missForRoom()
	}
	r.found = true
	r.keepHead(head, false)
	last := lastBytes(r.buffer)
	r.dropBuffer()
	r.buffer, r.state = last, stateSkipHead
}

// lastBytes are those with which a head's end may begin: it has three bytes at most, the
// last line's LF and a blank line.
func lastBytes(head []byte) []byte { return bytes.Clone(head[max(0, len(head)-2):]) }

// skipHead looks for the end of a head that is too large. The last bytes are
// kept, because the blank line may be split.
func (r *messageReader) skipHead(data []byte) int {
	kept := len(r.buffer)
	window := append(r.buffer, data...)
	if end := headEnd(window, 0); end >= 0 {
		r.buffer = nil
		r.reported = true
		r.state = stateStart
		r.doubtBody()
		return end - kept
	}
	r.buffer = lastBytes(window)
	return len(data)
}

// collectTail looks for the end of a head whose beginning was lost. Heads
// themselves are found at the beginning of a segment, by feed.
func (r *messageReader) collectTail(data []byte, at *origin) int {
	if len(r.buffer) == 0 {
		r.first = *at
	}
	kept := len(r.buffer)
	if kept+len(data) > maxTailBytes || !r.flow.reserve(len(data)) {
		r.dropBuffer()
		return len(data)
	}
	r.buffer = append(r.buffer, data...)
	end := headEnd(r.buffer, kept-2)
	if end < 0 {
		return len(data)
	}
	tail := r.buffer[:end]
	r.dropBuffer()
	frame, ok := r.role().tail(tail)
	if !ok {
		return len(data)
	}
	r.found = true
	r.beginBody(frame)
	r.doubtBody()
	return end - kept
}

// end says that no more bytes will come, and why.
func (r *messageReader) end(reason imds.Incomplete) {
	switch r.state {
	case stateHead:
		r.role().partial(r.buffer, reason)
		r.keepHead(r.buffer, false)
	case stateLost:
		r.endGap()
	}
	r.discard()
}

// discard stops reading.
func (r *messageReader) discard() {
	r.dropBuffer()
	r.state = stateIgnore
}

// dropBuffer gives the buffer back. A slice of it stays good until the next
// byte is collected.
func (r *messageReader) dropBuffer() {
	if r.state != stateSkipHead {
		r.flow.analyzer.budget.give(len(r.buffer))
	}
	r.buffer, r.lineRead = nil, false
}
