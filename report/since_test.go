package report

import (
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
)

// updated is when the programs of these tests were updated: a week before the end.
func updated() time.Time { return at(14) }

// since judges as after the update.
func since(o Options) Options {
	o.Since = updated()
	return o
}

// rebooted is when the host had started again after that.
func rebooted() time.Time { return updated().Add(time.Minute) }

// threeWeeks is a host that is observed from a boot on, for two weeks before the update and
// a week after it, which begins with a boot.
func threeWeeks(host string) []any {
	before := capture{host: host, boot: "b1", started: day, uptime: 20}
	after := capture{host: host, boot: "b2", started: rebooted(), uptime: 20}
	return []any{before.start(), before.stop(at(13.9)), after.start(), after.stop(rebooted().AddDate(0, 0, 7))}
}

// What was before the time that a report is asked from does not count, neither against
// switching version 1 off nor for it.
func TestSince(t *testing.T) {
	lost := capture{host: "web-1", boot: "b0", started: at(-3), uptime: 20, counts: output.Counts{PacketsDroppedKernel: 2, CallsV1: 3}}
	within := capture{host: "web-1", boot: "b1", started: day, uptime: 20, counts: output.Counts{PacketsDroppedKernel: 2}}
	old := func(changes ...change) *output.Entry { return call(append([]change{when(at(13))}, changes...)...) }
	foldedOver := func(last time.Time) change {
		return func(e *output.Entry) { e.IMDS.Folded = output.Folded{Calls: 2, First: at(1), Last: last} }
	}
	good := threeWeeks("web-1")
	tests := []struct {
		name    string
		lines   []any
		options Options
		want    Status
		against string
		missing string
	}{
		{"v1 before", []any{good, old()}, since(week), Ready, "", ""},
		{"v1 before, and all counts", []any{good, old()}, week, NotReady, "v1_calls", ""},
		{"v1 after", []any{good, call(when(at(14.1)))}, since(week), NotReady, "v1_calls", ""},
		{"v1 at the time", []any{good, call(when(updated()))}, since(week), NotReady, "v1_calls", ""},
		{"v1 before, of another program after", []any{good, old(process("/a")), call(when(at(15)), process("/b"))}, since(week), NotReady, "v1_calls", ""},
		{"v1 before, v2 after", []any{good, old(), call(v2, when(at(15)))}, since(week), Ready, "", ""},
		{"refused before", []any{good, old(status(401))}, since(week), Ready, "", ""},
		{"unknown before", []any{good, old(unknownCall)}, since(week), Ready, "", ""},
		{"unknown after", []any{good, call(unknownCall, when(at(15)))}, since(week), NotEnough, "", "unknown_calls"},
		{"another service before", []any{good, old(findings("local-responder"))}, since(week), Ready, "", ""},
		{"told together, all before", []any{good, call(when(at(1)), foldedOver(at(13)))}, since(week), Ready, "", ""},
		{"told together, some after", []any{good, call(when(at(1)), foldedOver(at(15)))}, since(week), NotReady, "v1_calls", ""},
		{"without a time", []any{good, call(when(time.Time{}))}, since(week), NotReady, "v1_calls", ""},
		{"by a clock that was not set", []any{good, call(when(time.Unix(100, 0)))}, since(week), NotReady, "v1_calls", ""},
		{"one host before, another after", []any{good, threeWeeks("web-2"), old(), call(from("web-2"), when(at(15)))}, since(week), NotReady, "v1_calls", ""},
		{"not long enough after", good, since(Options{MinDays: 8}), NotEnough, "", "observed_time"},
		{"no boot after", capture{host: "web-1", boot: "b1", started: day, uptime: 20}.until(at(21)), since(week), NotEnough, "", "no_boot"},
		{"lost before", []any{lost.start(), lost.stop(at(-1)), good, old(when(at(-2))), old(when(at(-2))), old(when(at(-2)))}, since(week), Ready, "", ""},
		{"lost before, and all counts", []any{lost.start(), lost.stop(at(-1)), good}, week, NotEnough, "", "packets_dropped calls_not_read"},
		{"calls before that no log has", []any{lost.start(), lost.stop(at(-1)), good}, since(week), NotEnough, "", "calls_not_read"},
		{"nothing since, and no time is asked for", []any{threeWeeks("web-1"), old()}, Options{NoBoot: true, Since: at(30)}, NotEnough, "", "observed_time"},
		{"nothing since on one of two hosts", []any{aWeek("web-1"), threeWeeks("web-2")}, Options{NoBoot: true, Since: updated()}, NotEnough, "", "observed_time"},
		{"nothing since but a call of which nothing is asked", []any{aWeek("web-1"), call(v2, when(at(15)))}, Options{NoBoot: true, Since: updated()}, Ready, "", ""},
		{"nothing since but a capture of which nothing is asked", good, Options{NoBoot: true, Since: at(20.9)}, Ready, "", ""},
		{"lost by a capture that goes on", []any{within.start(), within.stop(at(21))}, since(Options{NoBoot: true}), NotEnough, "", "packets_dropped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			straight := take(New(tt.options), tt.lines...)
			stated := New(tt.options)
			if err := stated.State(read(t, written(t, take(New(week), tt.lines...).Snapshot()))); err != nil {
				t.Fatal(err)
			}
			for _, b := range []*Builder{straight, stated} {
				checkVerdict(t, &b.Report().Verdict, tt.want, tt.against, tt.missing)
			}
		})
	}
}

