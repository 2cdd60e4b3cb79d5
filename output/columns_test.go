package output

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "é": 1, "e\u0301": 1, "日本": 4, "ｆｕｌｌ": 8, "ﾊﾝ": 2, "한글": 4, "🚀": 2, "…×": 2, "\ufffd": 1, "a\u20dd": 1, "\xff": 1,
	} {
		if got := columns(text); got != want {
			t.Errorf("columns(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestCutColumns(t *testing.T) {
	tests := []struct {
		in, end, middle string
		columns         int
	}{
		{"", "", "", 5},
		{"abcde", "abcde", "abcde", 5},
		{"abcdefghij", "abcd…", "abc…j", 5},
		{"éééééééééé", "éééé…", "ééé…é", 5},
		{"abcdefghij", "…", "…", 1},
		{"日本語日本語", "日本…", "日…", 5},
		{"日本語日本語", "日本語…", "日本…語", 8},
		{"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301e\u0301…", "e\u0301e\u0301e\u0301…e\u0301", 5},
	}
	for _, tt := range tests {
		if got := cutEnd(tt.in, tt.columns); got != tt.end {
			t.Errorf("cutEnd(%q, %d) = %q, want %q", tt.in, tt.columns, got, tt.end)
		}
		if got := cutMiddle(tt.in, tt.columns); got != tt.middle {
			t.Errorf("cutMiddle(%q, %d) = %q, want %q", tt.in, tt.columns, got, tt.middle)
		}
	}
}

// What is cut fits, takes no more than two columns less than it could, and
// keeps characters whole.
func FuzzCutColumns(f *testing.F) {
	f.Add("/latest/meta-data/日本語🚀e\u0301", 12)
	f.Add("\u0301\u0301\xff", 1)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 1 + int(uint(n)%200)
		s = strings.ToValidUTF8(s, "\ufffd")
		for _, got := range []string{cutEnd(s, n), cutMiddle(s, n)} {
			switch taken := columns(got); {
			case taken > n || !utf8.ValidString(got):
				t.Fatalf("%q in %d columns: %q", s, n, got)
			case columns(s) <= n && got != s:
				t.Fatalf("%q was cut to %q, and fits into %d columns", s, got, n)
			case columns(s) > n && taken < n-2:
				t.Fatalf("%q: %q leaves much of %d columns empty", s, got, n)
			}
		}
	})
}
