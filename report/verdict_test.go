package report

import (
	"errors"
	"testing"

	"imds-analyzer/output"
)

// Each thing that speaks against switching version 1 off, or is missing, does so alone:
// without it the verdict is the other one.
func TestVerdict(t *testing.T) {
	counted := func(c output.Counts) []any {
		s := capture{host: "web-1", boot: "b1", started: day, uptime: 20, counts: c}
		return []any{s.start(), s.runs(at(3)), s.stop(at(7))}
	}
	good := aWeek("web-1")
	many := new(uint64(3))
	tests := []struct {
		name    string
		lines   []any
		options Options
		want    Status
		against string
		missing string
	}{
		{"nothing at all", nil, week, NotEnough, "", "nothing_observed"},
		{"a quiet week with a boot", good, week, Ready, "", ""},
		{"v2 only", []any{good, call(v2), call(tokenRequest)}, week, Ready, "", ""},
		{"v1 that succeeded", []any{good, call()}, week, NotReady, "v1_calls", ""},
		{"v1 that was refused for want of a token", []any{good, call(status(401))}, week, NotReady, "v1_refused", ""},
		{"v1 that succeeded, and was refused later", []any{good, call(), call(status(401), when(at(2)))}, week, NotReady, "v1_calls v1_refused", ""},
		{"refused, and ignored", []any{good, call(status(401), process("/usr/bin/curl"))}, Options{MinDays: 7, Ignore: []string{"curl"}}, Ready, "", ""},
		{"refused by another service", []any{good, call(status(401), findings("local-responder"))}, week, NotEnough, "", "local_responder"},
		{"v1 for what is not there", []any{good, call(status(404))}, week, NotReady, "v1_calls", ""},
		{"v1 that the service failed at", []any{good, call(status(503))}, week, NotReady, "v1_calls", ""},
		{"v1 without an answer", []any{good, call(status(0))}, week, NotReady, "v1_calls", ""},
		{"v1 that was malformed", []any{good, call(status(400))}, week, Ready, "", ""},
		{"v1 that was forbidden", []any{good, call(status(403))}, week, Ready, "", ""},
		{"v1 with a method that is not allowed", []any{good, call(status(405))}, week, Ready, "", ""},
		{"another cloud's path", []any{good, call(status(404), findings("other-cloud"))}, week, Ready, "", ""},
		{"another cloud's path, half seen", []any{good, call(unknownCall, findings("other-cloud"))}, week, Ready, "", ""},
		{"another service answers", []any{good, call(findings("local-responder"))}, week, NotEnough, "", "local_responder"},
		{"ignored", []any{good, call(process("/usr/bin/curl"))}, Options{MinDays: 7, Ignore: []string{"curl"}}, Ready, "", ""},
		{"another one is ignored", []any{good, call(process("/usr/bin/wget"))}, Options{MinDays: 7, Ignore: []string{"curl"}}, NotReady, "v1_calls", ""},
		{"ignored and half seen", []any{good, call(unknownCall, process("/usr/bin/curl"))}, Options{MinDays: 7, Ignore: []string{"curl"}}, Ready, "", ""},
		{"unknown version", []any{good, call(unknownCall)}, week, NotEnough, "", "unknown_calls"},
		{"no process, v2", []any{good, call(v2)}, week, Ready, "", ""},
		{"too short", good, Options{MinDays: 7.01}, NotEnough, "", "observed_time"},
		{"long enough for a day", good, Options{MinDays: 1}, Ready, "", ""},
		{"calls alone", []any{call(v2)}, week, NotEnough, "", "observed_time no_boot"},
		{"calls alone, of which nothing is asked", []any{call(v2)}, Options{NoBoot: true}, Ready, "", ""},
		{"no boot", capture{host: "web-1", boot: "b1", started: day, uptime: 301}.week(), week, NotEnough, "", "no_boot"},
		{"no boot, waived", capture{host: "web-1", boot: "b1", started: day, uptime: 301}.week(), Options{MinDays: 7, NoBoot: true}, Ready, "", ""},
		{"dropped by the kernel", counted(output.Counts{PacketsDroppedKernel: 2}), week, NotEnough, "", "packets_dropped"},
		{"dropped by the interface", counted(output.Counts{PacketsDroppedInterface: 2}), week, NotEnough, "", "packets_dropped"},
		{"not read", counted(output.Counts{PacketsNotRead: 2}), week, NotEnough, "", "packets_not_read"},
		{"cut", counted(output.Counts{RequestsCut: many}), week, NotEnough, "", "requests_cut"},
		{"without a fragment", counted(output.Counts{RequestsPartial: 2}), week, NotEnough, "", "requests_partial"},
		{"files without the service", counted(output.Counts{Segments: new(uint64(0))}), week, NotEnough, "", "no_segments"},
		{"files with the service", counted(output.Counts{Segments: new(uint64(1))}), week, Ready, "", ""},
		{"files with the service later", append(counted(output.Counts{Segments: new(uint64(0))}), counted(output.Counts{Segments: new(uint64(1))})...), week, Ready, "", ""},
		{"not HTTP/1", counted(output.Counts{StreamsNotHTTP: 2}), week, NotEnough, "", "streams_not_http"},
		{"gaps", counted(output.Counts{RequestGaps: 2}), week, NotEnough, "", "request_gaps"},
		{"files read late", counted(output.Counts{FilesLate: 2}), week, NotEnough, "", "files_late"},
		{"ended early", counted(output.Counts{EndedEarly: true}), week, NotEnough, "", "ended_early"},
		{"answers without requests", counted(output.Counts{ResponsesUnmatched: 3}), week, NotEnough, "", "responses_unmatched"},
		{"too many connections", counted(output.Counts{ConnectionsEvicted: 3}), week, NotEnough, "", "connections_evicted"},
		{"truncated", counted(output.Counts{Truncated: true}), week, NotEnough, "", "truncated"},
		{"without packets", counted(output.Counts{ConnectionsWithoutPackets: many}), week, NotEnough, "", "connections_without_packets"},
		{"without packets, known to be none", counted(output.Counts{ConnectionsWithoutPackets: new(uint64(0))}), week, Ready, "", ""},
		{"events lost", counted(output.Counts{EventsLost: 5, AttributionMissed: 7}), week, Ready, "", ""},
		{"v1 that no log has", counted(output.Counts{CallsV1: 2}), week, NotEnough, "", "calls_not_read"},
		{"unknown that no log has", counted(output.Counts{CallsUnknown: 2}), week, NotEnough, "", "calls_not_read"},
		{"v1 that the log has", []any{counted(output.Counts{CallsV1: 1}), call(status(403))}, week, Ready, "", ""},
		{"a log with a gap", []any{good, capture{host: "web-1", boot: "b1", started: day}.gap(at(3), 2)}, week, NotEnough, "", "entries_not_written"},
		{"both", []any{call(), call(unknownCall)}, week, NotReady, "v1_calls", "observed_time no_boot unknown_calls"},
		{"one of two hosts", []any{good, aWeek("web-2"), call(from("web-2"))}, week, NotReady, "v1_calls", ""},
		{"one of two not observed", []any{good, call(from("web-2"), v2)}, week, NotEnough, "", "observed_time no_boot"},
		{"both observed", []any{good, aWeek("web-2")}, week, Ready, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := take(New(tt.options), tt.lines...).Report().Verdict
			checkVerdict(t, &v, tt.want, tt.against, tt.missing)
			for _, i := range append(v.Against, v.Missing...) {
				if i.Text == "" || i.Count == 0 && i.ID != itemNothing && i.ID != itemTime && i.ID != itemBoot {
					t.Errorf("%s says %q of %d", i.ID, i.Text, i.Count)
				}
			}
		})
	}
}

