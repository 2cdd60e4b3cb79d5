package screentest

import (
	"slices"
	"strings"
	"testing"
)

func TestScreen(t *testing.T) {
	width := func(r rune) int {
		switch r {
		case '\u0301':
			return 0
		case '日':
			return 2
		}
		return 1
	}
	tests := map[string]struct {
		written string
		want    []string
	}{
		"nothing":        {"", nil},
		"lines":          {"a\r\nb\n\nc", []string{"a", "b", "c"}},
		"overwritten":    {"abc\rd", []string{"dbc"}},
		"just fits":      {"12345\nx", []string{"12345", "x"}},
		"wraps":          {"1234567", []string{"1234567"}},
		"wraps, then up": {"1234567\x1b[1A\rx", []string{"x234567"}},
		"wraps, erased":  {"1234567\r\x1b[Kx", []string{"12345", "x"}},
		"does not wrap":  {"\x1b[?7l1234567\x1b[?7h\nx", []string{"12347", "x"}},
		"wide":           {"a日日\nb日日日", []string{"a日日", "b日日日"}},
		"marks":          {"e\u0301日\u0301x", []string{"e\u0301日\u0301x"}},
		"up":             {"a\nb\n\x1b[2A\rc", []string{"c", "b"}},
		"up from aside":  {"a\nbcd\x1b[1Ae", []string{"a  e", "bcd"}},
		"not above top":  {"a\nb\nc\nd\ne\x1b[9A\rX", []string{"a", "b", "X", "d", "e"}},
		"erased down":    {"a\nbcd\ne\x1b[1A\r\x1b[J", []string{"a"}},
		"erased a line":  {"abc\r\x1b[Kx\n", []string{"x"}},
		"colour":         {"\x1b[31mv1\x1b[0m", []string{"v1"}},
		"behind an edge": {"12345\x1b[K", []string{"1234"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			whole, inBytes := New(5, 3, width), New(5, 3, width)
			if _, err := whole.Write([]byte(tt.written)); err != nil {
				t.Fatal(err)
			}
			for _, r := range tt.written {
				if _, err := inBytes.Write([]byte(string(r))); err != nil {
					t.Fatal(err)
				}
			}
			if got := whole.Lines(); !slices.Equal(got, tt.want) || !slices.Equal(inBytes.Lines(), tt.want) {
				t.Errorf("got %q and %q, want %q", got, inBytes.Lines(), tt.want)
			}
		})
	}
}

func TestResize(t *testing.T) {
	s := New(5, 4, func(rune) int { return 1 })
	write := func(text string) {
		if _, err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("a\nb\nc\nd12")
	s.Resize(3, 2)
	write("3\x1b[9A\rx") // c has left the screen by then
	if got := strings.Join(s.Lines(), " "); got != "a b c x123" {
		t.Errorf("got %s", got)
	}
}

func TestUnknownSequences(t *testing.T) {
	for _, text := range []string{"\x1b[2J", "\x1b[0A", "\x1b[A", "\x1b[5;5H", "\x1b[?25l", "\a", "\x7f"} {
		if _, err := New(80, 24, func(rune) int { return 1 }).Write([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
