package report

import (
	"strings"
	"testing"
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
