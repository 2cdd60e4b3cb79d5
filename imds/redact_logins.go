package imds

import "strings"

// loginPassword returns the span of the password if the colon stands in a USER:PASSWORD@HOST
// without a scheme, as curl and pip take a proxy, and Go's drivers a database. scheme is where
// that of the next URL ends.
func (v *indexed) loginPassword(colon, scheme int) (span, bool) {
	if v.text[colon] != ':' || !v.isUser(colon) {
		return span{}, false
	}
	from := colon + 1
	end := v.wordEnd(from, false)
	to := lastBefore(v.ats, end-1) // something stands behind it
	if to <= from || scheme < to || !isPassword(v.text[from:to]) || isDigest(v.text[to+1:end]) {
		return span{}, false
	}
	return span{from, to}, true
}

// isUser reports whether a user's name ends there that is a word, or a value: not a part of a
// path, or of a mail's address. That of a shell's variable may stand for it.
func (v *indexed) isUser(end int) bool {
	from := end
	for from > 0 && (isAlnum(v.text[from-1]) || strings.IndexByte("._-+%$\\{}", v.text[from-1]) >= 0) {
		from--
	}
	return from < end && (from == 0 || isBlank(v.text[from-1]) || strings.IndexByte("\"'`=(,", v.text[from-1]) >= 0)
}

// isPassword reports whether the text between colon and @, which no URL is in, can be a password:
// not the rest of one, nor port and path.
func isPassword(s string) bool {
	path := strings.TrimLeft(s, "0123456789")
	isPath := strings.HasPrefix(path, "/") && len(path) < len(s)
	return !isPath && !strings.HasPrefix(s, "//")
}

// isDigest reports whether it is that of an image, which stands behind its tag: web:3@sha256:0a1b.
func isDigest(s string) bool {
	return strings.HasPrefix(s, "sha256:") || strings.HasPrefix(s, "sha512:")
}
