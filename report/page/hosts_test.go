package page

import (
	"fmt"
	"strings"
	"testing"

	"imds-analyzer/report"
)

func judged(s report.Status, ids ...string) report.Host {
	h := report.Host{Verdict: report.Verdict{Status: s}}
	for _, id := range ids {
		h.Verdict.Missing = append(h.Verdict.Missing, report.Item{ID: id})
	}
	if s == report.NotReady {
		h.Verdict.Against = []report.Item{{ID: "v1_calls"}}
	}
	return h
}

func viewOf(t *testing.T, r *report.Report) *view {
	t.Helper()
	templates, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	v, err := newView(r, made(), templates)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestGroups(t *testing.T) {
	r := &report.Report{Hosts: []report.Host{
		judged(report.NotReady, "no_boot"), judged(report.NotReady), judged(report.NotEnough, "no_boot"),
		judged(report.NotEnough, "observed_time", "no_boot"), judged(report.NotEnough, "observed_time", "no_boot"), judged(report.Ready),
	}}
	want := []string{
		"not_ready: calls without a token: 2",
		"not_enough_evidence: observed for too short a time, no boot observed: 2",
		"not_enough_evidence: no boot observed: 1",
		"ready: : 1",
	}
	v := viewOf(t, r)
	if len(v.Groups) != len(want) {
		t.Fatalf("groups are %+v", v.Groups)
	}
	for i, g := range v.Groups {
		if got := fmt.Sprintf("%s: %s: %d", g.Status, g.Reason, g.Hosts.Total); got != want[i] || !g.Open || len(g.Hosts.Shown) != g.Hosts.Total {
			t.Errorf("group %d is %s, %+v, want %s", i, got, g, want[i])
		}
	}
	if got := fmt.Sprint(v.Standings); got != "[{not_ready 2} {not_enough_evidence 3} {ready 1}]" {
		t.Errorf("standings are %s", got)
	}
}

// What is known of a host gives way to a line, and that to a number.
func TestHostsGiveWay(t *testing.T) {
	templates, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	h := judged(report.Ready)
	whole, lines := newPart(templates, 1500), newPart(templates, 600)
	var g group
	for range 20 {
		if err := g.add(&h, whole, lines); err != nil {
			t.Fatal(err)
		}
	}
	kinds := map[bool]int{}
	for _, shown := range g.Hosts.Shown {
		kinds[strings.HasPrefix(string(shown), "<details")]++
	}
	if g.Hosts.Total != 20 || len(g.Hosts.Shown)+g.Hosts.More != 20 || kinds[true] < 2 || kinds[false] < 2 || g.Hosts.More < 2 {
		t.Errorf("of %d hosts %v are shown, and %d are not", g.Hosts.Total, kinds, g.Hosts.More)
	}
	if whole.room < 0 || lines.room < 0 {
		t.Errorf("%d and %d bytes are left", whole.room, lines.room)
	}
}
