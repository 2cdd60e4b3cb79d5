package capture

import (
	"bytes"

	"imds-analyzer/imds"
)

// tokenValue says what a token's field looks like. Of several fields the one that
// looks most like a token counts: which of them the service takes is not known, and
// what is wrong with a token is to be beyond doubt.
//
// The service's tokens are 56 characters of base64 in the URL's alphabet. Others may
// come, so that whatever could be a token is one.
func tokenValue(f *field) imds.TokenValue {
	switch {
	case f.cut:
		return imds.NoToken
	case len(f.value) == 0:
		return imds.EmptyToken
	case bytes.ContainsFunc(f.value, neverInToken) || isTokenStandIn(f.value):
		return imds.NotAToken
	}
	return imds.OpaqueToken
}

// neverInToken reports whether no token has the character: blanks, controls, markup,
// quotes, and what is not ASCII.
func neverInToken(c rune) bool {
	switch c {
	case '<', '>', '"', '\'':
		return true
	}
	return c <= ' ' || c > '~'
}

// tokenStandIns are single words that programs and servers write where a token should
// be: nothing in a language's words, or a status (RFC 9110, section 15).
var tokenStandIns = [...]string{"null", "nil", "none", "undefined", "false", "error", "forbidden", "unauthorized"}

func isTokenStandIn(value []byte) bool {
	for _, word := range tokenStandIns {
		if bytes.EqualFold(value, []byte(word)) {
			return true
		}
	}
	return false
}
