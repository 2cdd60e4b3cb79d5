package output

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// callAt is a call at a time, of the console's zone.
func callAt(t *testing.T, c *Console, at string) *Entry {
	t.Helper()
	when := time.Time{}
	if at != "-" {
		var err error
		if when, err = time.ParseInLocation(time.DateTime, at, c.zone); err != nil {
			t.Fatal(err)
		}
	}
	e := NewEntry(testRecord(func(r *Record) { r.Call.Request.Time = when }), testHost)
	return &e
}

// datesAndTimes are what lines begin with.
var datesAndTimes = regexp.MustCompile(`(?m)^(\d{4}-\d\d-\d\d$|[\d:]{8}|-)`)

// The date stands before the first call of a day, unless it is that on which the console began.
func TestDates(t *testing.T) {
	for _, tt := range []struct{ name, began, calls, want string }{
		{"of today", "2026-11-23", "2026-11-23 00:00:00,2026-11-23 23:59:59", "00:00:00 23:59:59"},
		{"a file of today", "2026-11-23", "2026-11-22 01:00:00,2026-11-23 01:00:00", "2026-11-22 01:00:00 2026-11-23 01:00:00"},
		{"a file of another day", "2026-11-23", "2026-11-20 01:00:00,2026-11-20 02:00:00", "2026-11-20 01:00:00 02:00:00"},
		{"a file of some days", "2026-11-23", "2025-12-31 23:00:00,2026-01-01 01:00:00,2026-01-03 01:00:00", "2025-12-31 23:00:00 2026-01-01 01:00:00 2026-01-03 01:00:00"},
		{"the same day of another year", "2026-11-23", "2025-11-23 01:00:00", "2025-11-23 01:00:00"},
		{"over midnight", "2026-11-23", "2026-11-23 23:59:59,2026-11-24 00:00:00,2026-11-24 00:00:01", "23:59:59 2026-11-24 00:00:00 00:00:01"},
		{"answered late", "2026-11-23", "2026-11-24 00:00:00,2026-11-23 23:59:59,2026-11-24 00:00:01", "2026-11-24 00:00:00 2026-11-23 23:59:59 2026-11-24 00:00:01"},
		{"without a time", "2026-11-23", "-,2026-11-24 00:00:00,-,2026-11-24 00:00:01", "- 2026-11-24 00:00:00 - 00:00:01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := newTestConsole(&out, false)
			c.day = tt.began
			for at := range strings.SplitSeq(tt.calls, ",") {
				if err := c.Call(callAt(t, c, at)); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(datesAndTimes.FindAllString(out.String(), -1), " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A console begins on the day that it is made.
func TestDateOfToday(t *testing.T) {
	before := time.Now()
	c := NewConsole(&strings.Builder{}, "standard output", false, nil)
	if c.day != before.Format(time.DateOnly) && c.day != time.Now().Format(time.DateOnly) {
		t.Errorf("it begins on %s", c.day)
	}
}

// Calls that are alike share no line with those of another day, and none of them is lost.
func TestNoLineIsOfTwoDays(t *testing.T) {
	f := newFolding(t, Size{Columns: 120, Rows: 24}, runeColumns)
	f.zone, f.day = time.UTC, "2026-11-23"
	for _, at := range []string{"2026-11-23 23:59:57", "2026-11-23 23:59:58", "2026-11-24 00:00:00", "2026-11-24 00:00:01"} {
		if err := f.Call(callAt(t, f.Console, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range f.screen.Lines() {
		fields := strings.Fields(line)
		got = append(got, fields[0]+fields[len(fields)-1])
	}
	if want := []string{"23:59:58.000×2", "2026-11-242026-11-24", "00:00:01.000×2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDateThatCannotBeWritten(t *testing.T) {
	c := NewConsole(&full{err: syscall.EPIPE}, "standard output", false, nil)
	c.day = "" // another
	if err := c.Call(testEntry()); !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "standard output") {
		t.Errorf("got %v", err)
	}
}