func checkVerdict(t *testing.T, v *Verdict, want Status, against, missing string) {
	t.Helper()
	if v.Status != want || ids(v.Against) != against || ids(v.Missing) != missing {
		t.Errorf("%s, against %q, missing %q; want %s, %q, %q", v.Status, ids(v.Against), ids(v.Missing), want, against, missing)
	}
}

func (c capture) week() []any { return []any{c.start(), c.stop(c.started.AddDate(0, 0, 7))} }

func TestMalformedLinesKeepItFromReady(t *testing.T) {
	b := take(New(week), aWeek("web-1"))
	for line := 12; line > 0; line-- {
		b.Malformed("imds.log", line, errors.New("no JSON\x1b[2J"))
	}
	b.NotOurs(3)
	r := b.Report()
	if r.Verdict.Status != NotEnough || ids(r.Verdict.Missing) != itemMalformed || r.Verdict.Missing[0].Count != 12 {
		t.Errorf("the verdict is %+v", r.Verdict)
	}
	if n := len(r.Inputs.MalformedLines); n != maxMalformed {
		t.Errorf("%d lines are named", n)
	}
	if first := r.Inputs.MalformedLines[0]; first.Line != 1 || first.Error != "no JSON\uFFFD[2J" {
		t.Errorf("the first line is %+v", first)
	}
	if r.Inputs.NotOurs != 3 {
		t.Errorf("%d lines are not ours", r.Inputs.NotOurs)
	}
}

