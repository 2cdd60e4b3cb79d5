package page

import (
	"encoding/json"
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
