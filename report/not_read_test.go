package report

import (
	"slices"
	"testing"
	"time"

	"imds-analyzer/output"
)

// What one capture has more in the logs than it has counted is none of the calls that another
// has counted, and that are in no log.
func TestCallsNotRead(t *testing.T) {
	forbidden := func(n int, days float64) (all []any) {
		for range n {
			all = append(all, call(status(403), when(at(days))))
		}
		return all
	}
	counts := func(n uint64) output.Counts { return output.Counts{CallsV1: n} }
	killed := capture{host: "web-1", boot: "b1", started: at(0), uptime: 20}
	next := capture{host: "web-1", boot: "b2", started: at(2), uptime: 20, counts: counts(5)}
	beside := capture{host: "web-1", boot: "b2", started: at(3), uptime: 90000, counts: counts(5)}
	read := capture{host: "web-1", started: at(20), counts: counts(5)}
	file := func(first, last time.Time) *output.Lifecycle {
		s := output.Session{Host: output.Host{Hostname: "web-1", InstanceID: "i-web-1"}, Started: read.started, FirstPacket: first, LastPacket: last}
		l := s.Progress(output.CaptureStopped, at(20.1), read.counts)
		return &l
	}
	setBack := next.stop(at(9)) // it began a day before what it then took for its start
	setBack.IMDS.Capture.Elapsed = new(uint64(8 * 24 * 60 * 60))
	undated := forbidden(5, 3)
	for _, e := range undated {
		e.(*output.Entry).Timestamp = time.Time{}
	}
	tests := []struct {
		name  string
		lines []any
		want  uint64
	}{
		{"all are there", []any{killed.start(), next.start(), forbidden(5, 3), next.stop(at(9))}, 0},
		{"none is", []any{killed.start(), next.start(), next.stop(at(9))}, 5},
		{"as many of the one that was killed", []any{killed.start(), killed.runs(at(1)), forbidden(10, 1.5), next.start(), next.stop(at(9))}, 5},
		{"as many of one of which no line tells", []any{forbidden(10, -1), next.start(), next.stop(at(9))}, 5},
		{"as many of a later one", []any{next.start(), next.stop(at(9)), forbidden(5, 12)}, 5},
		{"two are", []any{killed.start(), forbidden(10, 1.5), next.start(), forbidden(2, 5), next.stop(at(9))}, 3},
		{"at its start", []any{next.start(), forbidden(5, 2), next.stop(at(9))}, 0},
		{"told later than its latest line", []any{next.start(), next.runs(at(8)), forbidden(5, 8.5)}, 0},
		{"of two at once", []any{next.start(), beside.start(), forbidden(5, 4), next.stop(at(9)), beside.stop(at(9))}, 5},
		{"of two at once, each with a log", []any{next.start(), beside.start(), forbidden(10, 4), next.stop(at(9)), beside.stop(at(9))}, 0},
		{"without a time", []any{next.start(), undated, next.stop(at(9))}, 0},
		{"by a clock that was set", []any{next.start(), forbidden(5, 1.5), setBack}, 0},
		{"of files", []any{file(at(2), at(3)), forbidden(5, 2.5)}, 0},
		{"of files, at another time", []any{file(at(2), at(3)), forbidden(5, 7)}, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			straight, back := take(New(week), tt.lines...), New(week)
			for _, line := range slices.Backward(tt.lines) {
				take(back, line)
			}
			stated := New(week)
			if err := stated.State(straight.Snapshot()); err != nil {
				t.Fatal(err)
			}
			for name, b := range map[string]*Builder{"": straight, "back": back, "from a state": stated} {
				var got uint64
				for _, i := range b.Report().Verdict.Missing {
					if i.ID == itemNotLogged {
						got = i.Count
					}
				}
				if got != tt.want {
					t.Errorf("%s: %d calls were not read, want %d", name, got, tt.want)
				}
			}
		})
	}
}