// Hosts of which most is to be told come first, and each has a verdict of its own.
func TestHostsInOrder(t *testing.T) {
	b := take(New(week), aWeek("calm"), call(from("few"), v2), aWeek("bad"), call(from("bad")), aWeek("worse"), call(from("worse")), call(from("worse")))
	var got string
	r := b.Report()
	for _, h := range r.Hosts {
		got += h.Hostname + "=" + string(h.Verdict.Status) + " "
	}
	if want := "worse=not_ready bad=not_ready few=not_enough_evidence calm=ready "; got != want {
		t.Errorf("hosts are %q, want %q", got, want)
	}
	if v1 := r.Verdict.Against[0]; v1.Count != 3 || v1.Hosts != 2 || v1.Text != "3 calls on 2 hosts succeeded without a token, or would have" {
		t.Errorf("against it is %+v", v1)
	}
}

// Of several hosts it is told how many lack something, and of time how much the worst
// has.
func TestMissingOnSeveralHosts(t *testing.T) {
	short := func(host string, days float64) []any {
		c := capture{host: host, boot: "b1", started: day, uptime: 20}
		return []any{c.start(), c.stop(at(days))}
	}
	const nearly = 7 - 1e-4 // 9 seconds less
	for want, hosts := range map[string][]any{
		"3 hosts were observed for less than 7 days, one of them for 2 days":        {short("a", 3), short("b", 2), short("c", 5), aWeek("d")},
		"2 hosts were observed for less than 7 days, one of them for almost 7 days": {short("a", nearly), short("b", nearly)},
		"observed for almost 7 days, which is less than 7 days":                     {short("a", nearly), aWeek("d")},
	} {
		v := take(New(week), hosts...).Report().Verdict
		if len(v.Missing) != 1 || v.Missing[0].Text != want {
			t.Errorf("missing is %+v, want %q", v.Missing, want)
		}
	}
}

func TestOptionsCheck(t *testing.T) {
	nan := 0.0
	for _, days := range []float64{-1, 1e9, nan / nan} {
		if (Options{MinDays: days}).Check() == nil {
			t.Errorf("%v days are right", days)
		}
	}
	for _, days := range []float64{0, 0.5, 7} {
		if err := (Options{MinDays: days}).Check(); err != nil {
			t.Errorf("%v days: %v", days, err)
		}
	}
}

// Captures that do not tell their host may be of several.
func TestVerdictOnHostsNotTold(t *testing.T) {
	one, two := capture{boot: "b1", started: at(0), uptime: 20}, capture{boot: "b2", started: at(8), uptime: 15}
	for n, lines := range [][]any{{one.start(), one.stop(at(7.5))}, {one.start(), one.stop(at(7.5)), two.start(), two.stop(at(16))}} {
		want := []Status{Ready, NotEnough}[n]
		for _, line := range lines {
			l := line.(*output.Lifecycle)
			l.HostFields = output.HostFields{Host: output.HostField{Uptime: l.Host.Uptime}}
		}
		if r := take(New(week), lines...).Report(); r.Verdict.Status != want || (want == Ready) != (len(r.Verdict.Missing) == 0) {
			t.Errorf("%d captures: %s, %+v", n+1, r.Verdict.Status, r.Verdict.Missing)
		}
	}
}

// Hosts beyond those that are told apart are not ready, however silent they were.
func TestSilentHostsBeyondThoseToldApart(t *testing.T) {
	b := New(week)
	for i := range maxHosts + 2 {
		take(b, capture{host: number(uint64(i)), boot: "b1", started: at(1), uptime: 10}.week()...)
	}
	r := b.Report()
	for i := range r.Hosts {
		h := &r.Hosts[i]
		if others := h.Others(); others == (h.Verdict.Status == Ready) {
			t.Fatalf("%s: %s, %v", h.Name, h.Verdict.Status, ids(h.Verdict.Missing))
		}
	}
	if v := r.Verdict; v.Status != NotEnough || v.Missing[0].Text != "hosts beyond the 4096 that are told apart, with 0 calls: make several reports" {
		t.Errorf("all are %+v", v)
	}
}

// Each item has words of its own.
func TestItemsHaveTexts(t *testing.T) {
	seen := map[string]string{}
	for _, id := range itemOrder() {
		text := (&Item{ID: id, Count: 2, Hosts: 1, Days: new(0.5)}).text(week)
		if other, there := seen[text]; there || len(text) < len("2 packets dropped") {
			t.Errorf("%s says %q, as %s does", id, text, other)
		}
		seen[text] = id
	}
}
