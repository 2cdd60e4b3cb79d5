package capture

import (
	"fmt"
	"strings"
	"testing"

	"imds-analyzer/imds"
)

func TestWordsAreRedacted(t *testing.T) {
	var w words
	for range 2 { // the second time from memory
		for _, text := range []string{"", "/latest/meta-data/", "curl/8.5.0", "/x?token=hunter2hunter2", "AKIAIOSFODNN7EXAMPLE"} {
			if got, want := w.redacted([]byte(text)), imds.Redact(text); got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	}
}

func TestWordsRememberNoSecrets(t *testing.T) {
	var w words
	const secret = "/x?password=hunter2hunter2"
	if shown := w.redacted([]byte(secret)); shown == secret {
		t.Fatalf("%q is not redacted", secret)
	}
	if len(w.clean) != 0 {
		t.Errorf("it remembers %v", w.clean)
	}
}

func TestWordsAreBounded(t *testing.T) {
	var w words
	w.redacted([]byte(strings.Repeat("/a", maxWordBytes)))
	if len(w.clean) != 0 {
		t.Error("a long text is remembered")
	}
	for i := range 3 * maxWords {
		text := fmt.Sprintf("/%d", i)
		if got := w.redacted([]byte(text)); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		if len(w.clean) > maxWords {
			t.Fatalf("it remembers %d texts", len(w.clean))
		}
	}
}

func TestShortWords(t *testing.T) {
	var w words
	long := strings.Repeat("EC2 ", maxWordBytes)
	for text, want := range map[string]string{"": "", "EC2ws": "EC2ws", long: long[:maxWordBytes]} {
		if got := w.short([]byte(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	// A secret is looked for in all of it, and not in a piece that has lost its shape.
	hidden := strings.Repeat(" ", maxWordBytes-10) + "AKIAIOSFODNN7EXAMPLE"
	if got := w.short([]byte(hidden)); strings.Contains(got, "AKIA") {
		t.Errorf("%q", got)
	}
}

// What was read before allocates nothing.
func TestWordsDoNotAllocate(t *testing.T) {
	var w words
	text := []byte("/latest/meta-data/instance-id")
	w.redacted(text)
	if n := testing.AllocsPerRun(100, func() { w.redacted(text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
