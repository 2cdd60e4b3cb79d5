package capture

import (
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