func (c capture) until(t time.Time) []any { return []any{c.start(), c.stop(t)} }

// The report names the time, and comes last to programs of before.
func TestSinceIsTold(t *testing.T) {
	var lines []any
	for range 3 {
		lines = append(lines, call(process("/before"), when(at(2))))
	}
	lines = append(lines, threeWeeks("web-1"), call(process("/after"), when(at(13))), call(process("/after"), when(at(15))))
	r := take(New(since(week)), lines...).Report()
	if p := r.Programs; len(p) != 2 || p[0].Name != "/after" || p[0].NotSince || p[0].Blocking != 1 || !p[1].NotSince || p[1].Blocking != 0 || p[1].Calls.V1 != 3 {
		t.Errorf("the programs are %+v", r.Programs)
	}
	if h := r.Hosts[0]; h.Blocking != 1 || h.Observed.Days != 7 || h.Observed.Boots.Count != 1 || !h.Observed.First.Equal(rebooted()) {
		t.Errorf("the host is %+v", r.Hosts[0])
	}
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	printed := text.String() + reported(t, r)
	for _, want := range []string{"/before (not since 2026-03-16)\n", "2 v1, 0 v2; 1 of the v1 calls are in the way; 1 from before 2026-03-16\n", `"since": "2026-03-16T00:00:00Z"`, `"before_since": 3`, `"not_since": true`} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
	ready := take(New(since(week)), threeWeeks("web-1")).Report()
	if got, want := ready.Headline(), "Ready: nothing was seen since 2026-03-16 that needs IMDSv1. It can be switched off."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Calls that have a time count from when a report is asked, and no others. A state has but
// the time of the latest.
func TestSinceIsExactWhereItCanBe(t *testing.T) {
	folded := func(e *output.Entry) {
		e.IMDS.Folded = output.Folded{Reason: output.ReasonRate, Calls: 5, First: at(1), Last: at(3)}
	}
	before := []any{call(when(at(2))), call(when(at(3)), status(401)), call(when(at(1)), folded), call(when(at(4)), unknownCall)}
	after := []any{call(when(at(15))), call(when(at(16)), status(401)), call(when(at(15)), unknownCall)}
	tests := []struct {
		name                      string
		state, log                []any
		blocking, refused, before uint64
		notSince                  bool
	}{
		{"a log", nil, append(before, after...), 2, 1, 8, false},
		{"a log of before", nil, before, 0, 0, 8, true},
		{"a log of afterwards", nil, after, 2, 1, 0, false},
		{"a state of before, and a log", before, after, 2, 1, 8, false},
		{"a state of before", before, nil, 0, 0, 8, true},
		{"a state of both", append(before, after...), nil, 9, 2, 0, false},
		{"a log of another host", before, []any{call(from("web-2"), when(at(2))), call(from("web-2"), when(at(15)))}, 1, 0, 9, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := New(since(week))
			if err := b.State(read(t, written(t, take(New(week), tt.state...).Snapshot()))); err != nil {
				t.Fatal(err)
			}
			r := take(b, tt.log...).Report()
			p, of := &r.Programs[0], uint64(0)
			if p.Blocking != tt.blocking || p.Refused != tt.refused || p.Before != tt.before || p.NotSince != tt.notSince {
				t.Errorf("%d are in the way, %d refused, %d from before, none since: %v", p.Blocking, p.Refused, p.Before, p.NotSince)
			}
			for _, h := range r.Hosts {
				of += h.Blocking
			}
			if of != tt.blocking {
				t.Errorf("%d are in the way on hosts", of)
			}
		})
	}
}

