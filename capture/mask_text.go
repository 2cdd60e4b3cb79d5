package capture

import (
	"bytes"
	"slices"

	"imds-analyzer/imds"
)

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
	if r.flow.saving == nil {
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
	request, whole := parseRequestLine(text)
	ok := whole
	if !ok && len(text) == len(line) {
		request, ok = parsePartialLine(text)
	}
	switch _, isStatus := parseStatus(line); {
	case isStatus:
		const size = len("HTTP/1.1 200")
		r.keep(r.first.seq, line[:size])
		r.keepBlanks(r.first.seq+uint32(size), line[size:])
	case ok:
		r.keepRequestLine(line, request.target, whole)
	default:
		r.keepBlanks(r.first.seq, line)
	}
}

// keepRequestLine keeps a request line. Behind the target of one that is not whole there may be
// more of that, as careless clients send blanks in it.
func (r *messageReader) keepRequestLine(line, target []byte, whole bool) {
	keep := func(from, to int) { r.keep(r.first.seq+uint32(from), line[from:to]) }
	blank := bytes.IndexByte(line, ' ')
	shown := shownMethod(string(line[:blank]))
	hidden := blank - len(shown)
	words := &r.flow.analyzer.words
	keep(hidden, hidden+words.cleanLength([]byte(shown)))
	keep(blank, blank+1)
	if len(target) == 0 {
		return // what there is of it may be cut inside of a secret
	}
	from := blank + 1 + bytes.Index(line[blank+1:], target)
	to := from + len(target)
	keep(from, from+words.cleanLength(target))
	if whole {
		keep(to, len(line))
	} else {
		r.keepBlanks(r.first.seq+uint32(to), line[to:])
	}
}

// cleanLength returns the length of the part of a target that holds no secret: all
// of it, its path, or nothing.
func (w *words) cleanLength(target []byte) int {
	if w.isClean(target) {
		return len(target)
	}
	if path := bytes.IndexByte(target, '?'); path > 0 && w.isClean(target[:path]) {
		return path + 1
	}
	return 0
}

// numberFields and harmlessFields name those of which the value is saved if it is a number, and
// if it holds no secret: they say how the message is framed, who sent it, and how long a token
// is to live.
var (
	numberFields   = [...]string{imds.TokenTTLField, "content-length"}
	harmlessFields = [...]string{
		"host", "user-agent", "accept", "accept-encoding", "connection", "content-type",
		"transfer-encoding", "expect", "upgrade", "x-forwarded-for", "server", "date", "last-modified",
	}
)

// isHarmless reports whether a field's value is saved.
func (w *words) isHarmless(name, value []byte) bool {
	is := func(known string) bool { return len(known) == len(name) && isSpelled(known, name) }
	return slices.ContainsFunc(numberFields[:], is) && len(bytes.Trim(value, "0123456789 \t\r\n")) == 0 ||
		slices.ContainsFunc(harmlessFields[:], is) && w.isClean(value)
}

// keepField keeps a field's name, and its value if that is harmless and whole.
func (r *messageReader) keepField(field []byte, seq uint32, whole bool) {
	name, value, found := bytes.Cut(field, []byte{':'})
	words := &r.flow.analyzer.words
	shown := 0
	if found && isToken(bytes.TrimSpace(name)) && words.isClean(name) {
		shown = len(name) + 1
		if whole && words.isHarmless(bytes.TrimSpace(name), value) {
			shown = len(field)
		}
	}
	r.keep(seq, field[:shown])
	r.keepBlanks(seq+uint32(shown), field[shown:])
}
