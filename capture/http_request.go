package capture

import (
	"bytes"
	"slices"
	"strings"

	"imds-analyzer/imds"
)

// requestReader reads the requests of a connection.
type requestReader struct {
	messageReader
	// announced is the length of the body for which the last request asked for a
	// 100 (Continue), expects is true if it has.
	announced int64
	expects   bool
	// version is that of the last request, as far as it was seen, which begins at begunAt;
	// paired is true once it was given its response.
	version imds.Version
	paired  bool
	begunAt uint32
}

// bodyWithheld reports whether the body that the last head announced may not
// come: its sender asked for a 100 (Continue), and was given a final response
// instead (RFC 9110, section 10.1.1).
func (r *requestReader) bodyWithheld(_ uint32, data []byte) bool {
	if !r.expects || !r.mayBeAnswered() {
		return false
	}
	switch r.state {
	case stateBody:
		r.expects = false
		return r.remaining == r.announced && beginsMethod(nil, data)
	case stateChunkSize:
		return len(r.buffer) == 0 && r.starts(data)
	}
	return false
}

// mayWithhold reports whether the body that the last head announced may not come.
func (r *requestReader) mayWithhold() bool {
	return r.expects && r.state == stateBody && r.remaining == r.announced && r.mayBeAnswered()
}

// mayBeAnswered reports whether the last request may have its answer: it has, or there may be
// one among what was lost, or among what its client has acknowledged and was not read.
func (r *requestReader) mayBeAnswered() bool {
	x, st := &r.flow.exchange, &r.flow.streams[down]
	return len(x.pending) == 0 || x.hidden || st.known && st.hasAcked && before(st.next, st.acked)
}

// minRequestBytes is the length of the shortest request, "GET / HTTP/1.0" and two line ends.
const minRequestBytes = 16

// gap counts that the capture lacks bytes that may have held requests.
func (r *requestReader) gap() { r.flow.analyzer.stats.RequestGaps++ }

// boundary is where the service was when it answered: there the next request begins, unless
// its client sends requests before it has the answers to earlier ones.
func (r *requestReader) boundary(seq uint32, data []byte) int {
	at := int(int32(r.flow.exchange.answeredAt - seq))
	if r.flow.exchange.answered && at >= 0 && at < len(data) && beginsMethod(nil, data[at:]) {
		return at
	}
	return len(data)
}

func (r *requestReader) plausible(data []byte) bool {
	line, _, whole := bytes.Cut(data, []byte{'\n'})
	if whole {
		_, ok := parseRequestLine(line)
		return ok
	}
	method, _, _ := bytes.Cut(data, []byte{' '})
	return isToken(method) && len(method) <= maxMethodBytes
}

func (r *requestReader) starts(data []byte) bool {
	lines := splitHead(data)
	if line, ok := parseRequestLine(lines.first); ok || lines.whole {
		// Another method may be the rest of a body and a method behind it.
		return ok && isKnownMethod([]byte(line.method))
	}
	method, target, _ := bytes.Cut(lines.first, []byte{' '})
	return isKnownMethod(method) && (bytes.HasPrefix(target, []byte("/")) || bytes.HasPrefix(target, []byte("http://")))
}

// knownMethods are those that HTTP itself defines (RFC 9110, section 9; RFC 5789).
var knownMethods = [...]string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// methodName is the method as text, which is there already for known ones.
func methodName(method []byte) string {
	for _, known := range knownMethods {
		if string(method) == known {
			return known
		}
	}
	return string(method)
}

// shownMethod is the end of the method that is none of what is in front of it: the rest of a body
// or of a target with blanks, which the capture begins in or no head has announced. It is empty if
// that may be all. No registered method ends in one of HTTP's own but two (RFC 3648; RFC 4918),
// and all are in capitals.
func shownMethod(method string) string {
	for _, known := range knownMethods {
		if strings.HasSuffix(method, known) && method != "ORDERPATCH" && method != "PROPPATCH" || strings.EqualFold(method, known) {
			return method[len(method)-len(known):]
		}
	}
	if strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return ""
	}
	return method
}

func isKnownMethod(method []byte) bool { return slices.Contains(knownMethods[:], string(method)) }

// beginsMethod reports whether what was collected and what comes next can be
// the beginning of a request with a method that is known.
func beginsMethod(collected, next []byte) bool {
	begin := append(bytes.Clone(collected[:min(len(collected), maxMethodBytes)]), next[:min(len(next), maxMethodBytes)]...)
	method, _, ended := bytes.Cut(begin, []byte{' '})
	if ended {
		return isKnownMethod(method)
	}
	for _, known := range knownMethods {
		if bytes.HasPrefix([]byte(known), method) {
			return true
		}
	}
	return false
}

// requestLine is a request's first line (RFC 9112, section 3).
type requestLine struct {
	method string
	target []byte
	proto  string
}

func parseRequestLine(line []byte) (requestLine, bool) {
	line = bytes.TrimRight(line, "\r ")
	method, rest, _ := bytes.Cut(line, []byte{' '})
	last := bytes.LastIndexByte(rest, ' ')
	if !isToken(method) || len(method) > maxMethodBytes || last < 0 {
		return requestLine{}, false
	}
	target := bytes.Trim(rest[:last], " ")
	proto, ok := parseProto(rest[last+1:])
	if !ok || !isTarget(target) {
		return requestLine{}, false
	}
	return requestLine{method: methodName(method), target: target, proto: proto}, true
}

