package capture

import (
	"bytes"
	"strings"

	"imds-analyzer/imds"
)

// maxMethodBytes is longer than any registered method (UPDATEREDIRECTREF, 17).
const maxMethodBytes = 32

// headLines splits a head into its first line and its fields.
type headLines struct {
	first []byte
	rest  []byte
	// whole is true if the first line's end was seen.
	whole bool
}

func splitHead(head []byte) headLines {
	first, rest, whole := cutLine(head)
	return headLines{first: first, rest: rest, whole: whole}
}

// trimCR takes off a line the CR that stood before its LF.
func trimCR(line []byte) []byte {
	if last := len(line) - 1; last >= 0 && line[last] == '\r' {
		return line[:last]
	}
	return line
}

// field is a header field. cut is true if the capture does not hold its end.
type field struct {
	name    string // in small letters; empty if it is none of knownFields
	spelled []byte // the name as it was sent
	value   []byte
	cut     bool
}

// knownFields are those that say something about a call or its body.
var knownFields = [...]string{
	imds.TokenField, imds.TokenTTLField, "x-forwarded-for", "host", "user-agent",
	"expect", "content-length", "content-type", "transfer-encoding", "server",
}

// knownField returns a field's name as it is listed, empty if it is not.
func knownField(name []byte) string {
	for _, known := range knownFields {
		if len(known) == len(name) && isSpelled(known, name) {
			return known
		}
	}
	return ""
}

// isSpelled reports whether a text of the same length is the name, which is in small
// letters, in letters of any size.
func isSpelled(name string, text []byte) bool {
	for i := range len(name) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// fieldReader reads the fields of a head, one after the other (RFC 9112, section 5). A
// folded value is joined with a blank (section 5.2). Blanks around the name are not part
// of it, as lenient servers have it.
type fieldReader struct {
	field
	rest []byte // what is yet to be read
}

// next reads the next field. It reports false behind the last one.
func (r *fieldReader) next() bool {
	for len(r.rest) > 0 {
		line, rest, whole := cutLine(r.rest)
		if len(line) == 0 && whole {
			return false
		}
		colon := bytes.IndexByte(line, ':')
		value, rest, whole := unfold(line[colon+1:], rest, whole)
		r.rest = rest
		if colon < 0 {
			continue
		}
		r.spelled = trimBlanks(line[:colon])
		r.name, r.value, r.cut = knownField(r.spelled), trimBlanks(value), !whole
		return true
	}
	return false
}

// cutLine returns the first line, without its end, and what follows it.
func cutLine(data []byte) (line, rest []byte, whole bool) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		return trimCR(data), nil, false
	}
	return trimCR(data[:end]), data[end+1:], true
}

// trimBlanks is bytes.TrimSpace for what most often has one blank before it or none.
func trimBlanks(text []byte) []byte {
	if len(text) > 0 && text[0] == ' ' {
		text = text[1:]
	}
	if len(text) > 0 && '!' <= text[0] && text[0] <= '~' && '!' <= text[len(text)-1] && text[len(text)-1] <= '~' {
		return text
	}
	return bytes.TrimSpace(text)
}

// unfold joins a value with the continuation lines that follow it.
func unfold(value, rest []byte, whole bool) (joined, after []byte, ended bool) {
	if !whole || !isContinued(rest) {
		return value, rest, whole
	}
	joined = bytes.Clone(bytes.TrimSpace(value))
	for whole && isContinued(rest) {
		var line []byte
		line, rest, whole = bytes.Cut(rest, []byte{'\n'})
		joined = append(append(joined, ' '), bytes.TrimSpace(line)...)
	}
	return joined, rest, whole
}

// isContinued reports whether the next line belongs to the field before it.
func isContinued(rest []byte) bool {
	return len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t')
}

// isToken reports whether data is a token (RFC 9110, section 5.6.2), as
// methods and field names are.
func isToken(data []byte) bool {
	for _, c := range data {
		if !isTokenChar(c) {
			return false
		}
	}
	return len(data) > 0
}

func isTokenChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// bodyFields are the fields that frame a message's body.
type bodyFields struct {
	length    int64
	hasLength bool
	chunked   bool
}

// visit takes in a field, if it is one of them.
func (b *bodyFields) visit(f *field) {
	switch f.name {
	case "content-length":
		if n, ok := parseLength(string(f.value)); ok && !b.hasLength && !f.cut {
			b.length, b.hasLength = n, true
		}
	case "transfer-encoding":
		codings := strings.Split(strings.ToLower(string(f.value)), ",")
		b.chunked = strings.TrimSpace(codings[len(codings)-1]) == "chunked"
	}
}

// parseLength reads a Content-Length, also in the form of a list of equal
// values that joined duplicates take (RFC 9110, section 8.6).
func parseLength(value string) (int64, bool) {
	const maxDigits = 18 // below 2^63
	value, _, _ = strings.Cut(value, ",")
	value = strings.TrimSpace(value)
	if value == "" || len(value) > maxDigits {
		return 0, false
	}
	n := int64(0)
	for _, c := range []byte(value) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// framing says how the body is framed if nothing but the fields decides.
func (b *bodyFields) framing(otherwise bodyKind) framing {
	switch {
	case b.chunked:
		return framing{kind: bodyChunked}
	case b.hasLength:
		return framing{kind: bodyLength, length: b.length}
	}
	return framing{kind: otherwise}
}
