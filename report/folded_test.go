package report

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"imds-analyzer/output"
)

const foldPeriod = 6 * time.Hour

// someFolded is a log of calls, most of them of version 2 and repeated, with the calls'
// numbers, as they are without folding and with it.
func someFolded() (c capture, single, folded []any) {
	c = capture{host: "web-1", boot: "b1", started: day, uptime: 20}
	agent, pod := []change{v2, process("/usr/bin/agent"), unit("agent.service"), userAgent("agent/1")}, []change{v2, process("/app"), ipv6}
	kinds := [][]change{agent, agent, pod, {tokenRequest, process("/usr/bin/agent"), hops(2, 0)}, agent,
		{process("/usr/bin/curl")}, {tokenRequest, process("/usr/bin/agent"), hops(1, 2)}, {v2, process("/app"), status(404)}, {v2, status(403), process("/app")}, {v2}}
	f := output.NewFolder(foldPeriod)
	single, folded = append(single, c.start()), append(folded, c.start())
	for n := range 120 {
		e := call(append(kinds[n*7%len(kinds)], sequence(uint64(n+1)), when(day.Add(time.Duration(n+1)*7*time.Minute)), answered, from("web-1"))...)
		single = append(single, e)
		folded = append(folded, due(f.Due(e.Timestamp))...)
		if !f.Fold(e) {
			folded = append(folded, e)
		}
	}
	single, folded = append(single, c.stop(at(7))), append(append(folded, due(f.Flush())...), c.stop(at(7)))
	return c, single, folded
}

func due(entries []*output.Entry) (lines []any) {
	for _, e := range entries {
		one := *e
		lines = append(lines, &one)
	}
	return lines
}

// answered gives an entry the outcome of its status.
func answered(e *output.Entry) {
	e.Event.Outcome = "failure"
	if e.HTTP.Response.StatusCode < 400 {
		e.Event.Outcome = "success"
	}
}

// A report on a log with folded calls says what one on all calls says.
func TestFoldedCalls(t *testing.T) {
	_, single, folded := someFolded()
	if len(folded) > len(single)/2 {
		t.Fatalf("%d lines of %d are left", len(folded), len(single))
	}
	want, got := take(New(week), single...), take(New(week), folded...)
	if got, want := untimed(t, got.Report()), untimed(t, want.Report()); got != want {
		t.Errorf("folded:\n%s\nwant:\n%s", got, want)
	}
	if got, want := countsIn(t, got), countsIn(t, want); got != want {
		t.Errorf("folded:\n%s\nwant:\n%s", got, want)
	}
}

// countsIn is all that a Builder has counted, but for when calls were made: that is known
// to the period.
func countsIn(t *testing.T, b *Builder) string {
	t.Helper()
	for _, h := range b.kept.hosts {
		h.Sessions.Hours, h.Timeline = nil, timeline{}
	}
	return written(t, b.Snapshot())
}

// untimed is a report, but for when calls were made: that is known to the period. None
// is missing in the timelines all the same.
func untimed(t *testing.T, r *Report) string {
	t.Helper()
	for _, timeline := range []*Timeline{r.Timeline, r.Hosts[0].Timeline} {
		var all calls
		for _, b := range timeline.Buckets {
			all.merge(b.Calls)
		}
		if all != r.Calls {
			t.Errorf("a timeline has %+v, want %+v", all, r.Calls)
		}
		timeline.Buckets, timeline.BucketSeconds = nil, 0
	}
	return reported(t, r)
}