// What a report is asked from is not in the state that is made of it.
func TestSinceIsInNoState(t *testing.T) {
	lines := append(threeWeeks("web-1"), call(when(at(2))), call(when(at(15))))
	if got, want := written(t, take(New(since(week)), lines...).Snapshot()), written(t, take(New(week), lines...).Snapshot()); got != want {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
}

// Where no time of observation is asked for, the report says that there is none.
func TestNothingSinceIsTold(t *testing.T) {
	two := []any{aWeek("web-1"), aWeek("web-2")}
	for want, o := range map[string]Options{
		"nothing was observed since 2026-03-16 on 2 hosts":                                               {NoBoot: true, Since: updated()},
		"2 hosts were observed for less than 7 days since 2026-03-16T00:00:01Z, one of them for no time": {MinDays: 7, NoBoot: true, Since: updated().Add(time.Second)},
	} {
		if v := take(New(o), two...).Report().Verdict; len(v.Missing) != 1 || v.Missing[0].Text != want {
			t.Errorf("it is %+v, want %q", v, want)
		}
	}
}

// A state of a version that did not tell when a host's calls were made tells it of the program.
func TestSinceInOlderStates(t *testing.T) {
	for when, want := range map[time.Time]Status{at(13): Ready, at(15): NotReady} {
		s := written(t, take(New(week), threeWeeks("web-1"), call(func(e *output.Entry) { e.Timestamp = when })).Snapshot())
		last := `,"last":"` + when.Format(time.RFC3339) + `"}]`
		older := strings.Replace(s, last, "}]", 1)
		if older == s {
			t.Fatalf("%s is not in %s", last, s)
		}
		b := New(since(week))
		if err := b.State(read(t, older)); err != nil {
			t.Fatal(err)
		}
		if got := b.Report().Verdict.Status; got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
}

// Of the sessions that are not kept apart any more only so much time counts as is sure.
func TestSinceOfManySessions(t *testing.T) {
	b := New(since(week))
	const hourly = 24 * 21
	for i := range hourly {
		c := capture{host: "web-1", boot: "b1", started: at(float64(i) / 24), uptime: 20}
		b = take(b, c.until(at(float64(i+1)/24))...)
	}
	if days := b.Report().Hosts[0].Observed.Days; days < 6.99 || days > 7.01 {
		t.Errorf("%v days of 7 were observed", days)
	}
	gap := New(since(week))
	for i := range hourly {
		if i < hourly/3 || i >= hourly*2/3 { // nothing in the second week
			c := capture{host: "web-1", boot: "b1", started: at(float64(i) / 24), uptime: 20}
			gap = take(gap, c.until(at(float64(i+1)/24))...)
		}
	}
	if days := gap.Report().Hosts[0].Observed.Days; days > 7.01 {
		t.Errorf("%v days of 7 were observed", days)
	}
}
