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
		{"lost before", []any{lost.start(), lost.stop(at(-1)), good, old(), old(), old()}, since(week), Ready, "", ""},
		{"lost before, and all counts", []any{lost.start(), lost.stop(at(-1)), good}, week, NotEnough, "", "packets_dropped calls_not_read"},
		{"calls before that no log has", []any{lost.start(), lost.stop(at(-1)), good}, since(week), NotEnough, "", "calls_not_read"},
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
	lines = append(lines, threeWeeks("web-1"), call(process("/after"), when(at(15))))
	r := take(New(since(week)), lines...).Report()
	if p := r.Programs; len(p) != 2 || p[0].Name != "/after" || p[0].Before || p[0].Blocking != 1 || !p[1].Before || p[1].Blocking != 0 || p[1].Calls.V1 != 3 {
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
	for _, want := range []string{"/before (not since 2026-03-16)\n", `"since": "2026-03-16T00:00:00Z"`, `"before_since": true`} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
	ready := take(New(since(week)), threeWeeks("web-1")).Report()
	if got, want := ready.Headline(), "Ready: nothing was seen since 2026-03-16 that needs IMDSv1. It can be switched off."; got != want {
		t.Errorf("%q, want %q", got, want)
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
