package capture

import (
	"cmp"
	"strconv"
	"strings"

	"imds-analyzer/imds"
)

// requestHead is what a request's head says, whoever has sent it and when.
type requestHead struct {
	request imds.Request // without its time and note
	body    bodyFields
}

// parseRequestHead reads a whole head. It reports false if it is none.
func parseRequestHead(head []byte, words *words) (requestHead, bool) {
	lines := splitHead(head)
	line, ok := parseRequestLine(lines.first)
	if !ok {
		return requestHead{}, false
	}
	return readRequestHead(line, lines.rest, imds.Whole, words), true
}

// readRequestHead reads what follows a head's first line.
func readRequestHead(line requestLine, rest []byte, reason imds.Incomplete, words *words) requestHead {
	head := requestHead{request: imds.Request{
		Method:     cmp.Or(shownMethod(line.method), redacted(line.method)),
		Target:     words.long(line.target),
		Proto:      line.proto,
		Incomplete: reason,
	}}
	shape := newShape()
	f := fieldReader{rest: rest}
	for f.next() {
		head.body.visit(&f.field)
		shape.visit(&f.field)
		head.describe(&f.field, words)
	}
	if reason == imds.Whole {
		head.request.Shape = uint64(shape)
	}
	return head
}

// redacted stands for a text, if there is one, of which all may be a secret.
func redacted(text string) string {
	if text == "" {
		return ""
	}
	return imds.Redacted
}

// describe takes into the request what a field says of it.
func (h *requestHead) describe(f *field, words *words) {
	request := &h.request
	switch f.name {
	case imds.TokenField:
		request.TokenHeader = true
		request.Token = max(request.Token, tokenValue(f))
	case imds.TokenTTLField:
		request.TTLHeader = true
		if seconds, err := strconv.Atoi(string(f.value)); err == nil && seconds > 0 && !f.cut {
			request.TTLSeconds = seconds
		}
	case "x-forwarded-for":
		request.ForwardedFor = true
		h.forwarded(f, words)
	case "expect":
		request.ExpectContinue = request.ExpectContinue || !f.cut && strings.EqualFold(string(f.value), "100-continue")
	case "host":
		if request.Host == "" && !f.cut {
			request.Host = words.long(f.value)
		}
	case "user-agent":
		if request.UserAgent == "" && !f.cut {
			request.UserAgent = words.long(f.value)
		}
	}
}

// forwarded adds a field's value to the list of clients, as several fields are one
// list (RFC 9110, section 5.3).
func (h *requestHead) forwarded(f *field, words *words) {
	known := &h.request.ForwardedClient
	if f.cut || len(f.value) == 0 || len(*known) >= maxWordBytes {
		return
	}
	client := words.short(f.value)
	if *known != "" {
		client = *known + ", " + client
	}
	*known = client[:min(len(client), maxWordBytes)]
}