// Whenever the state was saved, in the middle of a period too, with the log of all
// calls it says what that says.
func TestFoldedCallsAndState(t *testing.T) {
	c, single, folded := someFolded()
	want := untimed(t, take(New(week), single...).Report())
	for n := 1; n < len(single); n++ {
		t.Run(fmt.Sprintf("%d lines", n), func(t *testing.T) {
			b := New(week)
			if err := b.State(read(t, written(t, savedAfter(c, single[:n])))); err != nil {
				t.Fatal(err)
			}
			r := take(b, folded...).Report()
			if calls := uint64(n - 1); r.Inputs.Repeated != calls {
				t.Errorf("%d calls are repeated, want %d", r.Inputs.Repeated, calls)
			}
			r.Inputs.Repeated = 0
			if got := untimed(t, r); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// savedAfter is the state that a service saves that has seen these calls.
func savedAfter(c capture, lines []any) *State {
	b, f := take(New(Options{}), lines...), output.NewFolder(foldPeriod)
	last := c.started
	for _, line := range lines {
		if e, ok := line.(*output.Entry); ok {
			f.Due(e.Timestamp)
			f.Fold(e)
			last = e.Timestamp
		}
	}
	runs := c.runs(last)
	b.Lifecycle(runs)
	b.Folding(runs, f.Open())
	return b.Snapshot()
}

// Calls that a program which was killed had not written are in its state, and its next
// session's calls are counted beside them.
func TestFoldedCallsThatWereLost(t *testing.T) {
	c, single, _ := someFolded()
	killed := savedAfter(c, single[:60])
	b := New(week)
	if err := b.Resume(read(t, written(t, killed))); err != nil {
		t.Fatal(err)
	}
	next := capture{host: "web-1", boot: "b1", started: at(2), uptime: 2 * 86400}
	take(b, next.start(), call(v2, process("/usr/bin/agent"), sequence(1), when(at(2.1))))
	reader := New(week)
	if err := reader.State(read(t, written(t, b.Snapshot()))); err != nil {
		t.Fatal(err)
	}
	again := call(v2, process("/usr/bin/agent"), sequence(9), when(at(2.2)), func(e *output.Entry) {
		e.IMDS.Folded = output.Folded{Calls: 4, First: at(2.1), Last: at(2.2), FirstSequence: 6}
	})
	r := take(reader, again).Report()
	if all := r.Calls.all(); all != 59+1+4 || r.Inputs.Repeated != 0 {
		t.Errorf("%d calls, %d repeated", all, r.Inputs.Repeated)
	}
}

// A state that says it has counted more calls of an entry than that stands for takes away
// no others.
func TestFoldingOfOddStates(t *testing.T) {
	c := capture{host: "web-1", boot: "b1", started: day, uptime: 20}
	b := take(New(week), c.start(), call(v2, sequence(5), when(at(1))))
	runs := c.runs(at(1))
	b.Lifecycle(runs)
	b.Folding(runs, []output.Folded{{Calls: 1 << 63, FirstSequence: 4}})
	reader := New(week)
	if err := reader.State(read(t, written(t, b.Snapshot()))); err != nil {
		t.Fatal(err)
	}
	folded := func(first uint64) change {
		return func(e *output.Entry) {
			e.IMDS.Folded = output.Folded{Calls: 3, First: at(0.5), Last: at(2), FirstSequence: first}
		}
	}
	take(reader, call(v2, sequence(8), when(at(2)), folded(4)), call(v2, sequence(9), when(at(2)), folded(3)), call(v2, sequence(10), when(at(2))))
	if r := reader.Report(); r.Calls.V2 != 1+3+1 || r.Inputs.Repeated != 3 {
		t.Errorf("%d calls, %d repeated", r.Calls.V2, r.Inputs.Repeated)
	}
}

// flooded is a log of calls of version 1, most of them too many, with the calls' numbers, as
// it is without a limit and with one: those of one program, for several paths, and then
// those of too many programs.
func flooded() (c capture, single, limited []any) {
	c = capture{host: "web-1", boot: "b1", started: day, uptime: 20}
	l := output.NewLimiter(1)
	single, limited = append(single, c.start()), append(limited, c.start())
	for n := range 800 {
		e := call(process("/usr/bin/curl"), unit("bad.service"), sequence(uint64(n+1)), when(day.Add(time.Duration(n+1)*time.Second/20)), answered, from("web-1"))
		if n >= 400 {
			process(fmt.Sprint("/tmp/x", n%100))(e)
		}
		e.URL.Path = fmt.Sprint("/latest/", n%5)
		single = append(single, e)
		limited = append(limited, due(l.Due(e.Timestamp))...)
		if !l.Limit(e, e.Timestamp) {
			limited = append(limited, e)
		}
	}
	return c, append(single, c.stop(at(7))), append(append(limited, due(l.Flush())...), c.stop(at(7)))
}

// A report on a flood has all calls, and those of a program that it knows as that's.
func TestFlood(t *testing.T) {
	_, single, limited := flooded()
	if len(limited) > len(single)*3/4 {
		t.Fatalf("%d lines of %d are left", len(limited), len(single))
	}
	want, got := take(New(week), single...), take(New(week), limited...)
	var several uint64
	for key, p := range got.kept.programs {
		if known := want.kept.programs[key]; known != nil && key.Executable == "/usr/bin/curl" {
			if p.Calls != known.Calls || !maps.Equal(p.Paths.Counts, known.Paths.Counts) || p.V1 != known.V1 {
				t.Errorf("%+v, want %+v", p, known)
			}
		}
		if key == (programKey{Kind: "unit", Owner: "bad.service", Executable: "several programs"}) {
			several = p.Calls.V1
		}
	}
	if several == 0 {
		t.Error("no calls of several programs")
	}
	for _, r := range []*Report{got.Report(), want.Report()} {
		if r.Calls.V1 != 800 || r.Hosts[0].Calls.V1 != 800 || r.Hosts[0].Service.NoToken != 800 {
			t.Errorf("%+v, %+v", r.Calls, r.Hosts[0])
		}
	}
}

// Whenever the state was saved, no call is counted twice and none is missing.
func TestFloodAndState(t *testing.T) {
	c, single, limited := flooded()
	for n := 1; n < len(single); n += 97 {
		b, l := take(New(Options{}), single[:n]...), output.NewLimiter(1)
		last := c.started
		for _, line := range single[:n] {
			if e, ok := line.(*output.Entry); ok {
				l.Due(e.Timestamp)
				l.Limit(e, e.Timestamp)
				last = e.Timestamp
			}
		}
		runs := c.runs(last)
		b.Lifecycle(runs)
		b.Folding(runs, l.Open())
		reader := New(week)
		if err := reader.State(read(t, written(t, b.Snapshot()))); err != nil {
			t.Fatal(err)
		}
		if r := take(reader, limited...).Report(); r.Calls.V1 != 800 || r.Inputs.Repeated != uint64(n-1) {
			t.Errorf("after %d lines: %d calls, %d repeated", n, r.Calls.V1, r.Inputs.Repeated)
		}
	}
}
