package output

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTally(t *testing.T) {
	three := newTally(3)
	for _, text := range strings.Fields("b a c a d e b a d") {
		three.add(text)
	}
	three.add("")
	if got := three.list(2, true); got != "a (3), b (2), and more" {
		t.Errorf("got %s", got)
	}
	if three.others != 3 {
		t.Errorf("%d others", three.others)
	}
	three.add(strings.Repeat("é", 1000))
	small := newTally(3)
	small.add("x")
	small.add(strings.Repeat("é", 1000))
	if got := small.list(1, false); got != "x, and 1 more" {
		t.Errorf("got %s", got)
	}
	if n := utf8.RuneCountInString(small.list(2, false)); n > len("x, ")+maxTallied {
		t.Errorf("%d characters", n)
	}
	var none tally
	none.add("x")
	if none.others != 1 {
		t.Error("a tally without room counts others")
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		in, end    string
		characters int
	}{
		{"", "", 5},
		{"abcde", "abcde", 5},
		{"abcdefghij", "abcd…", 5},
		{"éééééééééé", "éééé…", 5},
		{"abcdefghij", "…", 1},
		{"a\xff\xfe\xfdb", "a\xff…", 3},
	}
	for _, tt := range tests {
		if got := cut(tt.in, tt.characters); got != tt.end {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.in, tt.characters, got, tt.end)
		}
	}
}

func TestJoin(t *testing.T) {
	for want, parts := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := join(parts); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
