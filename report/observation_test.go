package report

import (
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
)

// offline is what the reading of a capture file says.
func offline(read, first, last time.Time) []any {
	s := output.Session{Started: read, Interfaces: []string{"boot.pcapng"}}
	start, stop := s.Start(), s.Progress(output.CaptureStopped, read.Add(time.Second), output.Counts{})
	stop.IMDS.Capture.FirstPacket, stop.IMDS.Capture.LastPacket = first, last
	return []any{&start, &stop}
}

// For how long a host was observed, and which of its boots and shutdowns.
func TestObservation(t *testing.T) {
	one := capture{host: "web-1", boot: "b1", started: at(0), uptime: 20}
	restarted := capture{host: "web-1", boot: "b1", started: at(2), uptime: 172820}
	two := capture{host: "web-1", boot: "b2", started: at(4), uptime: 15}
	late := capture{host: "web-1", boot: "b2", started: at(4), uptime: 31}
	justInTime := capture{host: "web-1", boot: "b2", started: at(4), uptime: 30}
	timeless := capture{host: "web-1", boot: "b2", started: at(4)}
	bootless := capture{host: "web-1", started: at(4)}
	here := from("web-1")
	tests := []struct {
		name             string
		lines            []any
		days             float64
		boots, shutdowns uint64
	}{
		{"nothing", []any{call(v2)}, 0, 0, 0},
		{"started alone", []any{one.start()}, 0, 1, 0},
		{"stopped", []any{one.start(), one.stop(at(3))}, 3, 1, 0},
		{"still runs", []any{one.start(), one.runs(at(2))}, 2, 1, 0},
		{"killed after a call", []any{one.start(), call(v2, when(at(1)))}, 1, 1, 0},
		{"call after the stop", []any{one.start(), one.stop(at(1)), call(v2, when(at(3)))}, 1, 1, 0},
		{"call before the start", []any{one.start(), one.stop(at(1)), call(v2, when(at(-3)))}, 1, 1, 0},
		{"start's line lost", []any{one.runs(at(1)), one.stop(at(2))}, 2, 0, 0},
		{"restarted", []any{one.start(), one.stop(at(1)), restarted.start(), restarted.stop(at(3))}, 2, 1, 0},
		{"restarted while it runs", []any{one.start(), one.stop(at(3)), restarted.start(), restarted.stop(at(4))}, 4, 1, 0},
		{"within another", []any{one.start(), one.stop(at(4)), restarted.start(), restarted.stop(at(3))}, 4, 1, 0},
		{"rebooted", []any{one.start(), one.stop(at(3)), two.start(), two.stop(at(6))}, 5, 2, 1},
		{"crashed", []any{one.start(), call(v2, when(at(1))), call(v2, when(at(2))), call(v2, when(at(3))), two.start(), two.stop(at(6))}, 5, 2, 0},
		{"started late after a boot", []any{one.start(), one.stop(at(3)), late.start(), late.stop(at(6))}, 5, 1, 1},
		{"just in time", []any{justInTime.start(), justInTime.stop(at(6))}, 2, 1, 0},
		{"late alone", []any{late.start(), late.stop(at(6))}, 2, 0, 0},
		{"time since the boot not known", []any{one.start(), one.stop(at(3)), timeless.start(), timeless.stop(at(6))}, 5, 2, 1},
		{"not known, start's line lost", []any{one.start(), one.stop(at(3)), timeless.runs(at(5)), timeless.stop(at(6))}, 5, 1, 1},
		{"not known, alone", []any{timeless.start(), timeless.stop(at(6))}, 2, 0, 0},
		{"not known, overlapping", []any{one.start(), one.stop(at(5)), timeless.start(), timeless.stop(at(6))}, 6, 1, 0},
		{"boots not known", []any{bootless.start(), bootless.stop(at(6))}, 2, 0, 0},
		{"another host's", []any{one.start(), one.stop(at(3)), call(v2, from("web-2"), when(at(5))), call(here, v2)}, 3, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o Observed
			for _, h := range take(New(week), tt.lines...).Report().Hosts {
				if h.Hostname == "web-1" {
					o = h.Observed
				}
			}
			if o.Days != tt.days || o.Boots.Count != tt.boots || o.Shutdowns.Count != tt.shutdowns {
				t.Errorf("%v days, %d boots, %d shutdowns; want %v, %d, %d", o.Days, o.Boots.Count, o.Shutdowns.Count, tt.days, tt.boots, tt.shutdowns)
			}
		})
	}
}

