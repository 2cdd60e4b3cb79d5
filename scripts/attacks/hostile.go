package main

import (
	"strings"
	"unicode/utf8"
)

// mark stands before everything hostile, so that it is known where it comes out.
const mark = "h0stile"

// forged is a line that nobody has written.
const forged = `{"fake":1}`

// hostiles are what does something to a terminal, to a line of the log, or to a page that
// shows them as they are. None has a zero byte, as no name can.
func hostiles() []string {
	return []string{
		"\x1b]0;owned\a", "\x1b[2J", "\x1b[31m", "\x1b[1A\x1b[K", "\x1b[?7l", "\x1bPowned\x1b\\", "\x1b(0",
		"\b\b\b\bowned", "\rowned", "\n" + forged + "\n", "\r\n" + forged + "\r\n", "\v\f", "\x7f\x7f", "\x01\x1f",
		"\u009b31m", "\x9b31m", "\u0085" + forged, "\u2028" + forged, "\u2029" + forged,
		"\u202eowned", "\u2066owned", "\u200fowned", "\u061cowned", "\xff\xfe\xc3",
		"<img src=x onerror=owned()>", "</script><script>owned()</script>", "\"'><b onclick=owned()>x", "-->]]>&lt;b&gt;",
		"`owned`$(owned)", `","fake":"1`, `\u001b[2J`, "%1b[2J%0a" + forged, "\" 1\nowned_total 1",
	}
}

// hostile is one of them with the mark before it.
func hostile(i int) string {
	all := hostiles()
	return mark + all[i%len(all)]
}

// fileName makes it the name of a file, and headerValue what can stand in a header.
func fileName(text string) string { return strings.ReplaceAll(text, "/", "\u2215") }

func headerValue(text string) string {
	return strings.NewReplacer("\n", "\v", "\r", "\v").Replace(text)
}

// shortName is as much of it as a thread's name can have (TASK_COMM_LEN, prctl(2)).
func shortName(text string) string { return text[:min(15, len(text))] }

// unseen are characters that are no text: control characters but for tab and line feed,
// such as end a line elsewhere, and such as change the direction of text (UAX #9).
func unseen(r rune) bool {
	switch {
	case r == '\t', r == '\n':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029':
		return true
	}
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// plainFaults: text does nothing to a terminal, and has no line that was forged.
func plainFaults(text string) (faults []string) {
	if !utf8.ValidString(text) {
		faults = append(faults, "not UTF-8")
	}
	if i := strings.IndexFunc(text, unseen); i >= 0 {
		faults = append(faults, "control characters: "+quoteAround(text, i))
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), forged) {
			faults = append(faults, "a forged line")
			break
		}
	}
	return faults
}

// rawFaults: nothing hostile that a terminal acts on is there as it was given.
func rawFaults(text string) (faults []string) {
	for i, h := range hostiles() {
		if at := strings.Index(text, hostile(i)); at >= 0 && strings.ContainsFunc(h, unseenOrBreak) {
			faults = append(faults, "as it was given: "+quoteAround(text, at))
		}
	}
	return faults
}

func unseenOrBreak(r rune) bool { return r == '\n' || r == utf8.RuneError || unseen(r) }
