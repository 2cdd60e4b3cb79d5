package cli_test

import (
	"strings"
	"testing"
)

// What is wrong with a value is said in words for people: which function refused it, and the
// layouts of Go, say nothing to them.
func TestWrongValues(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"negative number", []string{"--count", "-1"}, `--count cannot be "-1": it has to be a whole number, 0 or more (see imds-analyzer --help)`},
		{"number beyond all", []string{"--count", "99999999999999999999"}, `"99999999999999999999": it is out of range`},
		{"fraction", []string{"--rotate-keep", "1.5"}, `--rotate-keep cannot be "1.5": it has to be a whole number`},
		{"flag with a letter", []string{"-r", "x", "--max-entry-rate", "lots"}, `--max-entry-rate cannot be "lots": it has to be a whole number, 0 or more`},
		{"time without a unit", []string{"--duration", "5"}, `--duration cannot be "5": it has to be a time such as 90s or 24h, or 0`},
		{"truth", []string{"--realtime=maybe"}, `--realtime cannot be "maybe": it has to be true or false`},
		{"size", []string{"--rotate-size", "1k"}, `--rotate-size cannot be "1k": a size is a number of bytes, or one with KiB, MiB or GiB`},
		{"days", []string{"report", "--min-days", "week", "x"}, `--min-days cannot be "week": it has to be a number (see imds-analyzer report --help)`},
		{"day", []string{"report", "--since", "yesterday", "x"}, `--since cannot be "yesterday": it has to be a day such as 2026-11-20, or a time with its zone`},
		{"time without a zone", []string{"report", "--since", "2026-11-20T08:00:00", "x"}, "a time with its zone such as 2026-11-20T08:00:00+01:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(tt.args...)
			if r.status != 2 || !strings.Contains(r.err, tt.says) {
				t.Errorf("exit status %d: %s\nwant 2 and %s", r.status, r.err, tt.says)
			}
		})
	}
}
