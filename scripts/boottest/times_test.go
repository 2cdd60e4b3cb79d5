package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const shownTimes = `UserspaceTimestampMonotonic=1000000
Id=imds-analyzer.service
InactiveExitTimestampMonotonic=1500000
ActiveEnterTimestampMonotonic=1700000

Id=cloud-init-local.service
InactiveExitTimestampMonotonic=1800000
ActiveEnterTimestampMonotonic=4000000
Id=cloud-init-main.service
InactiveExitTimestampMonotonic=0
ActiveEnterTimestampMonotonic=0
`

// write writes a file and returns its name.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTimes(t *testing.T) {
	shown := write(t, shownTimes)
	later := write(t, strings.ReplaceAll(shownTimes, "InactiveExitTimestampMonotonic=18", "InactiveExitTimestampMonotonic=98"))
	journal := write(t, hangJournal)
	for name, c := range map[string]struct {
		flags  []string
		status int
		says   string
	}{
		"in order":     {[]string{"-shown", shown, "-first", "imds-analyzer.service", "-before", "cloud-init-local.service"}, 0, ""},
		"too late":     {[]string{"-shown", shown, "-first", "cloud-init-local.service", "-before", "imds-analyzer.service"}, 1, "imds-analyzer.service began 2.5s before"},
		"never begun":  {[]string{"-shown", shown, "-first", "imds-analyzer.service", "-before", "cloud-init-main.service"}, 1, "has never begun"},
		"never ready":  {[]string{"-shown", shown, "-first", "cloud-init-main.service"}, 1, "was never ready"},
		"all":          {[]string{"-shown", shown, "-all"}, 0, "imds-analyzer.service                began  0.500 s  ready  0.700 s"},
		"one":          {[]string{"-shown", shown, "-of", "cloud-init-local.service"}, 0, "began at  0.800 s\n"},
		"not there":    {[]string{"-shown", shown, "-of", "cloud-init-main.service"}, 1, "has never begun"},
		"as in a base": {[]string{"-shown", later, "-of", "cloud-init-local.service", "-base", shown, "-limit", "8s"}, 0, "began at  8.800 s, +8.000 s"},
		"held up":      {[]string{"-shown", later, "-of", "cloud-init-local.service", "-base", shown, "-limit", "7.9s"}, 1, "held up for 8s, more than 7.9s"},
		"starts":       {[]string{"-shown", shown, "-starts", journal, "-limit", "10s"}, 0, "started 2 time(s) within 6.713 s"},
		"slow starts":  {[]string{"-shown", shown, "-starts", journal, "-limit", "6s"}, 1, "the boot was held up for 6.71"},
		"no boot":      {[]string{"-shown", write(t, "Id=x\n")}, 1, "when the boot began"},
		"no number":    {[]string{"-shown", write(t, "Id=x\nInactiveExitTimestampMonotonic=now\n")}, 1, "InactiveExitTimestampMonotonic"},
	} {
		var out bytes.Buffer
		status := Main(append([]string{"times"}, c.flags...), &out, &out)
		if status != c.status || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit status %d, %s", name, status, &out)
		}
	}
}

// The service manager gives up after the second start here, and the last line is no
// start.
const hangJournal = `[45593.215535] vm systemd[1]: Starting imds-analyzer.service - Calls...
[45596.429445] vm systemd[1]: imds-analyzer.service: start operation timed out. Killing.
[45596.431740] vm systemd[1]: Failed to start imds-analyzer.service - Calls...
[45596.681904] vm systemd[1]: imds-analyzer.service: Scheduled restart job, restart counter is at 1.
[45596.692563] vm systemd[1]: Starting imds-analyzer.service - Calls...
[45599.928629] vm systemd[1]: Failed to start imds-analyzer.service - Calls...
[45600.427670] vm systemd[1]: Failed to start imds-analyzer.service - Calls...
`

func TestHeldUp(t *testing.T) {
	for name, c := range map[string]struct {
		journal string
		starts  int
		held    time.Duration
		wrong   bool
	}{
		"hangs":       {journal: hangJournal, starts: 2, held: 6713 * time.Millisecond},
		"good":        {journal: "[    1.500000] vm systemd[1]: Starting x\n[    1.750000] vm systemd[1]: Started x\n", starts: 1, held: 250 * time.Millisecond},
		"still hangs": {journal: "[    1.500000] vm systemd[1]: Starting x\n", starts: 1, wrong: true},
		"never":       {wrong: true},
	} {
		starts, err := readStarts(strings.NewReader(c.journal))
		if err != nil || len(starts) != c.starts {
			t.Errorf("%s: %v, %v", name, starts, err)
		}
		held, err := heldUp(starts)
		if (err != nil) != c.wrong || held.Round(time.Millisecond) != c.held {
			t.Errorf("%s: %v, %v", name, held, err)
		}
	}
	if starts, err := readStarts(strings.NewReader("-- No entries --\n")); err == nil {
		t.Errorf("no journal: %v", starts)
	}
}

func FuzzReadTimes(f *testing.F) {
	f.Add(shownTimes)
	f.Fuzz(func(t *testing.T, shown string) {
		b, err := readTimes(strings.NewReader(shown))
		if (b == nil) == (err == nil) {
			t.Errorf("%v, %v", b, err)
		}
	})
}

func FuzzReadStarts(f *testing.F) {
	f.Add(hangJournal)
	f.Fuzz(func(t *testing.T, journal string) {
		starts, err := readStarts(strings.NewReader(journal))
		if err == nil && len(starts) > strings.Count(journal, "Starting") {
			t.Errorf("%d starts", len(starts))
		}
	})
}
