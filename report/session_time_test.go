package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
)

// silently is a line that does not tell how long the capture has run, as those of earlier
// versions.
func silently(l *output.Lifecycle) *output.Lifecycle {
	l.IMDS.Capture.Elapsed = nil
	return l
}

// having is a line of a capture that has run for so many days, whatever its clock says.
func having(days float64, l *output.Lifecycle) *output.Lifecycle {
	l.IMDS.Capture.Elapsed = new(uint64(days * 86400))
	return l
}

// daily are calls at the same time of each of these days.
func daily(from, to int) (lines []any) {
	for d := from; d <= to; d++ {
		lines = append(lines, call(v2, when(at(float64(d)))))
	}
	return lines
}

// Whatever becomes of the clock, a host was observed for no longer than captures have run,
// or have given signs of life.
func TestObservedTimeIsProven(t *testing.T) {
	year := 365.0
	long, first := time.Date(1970, 1, 1, 0, 0, 5, 0, time.UTC), at(0)
	begin := func(t time.Time) capture { return capture{host: "web-1", boot: "b1", started: t, uptime: 20} }
	unset, c, early, ahead := begin(long), begin(first), begin(at(-3*year)), begin(at(4*year))
	next := capture{host: "web-1", boot: "b2", started: at(8), uptime: 20}
	huge := having(0, c.stop(at(8)))
	huge.IMDS.Capture.Elapsed = new(uint64(1 << 63))
	tests := []struct {
		name     string
		lines    []any
		days     float64
		doubtful uint64
	}{
		{"clock as it should be", []any{c.start(), c.stop(at(8))}, 8, 0},
		{"not set at the start", []any{unset.start(), having(8, unset.stop(at(8)))}, 8, 0},
		{"not set at the start, still runs", []any{unset.start(), having(1, unset.runs(at(1))), having(3, unset.runs(at(3)))}, 3, 0},
		{"never set", []any{unset.start(), having(8, unset.stop(long.AddDate(0, 0, 8)))}, 0, 1},
		{"not set while lines told", []any{unset.start(), having(1, unset.runs(long.AddDate(0, 0, 1))), daily(1, 8)}, 0, 1},
		{"years behind at the start", []any{early.start(), having(2, early.stop(at(8)))}, 2, 0},
		{"set forward", []any{c.start(), having(2, c.stop(at(40)))}, 2, 0},
		{"set forward after the last line", []any{c.start(), having(2, c.runs(at(2))), daily(40, 41)}, 2, 1},
		{"goes on after the last line", []any{c.start(), having(2, c.runs(at(2))), daily(3, 5)}, 5, 0},
		{"set back", []any{ahead.start(), having(3, ahead.stop(at(8)))}, 3, 0},
		{"set back, and again before", []any{c.start(), c.stop(at(8)), ahead.start(), having(3, ahead.stop(at(8)))}, 8, 0},
		{"absurd", []any{c.start(), huge}, 0, 1},

		{"silent, not set at the start", []any{unset.start(), silently(unset.stop(at(8)))}, 0, 1},
		{"silent, not set at the start, with calls", []any{unset.start(), daily(0, 8), silently(unset.stop(at(8)))}, 0, 1},
		{"silent, for long", []any{c.start(), silently(c.stop(at(8)))}, 0, 1},
		{"silent, for a day", []any{c.start(), silently(c.stop(at(1)))}, 1, 0},
		{"silent, with calls", []any{c.start(), daily(1, 7), silently(c.stop(at(8)))}, 8, 0},
		{"silent, with lines", []any{c.start(), silently(c.runs(at(1))), silently(c.runs(at(2))), silently(c.gap(at(3), 0)), silently(c.stop(at(4)))}, 4, 0},
		{"silent, set forward", []any{c.start(), daily(1, 3), daily(40, 42), silently(c.stop(at(42)))}, 2, 1},
		{"silent, killed", []any{c.start(), daily(1, 3)}, 3, 0},
		{"silent, set back", []any{ahead.start(), silently(ahead.stop(at(8)))}, 0, 1},
		{"silent, and another", []any{c.start(), silently(c.stop(at(7))), next.start(), next.stop(at(9))}, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := take(New(week), tt.lines...)
			stated := New(week)
			if err := stated.Resume(read(t, written(t, lines.Snapshot()))); err != nil {
				t.Fatal(err)
			}
			slices.Reverse(tt.lines)
			for name, b := range map[string]*Builder{"forth": lines, "back": take(New(week), tt.lines...), "from a state": stated} {
				if o := b.Report().Hosts[0].Observed; o.Days != tt.days || o.Doubtful != tt.doubtful {
					t.Errorf("%s: %v days, %d in doubt; want %v, %d", name, o.Days, o.Doubtful, tt.days, tt.doubtful)
				}
			}
		})
	}
}

// Boots and starts are told by the clock that was set, or without their time.
func TestBootsOfClocksThatAreSet(t *testing.T) {
	c := capture{host: "web-1", boot: "b1", started: time.Unix(15, 0), uptime: 20}
	want := []time.Time{at(5).Add(-20 * time.Second)}
	r := take(New(week), c.start(), having(3, c.stop(at(8))), call(v2, when(at(6)))).Report()
	if got := r.Hosts[0].Observed.Boots; got.Count != 1 || jsonOf(t, got.Times) != jsonOf(t, want) {
		t.Errorf("the boots are %+v, want them at %v", got, want)
	}
	if got := r.Timeline.Starts; jsonOf(t, got) != jsonOf(t, []time.Time{at(5)}) {
		t.Errorf("captures started at %v", got)
	}
	r = take(New(week), c.start(), call(v2, when(at(6)))).Report()
	if got := r.Hosts[0].Observed.Boots; got.Count != 1 || got.Times != nil {
		t.Errorf("without the time the boots are %+v", got)
	}
	if got := r.Timeline; len(got.Starts) != 0 || len(got.Boots) != 0 {
		t.Errorf("without the time the plot has starts at %v and boots at %v", got.Starts, got.Boots)
	}
}

// A report tells people that time does not count.
func TestDoubtIsTold(t *testing.T) {
	c := capture{host: "web-1", boot: "b1", started: at(0), uptime: 20}
	for _, want := range []bool{true, false} {
		stop := c.stop(at(8))
		if want {
			stop = silently(stop)
		}
		r := take(New(week), c.start(), stop).Report()
		if got := strings.Contains(r.Hosts[0].Observed.Text(), "not all time of 1 capture counts"); got != want || (r.Verdict.Status == Ready) == want {
			t.Errorf("doubt %v, %s: %s", want, r.Verdict.Status, r.Hosts[0].Observed.Text())
		}
	}
}

// Of earlier captures a state of an earlier version has time that nobody has doubted.
func TestStateOfClocksThatWereNotSet(t *testing.T) {
	for first, want := range map[string]float64{"1970-01-01T00:00:05Z": 0, "2026-01-01T00:00:00Z": 10} {
		text := `{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","sessions":{"earlier":{"sessions":130,"nanoseconds":864000000000000,"within":{"first":"` +
			first + `","last":"2026-02-01T00:00:00Z"},"latest":"2026-01-31T00:00:00Z"}}}]}`
		b := New(week)
		if err := b.State(read(t, text)); err != nil {
			t.Fatal(err)
		}
		if got := b.Report().Hosts[0].Observed.Days; got != want {
			t.Errorf("since %s it has %v days, want %v", first, got, want)
		}
	}
}
