package output

import (
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259, section 7). What is not
// UTF-8 becomes U+FFFD, and what is not for showing is escaped, so that a line
// of the log does nothing to a terminal.
func appendString(line []byte, s string) []byte {
	line = append(line, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if isPlain(c) {
			i++
			continue
		}
		line = append(line, s[start:i]...)
		size := 1
		if c < utf8.RuneSelf {
			line = appendEscaped(line, c)
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			line = appendRune(line, r)
		}
		i += size
		start = i
	}
	line = append(line, s[start:]...)
	return append(line, '"')
}

// isPlain reports whether a character stands in a JSON string as it is.
func isPlain(c byte) bool {
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\'
}

func appendEscaped(line []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(line, '\\', c)
	case '\n':
		return append(line, `\n`...)
	case '\r':
		return append(line, `\r`...)
	case '\t':
		return append(line, `\t`...)
	}
	return appendUnit(line, uint16(c))
}

// appendRune appends a character outside ASCII, escaped in UTF-16 if it is not
// for showing.
func appendRune(line []byte, r rune) []byte {
	const surrogates = 0x10000
	switch {
	case isShown(r):
		return utf8.AppendRune(line, r)
	case r < surrogates:
		return appendUnit(line, uint16(r))
	}
	r -= surrogates
	return appendUnit(appendUnit(line, uint16(0xd800+r>>10)), uint16(0xdc00+r&0x3ff))
}

func appendUnit(line []byte, u uint16) []byte {
	return append(line, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&0xf], hexDigits[u>>4&0xf], hexDigits[u&0xf])
}

// isShown reports whether a character shows itself and does nothing else.
// Control characters, those that change the direction of text, and blanks
// other than the usual one are not of that kind.
func isShown(r rune) bool { return unicode.IsPrint(r) }

// Sanitize makes text from the wire or from a process fit for a terminal: one
// line on which each character only shows itself. Others, and what is not
// UTF-8, become U+FFFD.
func Sanitize(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return sanitize(s)
		}
	}
	return s
}

func sanitize(s string) string {
	shown := make([]byte, 0, len(s))
	for _, r := range s {
		if !isShown(r) {
			r = utf8.RuneError
		}
		shown = utf8.AppendRune(shown, r)
	}
	return string(shown)
}
