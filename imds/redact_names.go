package imds

import (
	"bytes"
	"strings"
)

// secretWords are parts of the names whose values are secret, in lower case
// and without hyphens, underscores and dots.
var secretWords = [...]string{
	"token", "secret", "passw", "passphrase", "pwd", "signature", "credential",
	"apikey", "accesskey", "privatekey", "sessionkey", "authorization", "bearer", "cookie",
}

// publicEndings end the names that say something about a secret, such as
// X-aws-ec2-metadata-token-ttl-seconds, not the secret itself, and those of captures and logs:
// behind token.pcap.gz and a colon an error says what is wrong with it.
var publicEndings = [...]string{"ttlseconds", "ttl", "file", "path", "type", "pcap", "pcapng", "log", "gz", "zst"}

const (
	minNameBytes = len("pwd")
	maxNameBytes = 128 // longer ones are judged by their ends
)

// namedSecrets adds the spans of values after names that say that they are
// secret, and of passwords in URLs, with a scheme or without.
func namedSecrets(v *indexed, spans []span) []span {
	if strings.IndexByte(v.text, '=') < 0 && strings.IndexByte(v.text, ':') < 0 {
		return spans
	}
	scheme := 0 // where that of a URL ends, here or behind
	for i := 0; i < len(v.text); i++ {
		if c := v.text[i]; c != '=' && c != ':' {
			continue
		}
		p, ok := v.urlPassword(i)
		if !ok && len(v.ats) > 0 {
			if scheme < i {
				scheme = indexFrom(v.text, "://", i)
			}
			p, ok = v.loginPassword(i, scheme)
		}
		if ok {
			spans = append(spans, v.original(p.from, p.to))
		}
		name := nameBefore(v.text, i)
		if !isSecretName(name) {
			continue
		}
		if from, to := v.value(i, spansBlanks(name)); from < to {
			spans = append(spans, v.original(from, to))
			i = to - 1
		}
	}
	return spans
}

