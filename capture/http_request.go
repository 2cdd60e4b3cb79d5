package capture

import (
	"bytes"
	"strconv"
	"strings"

	"imds-analyzer/imds"
)

// requestReader reads the requests of a connection.
type requestReader struct {
	messageReader
	// expects is true while the body of a request that asked for a 100
	// (Continue) has not begun.
	expects bool
}

func (r *requestReader) init(f *flow) { r.flow, r.role = f, r }

// bodyWithheld reports whether reader is r and the body that the last head
// announced may not come: its sender asked for a 100 (Continue) and was given
// a final response instead (RFC 9110, section 10.1.1).
func (r *requestReader) bodyWithheld(reader *messageReader) bool {
	inBody := r.state == stateBody || r.state == stateChunkSize && len(r.buffer) == 0
	return reader == &r.messageReader && r.expects && inBody && len(r.flow.exchange.pending) == 0
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
	if _, ok := parseRequestLine(lines.first); ok || lines.whole {
		return ok
	}
	method, target, _ := bytes.Cut(lines.first, []byte{' '})
	return isKnownMethod(method) && (bytes.HasPrefix(target, []byte("/")) || bytes.HasPrefix(target, []byte("http://")))
}

// isKnownMethod reports whether the method is one that HTTP itself defines
// (RFC 9110, section 9; RFC 5789).
func isKnownMethod(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return true
	}
	return false
}

// requestLine is a request's first line (RFC 9112, section 3).
type requestLine struct{ method, target, proto string }

func parseRequestLine(line []byte) (requestLine, bool) {
	line = bytes.TrimRight(line, "\r ")
	method, rest, _ := bytes.Cut(line, []byte{' '})
	last := bytes.LastIndexByte(rest, ' ')
	if !isToken(method) || len(method) > maxMethodBytes || last < 0 {
		return requestLine{}, false
	}
	target := bytes.Trim(rest[:last], " ")
	proto, ok := parseProto(rest[last+1:])
	if !ok || len(target) == 0 {
		return requestLine{}, false
	}
	return requestLine{method: string(method), target: string(target), proto: proto}, true
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
	lines := splitHead(head)
	line, ok := parseRequestLine(lines.first)
	if !ok {
		return framing{}, false
	}
	frame := r.report(line, lines.rest, "")
	return frame, true
}

// report hands a request over and returns how its body is framed.
func (r *requestReader) report(line requestLine, rest []byte, reason imds.Incomplete) framing {
	request := imds.Request{
		Time:       r.first.time,
		Method:     line.method,
		Target:     imds.Redact(line.target),
		Proto:      line.proto,
		Incomplete: reason,
	}
	var body bodyFields
	r.expects = false
	fields(rest, func(f field) {
		body.visit(f)
		r.expects = r.expects || f.name == "expect" && strings.EqualFold(f.value, "100-continue")
		describe(&request, f)
	})
	r.flow.exchange.request(r.flow, pendingCall{request: request, origin: r.first})
	return body.framing(bodyNone)
}

// describe takes into the request what a field says of it.
func describe(request *imds.Request, f field) {
	switch f.name {
	case imds.TokenField:
		request.TokenHeader = true
	case imds.TokenTTLField:
		request.TTLHeader = true
		if seconds, err := strconv.Atoi(f.value); err == nil && seconds > 0 && !f.cut {
			request.TTLSeconds = seconds
		}
	case "x-forwarded-for":
		request.ForwardedFor = true
	case "host":
		if request.Host == "" && !f.cut {
			request.Host = imds.Redact(f.value)
		}
	case "user-agent":
		if request.UserAgent == "" && !f.cut {
			request.UserAgent = imds.Redact(f.value)
		}
	}
}

// partial reports a request of which the beginning was seen. Of an unfinished
// request line only the method counts: the target may go on.
func (r *requestReader) partial(head []byte, reason imds.Incomplete) {
	lines := splitHead(head)
	line, ok := parseRequestLine(lines.first)
	if !ok {
		method, _, found := bytes.Cut(lines.first, []byte{' '})
		if lines.whole || !found || !isKnownMethod(method) {
			return
		}
		line = requestLine{method: string(method)}
	}
	r.report(line, lines.rest, reason)
}

// tail reports a request of which only the end of the head was seen, unless
// its beginning was reported or it only looks like one.
func (r *requestReader) tail(tail []byte) (framing, bool) {
	if lines := splitHead(tail); r.reason != "" {
		if line, ok := parseRequestLine(lines.first); ok {
			return r.report(line, lines.rest, ""), true // it came in small pieces
		}
		if endsHead(lines.rest) {
			return r.reportTail(lines.rest), true
		}
	}
	return framing{}, false
}

// endsHead reports whether all lines up to the blank one are header fields,
// and there is one.
func endsHead(rest []byte) bool {
	lines := 0
	for _, line := range bytes.Split(bytes.TrimRight(rest, "\r\n"), []byte{'\n'}) {
		name, _, ok := bytes.Cut(line, []byte{':'})
		if folded := len(line) > 0 && (line[0] == ' ' || line[0] == '\t'); !folded && !(ok && isToken(bytes.TrimRight(name, " \t"))) {
			return false
		}
		lines++
	}
	return lines > 0
}

func (r *requestReader) reportTail(rest []byte) framing {
	if !r.reported {
		return r.report(requestLine{}, rest, r.reason)
	}
	var body bodyFields
	fields(rest, body.visit)
	return body.framing(bodyNone)
}
