package capture

import (
	"bytes"
	"math"
)

// beginBody gets ready for what follows a head.
func (r *messageReader) beginBody(frame framing) {
	switch frame.kind {
	case bodyNone:
		r.state = stateStart
	case bodyLength:
		r.remaining, r.state = frame.length, stateBody
		if r.remaining == 0 {
			r.state = stateStart
		}
	case bodyChunked:
		r.state = stateChunkSize
	case bodyUntilClose:
		r.state = stateUntilClose
	case bodyTunnel:
		r.state = stateIgnore
	}
}

// passesOver reports whether the next n bytes, of which some may be missing, are of a body.
func (r *messageReader) passesOver(n int64) bool {
	switch r.state {
	case stateBody, stateChunk:
		return n <= r.remaining
	case stateUntilClose:
		return true
	}
	return false
}

func (r *messageReader) skipBody(data []byte) int {
	n := int(min(r.remaining, int64(len(data))))
	r.remaining -= int64(n)
	r.endBodyPart()
	return n
}

func (r *messageReader) endBodyPart() {
	if r.remaining > 0 {
		return
	}
	if r.state == stateChunk {
		r.state = stateChunkEnd
	} else {
		r.state = stateStart
	}
}

// collectLine reads a line of the chunked coding (RFC 9112, section 7.1).
func (r *messageReader) collectLine(data []byte, at *origin) int {
	n := bytes.IndexByte(data, '\n') + 1
	ended := n > 0
	if !ended {
		n = len(data)
	}
	if len(r.buffer) == 0 {
		r.lineSeq = at.seq
	}
	switch {
	case ended && len(r.buffer) == 0 && n <= maxLineBytes: // nothing of it has to be kept
		r.endLine(data[:n])
		return n
	case len(r.buffer)+n > maxLineBytes, !r.flow.reserve(n):
		r.loseForRoom()
		return len(data)
	}
	r.buffer = append(r.buffer, data[:n]...)
	if ended {
		line := r.buffer
		r.dropBuffer()
		r.endLine(line)
	}
	return n
}

func (r *messageReader) endLine(line []byte) {
	blank := len(bytes.TrimRight(line, "\r\n")) == 0
	if r.state == stateChunkSize {
		r.beginChunk(line)
		return
	}
	r.keepBlanks(r.lineSeq, line)
	switch {
	case r.state == stateTrailer && blank:
		r.state = stateStart
	case r.state == stateChunkEnd && blank:
		r.state = stateChunkSize
	case r.state == stateChunkEnd:
		r.loseInMessage()
	}
}

func (r *messageReader) beginChunk(line []byte) {
	size, ok := parseChunkSize(bytes.TrimRight(line, "\r\n"))
	if !ok {
		r.loseInMessage()
		return
	}
	r.keepChunkSize(r.lineSeq, line)
	switch {
	case size == 0:
		r.state = stateTrailer
	default:
		r.remaining, r.state = size, stateChunk
	}
}

// parseChunkSize reads a hexadecimal size; extensions may follow.
func parseChunkSize(line []byte) (int64, bool) {
	const maxDigits = 15 // below 2^63
	digits, _, _ := bytes.Cut(line, []byte{';'})
	digits = bytes.Trim(digits, " \t")
	if len(digits) == 0 || len(digits) > maxDigits {
		return 0, false
	}
	size := int64(0)
	for _, d := range digits {
		v := bytes.IndexByte([]byte("0123456789abcdef"), d|0x20)
		if v < 0 {
			return 0, false
		}
		size = size<<4 | int64(v)
	}
	return size, true
}

// unknownBody is the length of a body that what was not seen of a head may have announced.
const unknownBody = math.MaxInt64

// doubtBody says that a body may come before the next message, of which what was seen of the
// head tells nothing. A response is told from that by itself.
func (r *messageReader) doubtBody() {
	if r.state == stateStart && !r.isResponses() {
		r.withheld = unknownBody
	}
}

// bodyAfterAll goes back to reading a body: it was not withheld. What was
// collected is shorter than a method's name, and may yet be longer than it.
func (r *messageReader) bodyAfterAll() int {
	if r.withheld == unknownBody { // there may be requests behind it, up to where one is found
		r.role().gap()
		r.loseInMessage()
		return 0
	}
	collected := int64(len(r.buffer))
	r.dropBuffer()
	r.remaining, r.withheld, r.state = max(0, r.withheld-collected), 0, stateBody
	r.endBodyPart()
	return 0
}