// nameBefore returns the name that ends before a separator, which blanks and
// quotes may stand between.
func nameBefore(text string, separator int) string {
	end := separator
	for end > 0 && !isNameChar(text[end-1]) && (isBlank(text[end-1]) || strings.IndexByte(`+"'\`, text[end-1]) >= 0) {
		end--
	}
	from := end
	for from > 0 && end-from < maxNameBytes && isNameChar(text[from-1]) {
		from--
	}
	return text[from:end]
}

func isNameChar(c byte) bool {
	return isAlnum(c) || c == '_' || c == '-' || c == '.' || c == '[' || c == ']'
}

// isSecretName reports whether a value of that name is a secret.
func isSecretName(name string) bool {
	if len(name) < minNameBytes {
		return false
	}
	var buffer [maxNameBytes]byte
	plain := plainName(buffer[:0], name)
	for _, ending := range publicEndings {
		if bytes.HasSuffix(plain, []byte(ending)) {
			return false
		}
	}
	for _, word := range secretWords {
		if bytes.Contains(plain, []byte(word)) {
			return true
		}
	}
	return string(plain) == "pass" || string(plain) == "sig"
}

// plainName appends the name's letters and digits in lower case.
func plainName(plain []byte, name string) []byte {
	for i := max(0, len(name)-maxNameBytes); i < len(name); i++ {
		switch c := name[i]; {
		case isUpper(c):
			plain = append(plain, c|0x20)
		case isAlnum(c):
			plain = append(plain, c)
		}
	}
	return plain
}

// spansBlanks reports whether values of that name have blanks in them.
func spansBlanks(name string) bool {
	var buffer [maxNameBytes]byte
	plain := plainName(buffer[:0], name)
	return bytes.Contains(plain, []byte("authorization")) || bytes.Contains(plain, []byte("cookie"))
}

// value returns the span of the value after a separator. A delimiter that is
// percent-encoded is part of the value.
func (v *indexed) value(separator int, withBlanks bool) (from, to int) {
	from = separator
	for from < len(v.text) && v.separates(from, separator) {
		from++
	}
	var quote byte
	for from < len(v.text) && strings.IndexByte(`"'\`, v.text[from]) >= 0 {
		if v.literal(from) {
			quote = v.text[from]
		}
		from++
	}
	if quote == '"' || quote == '\'' {
		return v.quoted(from, quote)
	}
	to = v.wordEnd(from, withBlanks)
	if isAuthScheme(v.text[from:to]) && to < len(v.text) && isBlank(v.text[to]) {
		for to < len(v.text) && isBlank(v.text[to]) {
			to++
		}
		to = v.wordEnd(to, withBlanks)
	}
	return from, to
}

// separates reports whether a byte is part of the separator that starts before it: blanks,
// signs such as ":=", and the arrow of Ruby and PHP, "=>".
func (v *indexed) separates(i, separator int) bool {
	c := v.text[i]
	return isBlank(c) || c == '=' || c == ':' || c == '>' && i > separator && v.text[i-1] == '='
}

// quoted returns the span of the text that starts at from, after a quote. What a shell joins
// to it, as in "a"'b'c, is part of it, with the quotes then.
func (v *indexed) quoted(from int, quote byte) (start, to int) {
	to = v.quoteEnd(from, quote)
	if to == len(v.text) || v.text[to] != quote || v.text[from:to] == Redacted {
		return from, to
	}
	if end := v.joinedEnd(to+1, from-1); end > to+1 {
		return from - 1, end
	}
	return from, to
}

// quoteEnd returns where the text that starts at from, after a quote, ends. The quote that
// ends it is escaped as often as the one before it is. One in the text is once more, and so
// are backslashes before it, which double each time.
func (v *indexed) quoteEnd(from int, quote byte) int {
	escaped := v.backslashes(from - 1)
	for i := from; i < len(v.text); i++ {
		if v.text[i] == quote && v.literal(i) && v.backslashes(i)%(2*escaped+2) == escaped {
			return max(from, i-escaped)
		}
	}
	return len(v.text)
}

// backslashes is how many stand before a byte.
func (v *indexed) backslashes(before int) (n int) {
	for n < before && v.text[before-n-1] == '\\' {
		n++
	}
	return n
}

// joinedEnd returns where the shell's word ends that starts with the quote at start, and of
// which more may be at i, behind a quoted part.
func (v *indexed) joinedEnd(i, start int) int {
	for ; i < len(v.text) && !endsJoined(v.text[i]); i++ {
		switch c := v.text[i]; c {
		case '\\':
			i++
		case '"', '\'':
			end := v.quoteEnd(i+1, c)
			if end == len(v.text) || v.isOpen(c, start) {
				return i
			}
			i = end
		}
	}
	return min(i, len(v.text))
}

// endsJoined reports whether a byte behind a quote belongs to what is around, as in JSON.
func endsJoined(c byte) bool { return isBlank(c) || strings.IndexByte("`,;:()[]{}&|<>", c) >= 0 }

// wordEnd returns where the text that starts at from, without a quote, ends. An apostrophe
// is part of it unless one was open: URLs have it as it is (RFC 3986, section 2.2). So is a
// quote if blanks are, as in Authorization: Digest username="me", response="0a1b".
func (v *indexed) wordEnd(from int, withBlanks bool) int {
	single, double := v.isOpen('\'', from), v.isOpen('"', from)
	known := v.ends.of(single, double, withBlanks)
	if known.from <= from && from < known.stop {
		return known.end
	}
	stop := v.wordStop(from, single, !withBlanks || double, withBlanks)
	*known = ending{from, stop, stop}
	if stop < len(v.text) && v.text[stop] == '"' && v.opens(stop) {
		known.end = v.joinedEnd(stop, from)
	}
	return known.end
}

// wordStop is wordEnd without what a shell joins to the word; single and double say which quotes
// are no part of it.
func (v *indexed) wordStop(from int, single, double, withBlanks bool) int {
	for i := from; i < len(v.text); i++ {
		c := v.text[i]
		ends := strings.IndexByte("&`<>\r\n", c) >= 0 || isBlank(c) && !withBlanks || c == '\'' && single || c == '"' && double
		if ends && v.literal(i) {
			return i
		}
	}
	return len(v.text)
}

// opens reports whether a quote within a word may begin a part of it, as in abc"d e", rather
// than end what is around it.
func (v *indexed) opens(quote int) bool {
	return quote+1 < len(v.text) && (isAlnum(v.text[quote+1]) || v.text[quote+1] == '$')
}

// isAuthScheme reports whether the credential itself follows the word
// (RFC 9110, section 11.1).
func isAuthScheme(word string) bool {
	return strings.EqualFold(word, "Bearer") || strings.EqualFold(word, "Basic") || strings.EqualFold(word, "Token")
}

// urlPassword returns the span of the password if a URL's scheme ends at the
// colon (RFC 3986, section 3.2.1).
func (v *indexed) urlPassword(colon int) (span, bool) {
	if !strings.HasPrefix(v.text[colon:], "://") {
		return span{}, false
	}
	start := colon + len("://")
	authority := v.text[start:v.authorityEnd(start)]
	host := strings.LastIndexByte(authority, '@')
	password := strings.IndexByte(authority, ':') + 1
	if password == 0 || password >= host {
		return span{}, false
	}
	return span{start + password, start + host}, true
}

// authorityEnd returns where the authority of a URL ends that starts at from. Its
// delimiters are encoded in a password, once more than the slashes before it where all
// of the URL is encoded. An apostrophe can be part of one as it is.
func (v *indexed) authorityEnd(from int) int {
	open := v.isOpen('\'', from)
	for i := from; i < len(v.text); i++ {
		c := v.text[i]
		ends := isBlank(c) || strings.IndexByte("/?#\"", c) >= 0 || c == '\'' && open
		if ends && v.width(i) <= v.width(from-1) {
			return i
		}
	}
	return len(v.text)
}

// isOpen reports whether the last quote of that kind before stands where one opens,
// at the beginning of a word, and not as in "it's".
func (v *indexed) isOpen(quote byte, before int) bool {
	quotes := v.singles
	if quote == '"' {
		quotes = v.doubles
	}
	i := lastBefore(quotes, before) - 1
	return i == -1 || i >= 0 && v.text[i] != quote && !isAlnum(v.text[i])
}
