package report

import (
	"strings"
	"testing"
	"time"
)

// What is to be done is said at length once.
func TestAdvice(t *testing.T) {
	const long, lines = "Find it. Then restart it.", "token=$(curl …)"
	tests := []struct{ todo, lines, want string }{
		{long, "", "to do        Find it. Then restart it."},
		{long, "", "to do        Find it, as above."},
		{"Upgrade it.", "", "to do        Upgrade it."},
		{"Upgrade it.", "", "to do        Upgrade it."},
		{"With the lines below.", lines, "to do        With the lines below.\n      " + lines},
		{"With the lines below.", lines, "to do        With the lines above."},
		{"", "", ""},
	}
	printed := &text{}
	for _, tt := range tests {
		before := printed.Len()
		printed.advice(tt.todo, tt.lines)
		if got := strings.TrimSpace(printed.String()[before:]); got != tt.want {
			t.Errorf("%q is printed as %q, want %q", tt.todo, got, tt.want)
		}
	}
}

// A setting that a version does not know is shown with the version that does.
func TestPrintSetting(t *testing.T) {
	for note, want := range map[string]string{"": "no fallback  set=1\n", "needs 2 or later": "no fallback  set=1 (needs 2 or later)\n"} {
		p := Program{Name: "p", Software: Software{Setting: "set=1", SettingNote: note}}
		printed := &text{}
		p.print(printed, time.Time{})
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%q is not in\n%s", want, printed.String())
		}
	}
}
