package page

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/report"
)

// Settings are to be typed in: each that is known is on the page as it is.
func TestSettingsAreVerbatim(t *testing.T) {
	data, err := os.ReadFile("../../diagnosis/software.json")
	if err != nil {
		t.Fatal(err)
	}
	var known []struct{ Name, Setting, Note string }
	if err := json.Unmarshal(data, &known); err != nil {
		t.Fatal(err)
	}
	settings := 0
	for _, k := range known {
		p := report.Program{Name: "p", Software: report.Software{Name: k.Name, Setting: k.Setting, Note: k.Note}, Causes: []report.Cause{{Text: k.Name + " is too old"}}}
		texts := look(t, written(t, &report.Report{Programs: []report.Program{p}})).texts
		if k.Setting != "" && !slices.Contains(texts, k.Setting) {
			t.Errorf("%s: %q is not on the page", k.Name, k.Setting)
		}
		if all := strings.Join(texts, ""); !strings.Contains(all, k.Name+" is too old.") || !strings.Contains(all, k.Note) {
			t.Errorf("%s: the name or the note is not on the page", k.Name)
		}
		if k.Setting != "" {
			settings++
		}
	}
	if settings < 10 {
		t.Errorf("there are but %d settings", settings)
	}
}

// A setting that is followed before the cause is seen to makes calls fail, and the page
// says so.
func TestSettingBeforeTheFix(t *testing.T) {
	for finding, fails := range map[string]bool{
		"": true, "fallback-token-refused": true, "script-without-token": true, "other-cloud": false, "local-responder": false,
	} {
		p := report.Program{Software: report.Software{Setting: "a=b"}, Causes: []report.Cause{{Finding: "other-cloud"}, {Finding: finding}}}
		page := written(t, &report.Report{Programs: []report.Program{p}})
		if !strings.Contains(page, "To keep it from version 1, once fixed:") || strings.Contains(page, "Set before that, it makes the calls fail.") != fails {
			t.Errorf("%q: that calls fail is not said %v", finding, fails)
		}
	}
}

// As many programs as are told apart have a row each.
func TestManyPrograms(t *testing.T) {
	one := full(t)
	r := *one
	r.Programs = nil
	for i := range 2048 {
		p := one.Programs[i%len(one.Programs)]
		p.Owner, p.Executable, p.Script = "team-platform/frontend-gateway", "/usr/lib/jvm/java-17-amazon-corretto/bin/java", fmt.Sprintf("/opt/services/frontend/run-%04d.sh", i)
		p.Name = p.Owner + ": " + p.Executable + " " + p.Script
		r.Programs = append(r.Programs, p)
	}
	page := written(t, &r)
	articles, rows := strings.Count(page, "<article"), strings.Count(page, "<tr><td><bdi>team-platform")
	if articles < 50 || articles+rows != len(r.Programs) {
		t.Errorf("of %d programs %d are shown whole, and %d in a line", len(r.Programs), articles, rows)
	}
	for _, p := range r.Programs {
		if !strings.Contains(page, "<bdi>"+p.Script+"</bdi>") {
			t.Fatalf("%s is not on the page", p.Name)
		}
	}
	if strings.Contains(page, "more program") || len(page) > maxBytes {
		t.Errorf("some are left out of %d bytes", len(page))
	}
}

// Each part of a program's title has a direction of its own, so that one that is written
// from right to left does not move the others.
func TestProgramName(t *testing.T) {
	for want, p := range map[string]report.Program{
		"<h3><bdi>a/b</bdi>: <bdi>/bin/c</bdi> <bdi>/d</bdi> <": {Name: "a/b: /bin/c /d", Owner: "a/b", Executable: "/bin/c", Script: "/d"},
		"<h3><bdi>/bin/c</bdi> <":                               {Name: "/bin/c", Executable: "/bin/c"},
		"<h3><bdi>process not known, User-Agent x</bdi> <":      {Name: "process not known, User-Agent x"},
	} {
		if page := written(t, &report.Report{Programs: []report.Program{p}}); !strings.Contains(page, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
}
