package output

import (
	"fmt"
	"strings"
	"testing"

	"imds-analyzer/imds"
)

// What was found clean stays known, and nothing else: texts that share its place are
// looked at.
func TestCleanTexts(t *testing.T) {
	const secret = "AKIAIOSFODNN7EXAMPLE"
	texts := []string{"", "G", "GET", "/latest/meta-data/", "curl/8.5.0", "user/" + secret, strings.Repeat("a", maxClean+1)}
	for i := range 1000 {
		texts = append(texts, fmt.Sprintf("/latest/meta-data/%d", i), fmt.Sprintf("/%d?key=%s", i, secret))
	}
	var known cleanTexts
	for range 3 {
		for _, text := range texts {
			if got, want := known.redact(text), imds.Redact(text); got != want {
				t.Fatalf("%q becomes %q, want %q", text, got, want)
			}
		}
	}
	for _, text := range known {
		if strings.Contains(text, secret) || len(text) > maxClean {
			t.Errorf("%.40q is remembered", text)
		}
	}
}
