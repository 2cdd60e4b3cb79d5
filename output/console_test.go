package output

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

func newTestConsole(out *strings.Builder, color bool) *Console {
	c := NewConsole(out, "standard output", color)
	c.zone = time.FixedZone("", 2*60*60)
	return c
}

func TestConsoleGolden(t *testing.T) {
	var out strings.Builder
	plain, colored := newTestConsole(&out, false), newTestConsole(&out, true)
	records := testRecords()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		e := NewEntry(records[name], testHost)
		if err := plain.Call(&e); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"01 v1", "07 v2", "10 unknown"} {
		e := NewEntry(records[name], testHost)
		if err := colored.Call(&e); err != nil {
			t.Fatal(err)
		}
	}
	checkGolden(t, "console.golden.txt", out.String())
}

func TestConsoleLinesFit(t *testing.T) {
	long := strings.Repeat("/é", 300)
	edits := map[string]func(*Record){
		"target":    target(long),
		"method":    func(r *Record) { r.Call.Request.Method = strings.Repeat("M", 32) },
		"process":   func(r *Record) { r.Answer.Process.Name = strings.Repeat("p", 300) },
		"user":      func(r *Record) { r.Answer.Process.User.Name = strings.Repeat("u", 300) },
		"addresses": func(r *Record) { tokenRequest6(r); offline(r) },
		"no user":   func(r *Record) { r.Answer.Process.User = nil },
		"no name":   func(r *Record) { r.Answer.Process.User.Name = "" },
		"everything": func(r *Record) {
			target(long)(r)
			cutHead(imds.HeadersTooLarge)(r)
			r.Answer.Process.Name = strings.Repeat("p", 300)
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			e := NewEntry(testRecord(edit), testHost)
			if err := newTestConsole(&out, false).Call(&e); err != nil {
				t.Fatal(err)
			}
			line := strings.TrimSuffix(out.String(), "\n")
			if n := utf8.RuneCountInString(line); n > consoleWidth || strings.Contains(line, "\n") {
				t.Errorf("%d characters: %s", n, line)
			}
		})
	}
}

func TestConsoleErrors(t *testing.T) {
	c := NewConsole(&full{err: syscall.EPIPE}, "standard output", false)
	if err := c.Call(testEntry()); !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "standard output") {
		t.Errorf("got %v", err)
	}
}

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"/latest/meta-data/":                 "/latest/meta-data/",
		"naïve 日本語 €":                        "naïve 日本語 €",
		"a\x1b[31mb":                         "a�[31mb",
		"a\x9b31mb":                          "a�31mb",
		"a\u009b31mb":                        "a�31mb",
		"\x1b]0;title\x07":                   "�]0;title�",
		"a\r\nb\tc\x00\x7f":                  "a��b�c��",
		"abc\u202ecba\u2066\u200f":           "abc�cba��",
		"zero\u200bwidth\u00adtag\U000e0041": "zero�width�tag�",
		"\xff\xfe":                           "��",
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("Sanitize(%q) = %q, want %q", in, got, want)
		}
	}
}

// Nothing of what terminals act on gets through, wherever it stands.
func FuzzConsole(f *testing.F) {
	f.Add("GET", "/\x1b[2J", "e\x1bvil", "\u202e")
	f.Add("", "\x9b\xff", "", "\r")
	f.Fuzz(func(t *testing.T, method, target, name, user string) {
		r := testRecord()
		r.Call.Request.Method, r.Call.Request.Target, r.Call.Request.UserAgent = method, target, name
		r.Answer.Process.Name, r.Answer.Process.Executable, r.Answer.Process.User.Name = name, target, user
		r.Answer.Process.Args = []string{name, target, user}
		e := NewEntry(r, testHost)
		var out strings.Builder
		s := NewSummary()
		s.Add(&e)
		if err := errors.Join(newTestConsole(&out, false).Call(&e), s.Print(&out, CaptureStats{})); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q reached the terminal in %q", r, out.String())
			}
		}
	})
}

func TestCertaintyIsShown(t *testing.T) {
	inferred := NewEntry(testRecord(func(r *Record) { r.Answer.Status = attribution.Inferred }), testHost)
	if got := consoleCaller(&inferred); got != "python3[4242]? app" {
		t.Errorf("got %s", got)
	}
}
