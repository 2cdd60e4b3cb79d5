package capture

import (
	"bytes"
	"strings"
	"testing"
)

// Names are found in letters of any size, which those that are listed have not.
func TestKnownField(t *testing.T) {
	for _, known := range knownFields {
		if known != strings.ToLower(known) {
			t.Errorf("%s is never found", known)
		}
		for _, name := range []string{known, strings.ToUpper(known), strings.ToUpper(known[:1]) + known[1:]} {
			if got := knownField([]byte(name)); got != known {
				t.Errorf("%s is found to be %q", name, got)
			}
		}
	}
	for _, name := range []string{"", "hos", "hosts", "h\x0fst", "ho\xc5\xbft", "user\ragent", "user_agent", "x-aws-ec2-metadata-to\u212aen"} {
		if got := knownField([]byte(name)); got != "" {
			t.Errorf("%q is found to be %s", name, got)
		}
	}
}

// Blanks are those of bytes.TrimSpace, however many there are, and of whatever encoding.
func TestTrimBlanks(t *testing.T) {
	parts := []string{"", " ", "  ", "\t", "\r", "\v\f", "\u0085", "\u00a0", "\xa0", "\x85", "a", "a b", "é", "\x00", "~", "\x7f"}
	for _, before := range parts {
		for _, middle := range parts {
			for _, behind := range parts {
				text := []byte(before + middle + behind)
				if got, want := trimBlanks(text), bytes.TrimSpace(text); !bytes.Equal(got, want) {
					t.Errorf("%q becomes %q, want %q", text, got, want)
				}
			}
		}
	}
}
