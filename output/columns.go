package output

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// columns is how much of a terminal's row a text takes. Terminals do not agree
// on all of Unicode: characters of ambiguous width count as one column, which is
// right outside of East Asian settings (Unicode Standard Annex #11), and a
// sequence of emoji as its parts.
func columns(s string) (n int) {
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns is 0 for marks, which go on the character before them.
func runeColumns(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// ambiguous is how many columns more a text takes where characters of ambiguous
// width are wide.
func ambiguous(s string) (n int) {
	for _, r := range s {
		if width.LookupRune(r).Kind() == width.EastAsianAmbiguous {
			n++
		}
	}
	return n
}

// cutEnd shortens s to that many columns; an ellipsis stands for the rest.
func cutEnd(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	return s[:head(s, n-1)] + "…"
}

// cutMiddle shortens s to that many columns, and leaves more of the beginning
// than of the end.
func cutMiddle(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	end := (n - 1) / 3
	return s[:head(s, n-1-end)] + "…" + s[tail(s, end):]
}

// head returns where the part of s ends that fits in so many columns.
func head(s string, n int) int {
	for i, r := range s {
		if n -= runeColumns(r); n < 0 {
			return i
		}
	}
	return len(s)
}

// tail returns where the part of s begins that fits in so many columns. It
// begins with no mark: that would go on the ellipsis.
func tail(s string, n int) int {
	start := len(s)
	for i := len(s); i > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
		taken := runeColumns(r)
		if n -= taken; n < 0 {
			break
		}
		if taken > 0 {
			start = i
		}
	}
	return start
}

// pad fills s up to that many columns.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}
