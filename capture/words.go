package capture

import (
	"strings"

	"imds-analyzer/imds"
)

// words remembers the texts that messages bring again and again: paths, the
// names of clients. To look for secrets in a text takes much longer than to
// find that it was looked at before, and it is in memory once.
//
// Only texts in which there was no secret are remembered.
type words struct{ clean map[string]string }

// maxWords and maxWordBytes bound what is remembered: 256 KiB. When it is full,
// all is forgotten, which costs no more than looking at each text.
const (
	maxWords     = 1 << 10
	maxWordBytes = 256
)

// redacted returns the text with what looks like a secret redacted.
func (w *words) redacted(text []byte) string {
	if known, ok := w.clean[string(text)]; ok {
		return known
	}
	raw := string(text)
	if shown := imds.Redact(raw); shown != raw {
		return shown
	}
	w.remember(raw)
	return raw
}

// isClean reports whether no secret is in the text.
func (w *words) isClean(text []byte) bool { return w.redacted(text) == string(text) }

// long returns the redacted text, of which the end is cut off beyond maxTextBytes.
func (w *words) long(text []byte) string {
	shown := w.redacted(text)
	if len(shown) <= maxTextBytes {
		return shown
	}
	return strings.ToValidUTF8(shown[:maxTextBytes], "") + "…" // a copy: the rest is not kept
}

// short returns the beginning of the redacted text, in no more than maxWordBytes.
func (w *words) short(text []byte) string {
	shown := w.redacted(text)
	if len(shown) <= maxWordBytes {
		return shown
	}
	return strings.Clone(shown[:maxWordBytes])
}

func (w *words) remember(text string) {
	if len(text) > maxWordBytes {
		return
	}
	if w.clean == nil || len(w.clean) >= maxWords {
		w.clean = make(map[string]string)
	}
	w.clean[text] = text
}
