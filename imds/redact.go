package imds

import (
	"cmp"
	"slices"
	"strings"
)

// Redacted stands where a secret was.
const Redacted = "REDACTED"

// Redact returns s with Redacted in the place of each part that looks like a
// secret; the rest stays exactly as it is. It is meant for request targets,
// header values, arguments, command lines and words for people. What looks like
// a secret is the value of a name such as token or password, or of a flag that is
// called so, and what has the shape of an AWS credential or of a random string,
// however they are percent-encoded.
func Redact(s string) string {
	for range maxPasses {
		spans := secrets(s)
		if len(spans) == 0 {
			break
		}
		s = replace(s, spans)
	}
	return s
}

// maxPasses bounds the looks at one text. A second one finds nothing new
// unless the first has joined what stood apart.
const maxPasses = 4

// span is a part of a text, in bytes.
type span struct{ from, to int }

// secrets returns the spans of s that look like secrets, in order and apart
// from each other.
func secrets(s string) []span {
	plain := decode(s)
	names := index(plain)
	spans := namedSecrets(&names, nil)
	spans = flagSecrets(&names, spans)
	spans = shapedSecrets(plain, spans)
	if plain.from != nil {
		// Decoding can take a secret's first characters for the encoding of
		// another one, after a bare percent sign.
		spans = shapedSecrets(view{text: s}, spans)
	}
	spans = slices.DeleteFunc(spans, func(p span) bool { return s[p.from:p.to] == Redacted })
	if len(spans) < 2 {
		return spans
	}
	return join(spans)
}

// join sorts the spans and makes one of those that touch.
func join(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	joined := spans[:1]
	for _, next := range spans[1:] {
		if last := &joined[len(joined)-1]; next.from <= last.to {
			last.to = max(last.to, next.to)
		} else {
			joined = append(joined, next)
		}
	}
	return joined
}

func replace(s string, spans []span) string {
	var b strings.Builder
	rest := 0
	for _, p := range spans {
		b.WriteString(s[rest:p.from])
		b.WriteString(Redacted)
		rest = p.to
	}
	b.WriteString(s[rest:])
	return b.String()
}
