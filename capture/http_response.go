package capture

import (
	"bytes"

	"imds-analyzer/imds"
)

// responseReader reads the responses of a connection.
type responseReader struct {
	messageReader
	// headEnd is where the last head ends, and begun where the interim responses begin that
	// end there: there, too, if it is of no interim one.
	begun, headEnd uint32
}

// statusPrefix begins every response's head (RFC 9112, section 4).
var statusPrefix = []byte("HTTP/1.")

func (r *responseReader) plausible(data []byte) bool {
	n := min(len(data), len(statusPrefix))
	return bytes.Equal(data[:n], statusPrefix[:n])
}

func (r *responseReader) starts(data []byte) bool {
	_, ok := parseStatus(data)
	return ok
}

// parseStatus reads the status code from the beginning of a status line:
// HTTP/1.x, a blank, three digits.
func parseStatus(data []byte) (int, bool) {
	const size = len("HTTP/1.1 200")
	if len(data) < size || !bytes.HasPrefix(data, statusPrefix) || data[8] != ' ' {
		return 0, false
	}
	if len(data) > size && data[size] != ' ' && data[size] != '\r' && data[size] != '\n' {
		return 0, false
	}
	status := 0
	for _, c := range data[9:size] {
		if c < '0' || c > '9' {
			return 0, false
		}
		status = status*10 + int(c-'0')
	}
	return status, status >= 100
}

func (r *responseReader) complete(head []byte) (framing, bool) {
	status, ok := parseStatus(head)
	if !ok {
		return framing{}, false
	}
	if status < 200 && status != 101 {
		r.begun, r.headEnd, r.unsure = r.begin(), r.first.seq+uint32(len(head)), false
		return framing{kind: bodyNone}, true // the final one follows
	}
	read := r.flow.analyzer.heads.response(head, &r.flow.analyzer.words)
	method := r.report(status, read.server)
	frame := responseFraming(method, status, &read.body)
	if frame.kind == bodyTunnel {
		r.flow.ignore()
	}
	r.headEnd = r.first.seq + uint32(len(head))
	r.begun, r.unsure = r.headEnd, method == "" && frame.kind != bodyNone
	if r.unsure { // where there is none, others are in its place
		r.flow.exchange.hidden = true
	}
	return frame, true
}

// begin is where the response begins, with the interim ones before it.
func (r *responseReader) begin() uint32 {
	if r.headEnd == r.first.seq {
		return r.begun
	}
	return r.first.seq
}

// responseFraming applies the rules of RFC 9112, section 6.3.
func responseFraming(method string, status int, body *bodyFields) framing {
	switch {
	case status == 101, method == "CONNECT" && status < 300:
		return framing{kind: bodyTunnel}
	case method == "HEAD", status == 204, status == 304:
		return framing{kind: bodyNone}
	}
	return body.framing(bodyUntilClose)
}

// report hands a response over, and returns the method of its request.
func (r *responseReader) report(status int, server string) string {
	response := imds.Response{Time: r.first.time, Status: status, HopLimit: r.first.hopLimit, Server: server}
	requests := &r.flow.requests
	begun := requests.state == stateHead && (!r.first.hasAck || before(requests.first.seq, r.first.ack))
	return r.flow.exchange.response(r.flow, &r.first, r.begin(), response, begun)
}

// partial reports a response of which at least the status was seen.
func (r *responseReader) partial(head []byte, _ imds.Incomplete) bool {
	status, ok := parseStatus(head)
	if ok && (status >= 200 || status == 101) {
		r.report(status, readResponseHead(head, &r.flow.analyzer.words).server)
	}
	return ok
}

// boundary is where the client was when it sent a request that waits: there
// the answer begins.
func (r *responseReader) boundary(seq uint32, data []byte) int {
	for i := range r.flow.exchange.pending {
		if at := int(int32(r.flow.exchange.pending[i].ack - seq)); at >= 0 && at < len(data) {
			return at
		}
	}
	return len(data)
}

// gap is of no account: a request whose answer was lost is told without.
func (r *responseReader) gap() {}

// mayWithhold is of no account: that there may be others is known from where the head was read.
func (r *responseReader) mayWithhold() bool { return false }

// bodyWithheld reports whether the response may be one to HEAD, which has no body: another one
// is in its place.
func (r *responseReader) bodyWithheld(seq uint32, data []byte) bool {
	if !r.unsure || seq != r.headEnd {
		return false
	}
	r.unsure = false
	if !r.starts(data) {
		return false
	}
	r.remaining = 0
	return true
}

// tail finds nothing: without its status a response says nothing.
func (r *responseReader) tail([]byte) (framing, bool) { return framing{}, false }
