package page

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
	"imds-analyzer/report"
)

// The top says of what and when the report is, and the footer by what it was made.
func TestSubject(t *testing.T) {
	in := func(regions ...string) (all []report.Host) {
		for i, r := range regions {
			all = append(all, report.Host{Name: fmt.Sprintf("web-%d (i-%d)", i, i), Region: r})
		}
		return all
	}
	last := in("eu-west-1")
	last[0].Observed.Last = at(20)
	for name, tt := range map[string]struct {
		hosts      []report.Host
		top, title string
	}{
		"none":           {nil, "", "IMDSv1: not ready"},
		"one":            {in("eu-central-1"), "web-0 (i-0), eu-central-1", "IMDSv1 on web-0 (i-0): not ready"},
		"one, when":      {last, "web-0 (i-0), eu-west-1", "IMDSv1 on web-0 (i-0), up to 2026-03-02: not ready"},
		"region unknown": {in(""), "web-0 (i-0)", "IMDSv1 on web-0 (i-0): not ready"},
		"two":            {in("us-east-1", "eu-central-1"), "2 hosts in eu-central-1, us-east-1", "IMDSv1 on 2 hosts: not ready"},
		"two unknown":    {in("", ""), "2 hosts", "IMDSv1 on 2 hosts: not ready"},
		"some unknown":   {in("b", "", "b", ""), "4 hosts in b; of 2 hosts the region is not known", "IMDSv1 on 4 hosts: not ready"},
		"many regions":   {in("a", "b", "c", "d", "e", "e"), "6 hosts in a, b, c, d and 1 more region", "IMDSv1 on 6 hosts: not ready"},
	} {
		var written bytes.Buffer
		r := &report.Report{Hosts: tt.hosts, Verdict: report.Verdict{Status: report.NotReady}}
		if err := Write(&written, r, made()); err != nil {
			t.Fatal(err)
		}
		page := written.String()
		if !strings.Contains(page, "<title>"+tt.title+"</title>") {
			t.Errorf("%s: the title is not %q", name, tt.title)
		}
		text := strings.Join(look(t, page).texts, "")
		if strings.Contains(page, `class="who"`) != (tt.top != "") || !strings.Contains(text, "\n"+tt.top+"\n") {
			t.Errorf("%s: the top is not %q", name, tt.top)
		}
		if !strings.Contains(text, "Made by imds-analyzer v1.2.3 on 2026-03-11 12:30 UTC") {
			t.Errorf("%s: the footer does not say by what it was made", name)
		}
	}
}

// One is not many.
func TestSingular(t *testing.T) {
	h := report.Host{Name: "web-1"}
	h.Observed.Boots.Count = 1
	page := written(t, &report.Report{
		Hosts: []report.Host{h}, Programs: []report.Program{{Hosts: 1}}, V2Programs: []report.V2Program{{Hosts: 1}},
		Inventory: &report.Inventory{Instances: 1, Silent: 1},
	})
	for _, want := range []string{"<dt>host</dt><dd>1</dd>", "<dt>boot observed</dt><dd>1</dd>", "<dt>silent instance</dt><dd>1</dd>", "<dt>instance</dt><dd>1</dd>"} {
		if !strings.Contains(page, want) {
			t.Errorf("it has no %s", want)
		}
	}
	for _, wrong := range []string{"<dt>hosts</dt><dd>1<", "<dt>boots observed</dt><dd>1<", ">1 hosts", ">1 boots"} {
		if strings.Contains(page, wrong) {
			t.Errorf("it has %s", wrong)
		}
	}
}

// What stands for hosts that are not told apart is no host.
func TestOtherHosts(t *testing.T) {
	const told = 4096 // by docs/report.md
	b := report.New(week())
	for i := range told + 2 {
		var l output.Lifecycle
		l.Timestamp = at(0)
		l.Host.Hostname = fmt.Sprintf("web-%d", i)
		l.Event.Action = "capture-started"
		l.IMDS.Capture.Started = at(0)
		b.Lifecycle(&l)
	}
	page := written(t, b.Report())
	for _, want := range []string{">4,096 hosts and others<", "<dt>hosts, and others</dt><dd>4,096</dd>", "</i>4,096 not enough evidence<", "<title>IMDSv1 on 4,096 hosts and others"} {
		if !strings.Contains(page, want) {
			t.Errorf("it has no %s", want)
		}
	}
	for _, wrong := range []string{"4,097", "</i>1 ready<", ">1 host<"} {
		if strings.Contains(page, wrong) {
			t.Errorf("others count as a host: %s", wrong)
		}
	}
	if !strings.Contains(page, "<span>not told apart: other hosts</span>") {
		t.Error("others are in no group")
	}
}

// Silent instances are on top: in the figures, and in the bar of verdicts.
func TestSilentOnTop(t *testing.T) {
	r := &report.Report{
		Hosts:     []report.Host{{Verdict: report.Verdict{Status: report.Ready}}, {Verdict: report.Verdict{Status: report.Ready}}},
		Inventory: &report.Inventory{Instances: 8, Heard: 2, Silent: 6},
	}
	header, _, _ := strings.Cut(written(t, r), "</header>")
	for _, want := range []string{
		"<dt>silent instances</dt><dd>6</dd>", `<span class="ready" style="width: 25%"></span><span class="silent" style="width: 75%"></span>`, `<i class="silent"></i>6 silent<`,
	} {
		if !strings.Contains(header, want) {
			t.Errorf("the top has no %s", want)
		}
	}
	r.Inventory = nil
	if header, _, _ := strings.Cut(written(t, r), "</header>"); strings.Contains(header, `class="silent"`) || strings.Contains(header, ">silent") {
		t.Error("without an inventory something is silent")
	}
}

// Times are told in the words of the report's text.
func TestDaysInWords(t *testing.T) {
	h := report.Host{Name: "a"}
	h.Observed.Days, h.Observed.Sessions, h.Verdict.Status = 0.5, 1, report.Ready
	page := written(t, &report.Report{Hosts: []report.Host{h}, Criteria: report.Criteria{MinDays: 0.25}, Verdict: report.Verdict{Status: report.Ready}})
	for _, want := range []string{"<dt>observed</dt><dd>12.0 hours</dd>", "The host was observed for 12.0 hours", "has to be observed for 6.0 hours", "<i>observed</i> 12.0 hours<"} {
		if !strings.Contains(page, want) {
			t.Errorf("it has no %s", want)
		}
	}
}

func made() Made { return Made{"v1.2.3", time.Date(2026, 3, 11, 12, 30, 0, 0, time.UTC)} }