// isTarget reports whether data can be a request target. One that holds blanks,
// as careless clients send it, has to begin like one.
func isTarget(data []byte) bool {
	if bytes.IndexByte(data, ' ') < 0 {
		return len(data) > 0
	}
	return bytes.HasPrefix(data, []byte("/")) || bytes.HasPrefix(data, []byte("http://"))
}

// parseProto reads HTTP/1.x. Other versions have other framing.
func parseProto(data []byte) (string, bool) {
	proto, ok := bytes.CutPrefix(data, []byte("HTTP/"))
	if !ok || len(proto) != 3 || proto[0] != '1' || proto[1] != '.' || proto[2] < '0' || proto[2] > '9' {
		return "", false
	}
	return string(proto), true
}

func (r *requestReader) complete(head []byte) (framing, bool) {
	read, ok := r.flow.analyzer.heads.request(head, &r.flow.analyzer.words)
	if !ok {
		return framing{}, false
	}
	return r.handOver(read), true
}

// report hands over the request of a head that was not seen whole, or came in pieces, and
// returns how its body is framed.
func (r *requestReader) report(line requestLine, rest []byte, reason imds.Incomplete) framing {
	head := readRequestHead(line, rest, reason, &r.flow.analyzer.words)
	return r.handOver(&head)
}

// handOver hands a request over and returns how its body is framed. All of the head is taken
// before: where others make room for the request, theirs are read, and head may become one.
func (r *requestReader) handOver(head *requestHead) framing {
	body := head.body.framing(bodyNone)
	p := pendingCall{request: head.request, seq: r.first.seq, ack: r.first.ack, hasAck: r.first.hasAck, noted: r.first.noted}
	p.request.Time, p.request.Note = r.first.time, r.first.note
	r.markBegun()
	r.expects = head.request.ExpectContinue
	r.announced, r.version, r.begunAt, r.paired = head.body.length, head.request.Version(), p.seq, false
	r.flow.exchange.request(r.flow, &p)
	return body
}

// proven reports whether what was lost belongs to a head whose beginning says
// that it is version 2.
func (r *requestReader) proven() bool { return r.reported && r.version == imds.V2 }

// partial reports a request of which the beginning was seen.
func (r *requestReader) partial(head []byte, reason imds.Incomplete) bool {
	r.version = imds.VersionUnknown
	lines := splitHead(head)
	line, ok := parseRequestLine(lines.first)
	if !ok && !lines.whole {
		line, ok = parsePartialLine(lines.first)
	}
	switch {
	case ok:
		r.report(line, lines.rest, reason)
	case beginsMethod(nil, head):
		return false
	case !r.late && !r.found:
		r.flow.markNotHTTP()
	}
	return true
}

// parsePartialLine reads an unfinished request line. A target that is not
// followed by a blank may go on, and is not told.
func parsePartialLine(line []byte) (requestLine, bool) {
	method, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || !isKnownMethod(method) {
		return requestLine{}, false
	}
	target, _, ended := bytes.Cut(rest, []byte{' '})
	if !ended {
		target = nil
	}
	return requestLine{method: methodName(method), target: target}, true
}

// tail reports a request of which only the end of the head was seen, unless
// its beginning was reported or it only looks like one.
func (r *requestReader) tail(tail []byte) (framing, bool) {
	if lines := splitHead(tail); r.reason != imds.Whole {
		if line, ok := parseRequestLine(lines.first); ok && isKnownMethod([]byte(line.method)) {
			r.endGap()
			return r.report(line, lines.rest, imds.Whole), true // it came in small pieces
		}
		switch {
		case !endsHead(tail):
		case r.inBody: // or it is the trailer behind the last chunk
			r.endGap()
			return framing{}, true
		default:
			return r.reportTail(lines.rest), true
		}
	}
	return framing{}, false
}

// endsHead reports whether the tail is the end of a head: all lines are header
// fields but the first, which may be cut, and there is at least one.
func endsHead(tail []byte) bool {
	found := 0
	for i, line := range bytes.Split(bytes.TrimRight(tail, "\r\n"), []byte{'\n'}) {
		name, _, ok := bytes.Cut(line, []byte{':'})
		switch {
		case ok && isToken(bytes.TrimRight(name, " \t")):
			found++
		case i > 0 && !bytes.HasPrefix(line, []byte{' '}) && !bytes.HasPrefix(line, []byte{'\t'}):
			return false
		}
	}
	return found > 0
}

// isAnswered reports whether the request whose beginning was reported has its answer, which came
// before the service had the tail that was found: that is of another request.
func (r *requestReader) isAnswered() bool {
	x := &r.flow.exchange
	return r.paired && x.answered && !before(r.first.seq, x.answeredAt)
}

// pair takes note that a request is given its response.
func (r *requestReader) pair(p *pendingCall) { r.paired = p.seq == r.begunAt }

func (r *requestReader) reportTail(rest []byte) framing {
	if !r.reported || r.isAnswered() {
		return r.report(requestLine{}, rest, r.reason)
	}
	head := readRequestHead(requestLine{}, rest, r.reason, &r.flow.analyzer.words)
	r.expects, r.announced = head.request.ExpectContinue, head.body.length
	return head.body.framing(bodyNone)
}
