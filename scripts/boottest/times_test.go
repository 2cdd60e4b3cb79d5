package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// unit is the service in shownTimes.
const unit = "imds-analyzer.service"

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
	hangs := write(t, hangJournal())
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
		"starts":       {[]string{"-shown", shown, "-starts", hangs, "-limit", "10s"}, 0, "started 2 time(s) within 6.429 s"},
		"slow starts":  {[]string{"-shown", shown, "-starts", hangs, "-limit", "6s"}, 1, "the boot was held up for 6.42"},
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

// journal has messages and the microseconds at which they were sent, since the machine
// was started. All were received at the same time, when the journal began to run.
func journal(entries ...any) string {
	const start, received = 1_700_000_000_000_000, 99_000_000
	var lines strings.Builder
	for i := 0; i < len(entries); i += 2 {
		fmt.Fprintf(&lines, `{"__REALTIME_TIMESTAMP":"%d","__MONOTONIC_TIMESTAMP":"%d","_SOURCE_REALTIME_TIMESTAMP":"%d","MESSAGE":%q}`+"\n",
			start+received, received, start+entries[i].(int), entries[i+1])
	}
	return lines.String()
}

// hangJournal: the service manager gives up after the second start here, and the last
// line is no start.
func hangJournal() string {
	return journal(1_700000, "Starting imds-analyzer.service - Calls...",
		4_429445, "imds-analyzer.service: start operation timed out. Killing.",
		4_431740, "Failed to start imds-analyzer.service - Calls...",
		4_681904, "imds-analyzer.service: Scheduled restart job, restart counter is at 1.",
		4_692563, "Starting imds-analyzer.service - Calls...",
		7_928629, "Failed to start imds-analyzer.service - Calls...",
		8_427670, "Failed to start imds-analyzer.service - Calls...")
}

// The manager was started at 1 s, and the unit last began to at 1.5 s.
func TestHeldUp(t *testing.T) {
	b := &boot{userspace: time.Second, units: map[string]unitTimes{unit: {began: 1500 * time.Millisecond}}}
	for name, c := range map[string]struct {
		journal string
		starts  int
		held    time.Duration
		wrong   bool
	}{
		"hangs":                       {journal: hangJournal(), starts: 2, held: 6429 * time.Millisecond},
		"good":                        {journal: journal(1_500000, "Starting x", 1_750000, "Started x"), starts: 1, held: 250 * time.Millisecond},
		"the journal began later":     {journal: journal(1_750000, "Started x"), starts: 1, held: 250 * time.Millisecond},
		"begins in a later one":       {journal: journal(1_400000, "x: Scheduled restart job", 1_500000, "Starting x", 1_750000, "Failed to start x"), starts: 2, held: 750 * time.Millisecond},
		"was over before the journal": {journal: journal(1_400000, "Failed to start x", 1_500000, "Starting x", 1_750000, "Started x"), starts: 2, held: 750 * time.Millisecond},
		"still hangs":                 {journal: journal(1_500000, "Starting x"), starts: 1, wrong: true},
		"never":                       {wrong: true},
	} {
		entries, err := readJournal(strings.NewReader(c.journal))
		starts := startsOf(entries, b.earliestStart(unit, entries))
		if err != nil || len(starts) != c.starts {
			t.Errorf("%s: %v, %v", name, starts, err)
		}
		held, err := heldUp(starts)
		if (err != nil) != c.wrong || held.Round(time.Millisecond) != c.held {
			t.Errorf("%s: %v, %v", name, held, err)
		}
	}
}

func TestEarliestStart(t *testing.T) {
	entries, err := readJournal(strings.NewReader(journal(1_400000, "Failed to start x")))
	if err != nil {
		t.Fatal(err)
	}
	b := &boot{userspace: time.Second, units: map[string]unitTimes{unit: {began: 1500 * time.Millisecond}, journalSocket: {ready: 1200 * time.Millisecond}}}
	if got := b.earliestStart(unit, entries); got != 1200*time.Millisecond {
		t.Errorf("it can have begun at %v", got)
	}
}

func TestNoJournal(t *testing.T) {
	for _, wrong := range []string{"-- No entries --", `{"MESSAGE":"Starting x"}`, strings.Replace(journal(1, "Starting x"), `"_SOURCE`, `"_`, 1)} {
		if entries, err := readJournal(strings.NewReader(wrong + "\n")); err == nil {
			t.Errorf("%s: %v", wrong, entries)
		}
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

func FuzzReadJournal(f *testing.F) {
	f.Add(hangJournal())
	f.Fuzz(func(t *testing.T, journal string) {
		entries, err := readJournal(strings.NewReader(journal))
		if starts := startsOf(entries, 0); err == nil && len(starts) > 1+strings.Count(journal, "Starting") {
			t.Errorf("%d starts", len(starts))
		}
	})
}