func TestBootsHaveTheirTimes(t *testing.T) {
	one := capture{host: "web-1", boot: "b1", started: at(0), uptime: 20}
	two := capture{host: "web-1", boot: "b2", started: at(4), uptime: 15}
	o := take(New(week), two.start(), two.stop(at(5)), one.start(), one.stop(at(3))).Report().Hosts[0].Observed
	if want := []time.Time{at(0).Add(-20 * time.Second), at(4).Add(-15 * time.Second)}; jsonOf(t, o.Boots.Times) != jsonOf(t, want) {
		t.Errorf("boots were at %v, want %v", o.Boots.Times, want)
	}
	if want := []time.Time{at(3)}; jsonOf(t, o.Shutdowns.Times) != jsonOf(t, want) {
		t.Errorf("shutdowns were at %v, want %v", o.Shutdowns.Times, want)
	}
}

// Captures in files were made when their packets were, not when they are read.
func TestObservationOfFiles(t *testing.T) {
	read := at(100)
	tests := []struct {
		name  string
		lines []any
		days  float64
	}{
		{"one", offline(read, at(1), at(3)), 2},
		{"without packets", offline(read, time.Time{}, time.Time{}), 0},
		{"apart", []any{offline(read, at(1), at(3)), offline(read.Add(time.Hour), at(5), at(6))}, 3},
		{"overlapping, the later read first", []any{offline(read, at(2), at(4)), offline(read.Add(time.Hour), at(1), at(3))}, 3},
		{"with calls", []any{offline(read, at(1), at(3)), call(v2, from(""), when(at(2)))}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := take(New(week), tt.lines...).Report().Hosts[0].Observed
			if o.Days != tt.days || o.Boots.Count != 0 {
				t.Errorf("%v days and %d boots, want %v and none", o.Days, o.Boots.Count, tt.days)
			}
		})
	}
}

// Counts are since the start of a session: of several lines the last holds, and those
// of several sessions add up.
func TestCountsOfSessions(t *testing.T) {
	one := capture{host: "web-1", boot: "b1", started: at(0)}
	two := capture{host: "web-1", boot: "b1", started: at(3)}
	one.counts = output.Counts{PacketsDroppedKernel: 1}
	early := one.runs(at(1))
	one.counts = output.Counts{PacketsDroppedKernel: 2, PacketsDroppedInterface: 3}
	last := one.stop(at(2))
	two.counts = output.Counts{PacketsDroppedKernel: 10}
	r := take(New(week), last, early, two.runs(at(4))).Report()
	if got := r.Hosts[0].Observed.Dropped; got != 15 {
		t.Errorf("%d packets dropped, want 15", got)
	}
	if got := r.Verdict.Missing; !strings.Contains(jsonOf(t, got), `"text":"15 packets dropped"`) {
		t.Errorf("missing is %+v", got)
	}
}

// A host has more captures than are kept apart: what they add up to stays the same.
func TestManySessions(t *testing.T) {
	b, all := New(week), 3*maxSessions
	for i := range all {
		c := capture{host: "web-1", boot: "b" + string(rune('a'+i%26)), started: at(float64(i)), uptime: 20}
		c.counts.PacketsDroppedKernel = 1
		take(b, c.start(), c.stop(at(float64(i)+0.5)))
	}
	o := b.Report().Hosts[0].Observed
	if n := uint64(all); o.Sessions != n || o.Days != float64(all)/2 || o.Boots.Count != n || o.Shutdowns.Count != n-1 || o.Dropped != n {
		t.Errorf("%d sessions add up to %+v", all, o)
	}
	if n := len(o.Boots.Times); n != maxMoments {
		t.Errorf("%d boots have their times", n)
	}
	late := capture{host: "web-1", boot: "x", started: at(1)}
	again := New(week)
	if err := again.State(b.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if v := take(again, late.start()).Report().Verdict; strings.Contains(ids(v.Missing), itemPassedOver) {
		t.Errorf("a line that the state has counted is missed: %q", ids(v.Missing))
	}
	if v := take(b, late.start()).Report().Verdict; !strings.Contains(ids(v.Missing), itemPassedOver) {
		t.Errorf("a line that was passed over is not missed: %q", ids(v.Missing))
	}
}

// Hours beyond those that are kept are the earliest, in whichever order calls come.
func TestManyHours(t *testing.T) {
	forth, back := New(week), New(week)
	const all = maxHours + 100
	for i := range all {
		forth.Call(call(v2, when(day.Add(time.Duration(i)*time.Hour))))
		back.Call(call(v2, when(day.Add(time.Duration(all-1-i)*time.Hour))))
	}
	a, b := forth.kept.hosts["i-web-1"].Sessions.Hours, back.kept.hosts["i-web-1"].Sessions.Hours
	if len(a) != maxHours || jsonOf(t, a) != jsonOf(t, b) || a[0] != day.Add(100*time.Hour).UnixNano() {
		t.Errorf("%d and %d hours from %v on", len(a), len(b), time.Unix(0, a[0]).UTC())
	}
}
