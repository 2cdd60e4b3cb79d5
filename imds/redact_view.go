package imds

import "strings"

// view is a text without its percent-encoding (RFC 3986, section 2.1).
type view struct {
	text string
	// from holds where in the original each byte comes from, and the
	// original's end; it is nil if nothing is encoded.
	from []int
}

// decode removes the percent-encoding, as often as it was applied.
func decode(s string) view {
	if strings.IndexByte(s, '%') < 0 {
		return view{text: s}
	}
	text := make([]byte, 0, len(s))
	from := make([]int, 0, len(s)+1)
	for i := range len(s) {
		text, from = append(text, s[i]), append(from, i)
		for n := len(text); n >= 3 && text[n-3] == '%' && isHex(text[n-2]) && isHex(text[n-1]); n = len(text) {
			text[n-3] = unhex(text[n-2])<<4 | unhex(text[n-1])
			text, from = text[:n-2], from[:n-2]
		}
	}
	return view{text: string(text), from: append(from, len(s))}
}

// original returns the span of the original that text[from:to] comes from.
func (v view) original(from, to int) span {
	if v.from == nil {
		return span{from, to}
	}
	return span{v.from[from], v.from[to]}
}

// literal reports whether the byte stands in the original as it is.
func (v view) literal(i int) bool { return v.width(i) == 1 }

// width is how many bytes of the original the byte comes from: 1, and more the more
// often it is encoded.
func (v view) width(i int) int {
	if v.from == nil {
		return 1
	}
	return v.from[i+1] - v.from[i]
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }
func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
