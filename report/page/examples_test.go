package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"imds-analyzer/report"
	"imds-analyzer/report/logs"
	"imds-analyzer/report/steps"
)

// reportOf is the report on a log, of which lines can be changed.
func reportOf(t *testing.T, name string, o report.Options) *report.Report {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	b := report.New(o)
	if err := logs.Read(context.Background(), bytes.NewReader(data), name+".log", logs.Diagnose(b)); err != nil {
		t.Fatal(err)
	}
	b.Malformed("imds.log.2", 17, errors.New("the line is cut off"))
	b.NotOurs(4)
	return b.Report()
}

func week() report.Options { return report.Options{MinDays: 7} }

// full has all that a report can have.
func full(t *testing.T) *report.Report {
	t.Helper()
	r := reportOf(t, "fleet", report.Options{MinDays: 7, Ignore: []string{"excused"}})
	r.Programs[0].Software.Setting, r.Programs[0].Software.SettingSource = "set AWS_EC2_METADATA_V1_DISABLED=true", "https://example.org/setting"
	r.Hosts[0].Region = "eu-central-1"
	r.Hosts[0].Listed = &report.Listed{HTTPTokens: "required", Contradicts: []string{"http_tokens"}}
	r.Ready = []string{"i-0123456789abcdef4"}
	r.OtherPrograms = &report.Calls{V1: 1234}
	r.Steps = []steps.Step{
		{
			ID: "require-running", Title: "Require version 2 on a running instance", Text: "It takes effect at once.", Warning: "Calls without a token fail from then on.",
			Ways: []steps.Way{
				{Name: "AWS CLI", Language: "sh", Text: "aws ec2 modify-instance-metadata-options \\\n\t--instance-id INSTANCE_ID --region REGION --http-tokens required\n"},
				{Name: "Policy", Language: "json", Text: "{\"Condition\": {\"StringNotEquals\": {\"ec2:MetadataHttpTokens\": \"required\"}}}\n"},
			},
			Undo:         []steps.Way{{Name: "AWS CLI", Language: "sh", Text: "aws ec2 modify-instance-metadata-options --instance-id INSTANCE_ID --http-tokens optional\n"}},
			Placeholders: []string{"INSTANCE_ID", "REGION"}, Source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/x.html",
		},
		{ID: "image", Title: "Let an image require it", Text: "For all that is launched from it.", Ways: []steps.Way{{Name: "AWS CLI", Language: "sh", Text: "aws ec2 modify-image-attribute\n"}}, Source: "https://docs.aws.amazon.com/y"},
	}
	r.Inventory = &report.Inventory{
		Instances: 1200, Terminated: 3, Required: 14, Disabled: 2, Heard: 1140, Silent: 44, SilentStopped: 4, Unfinished: 1, MoreGroups: 2, MoreSilent: 3,
		Groups: []report.InventoryGroup{
			{By: "asg", Name: "web", Instances: 40, Of: 1000, InstanceIDs: []string{"i-0123456789abcdef0", "i-0123456789abcdef1"}},
			{By: "image", Instances: 1, Of: 1, InstanceIDs: []string{"i-0123456789abcdef2"}},
		},
		Unlisted: []string{"web-9 (i-0123456789abcdef3)"},
	}
	return r
}

// examples are reports of all kinds.
func examples(t *testing.T) map[string]*report.Report {
	t.Helper()
	return map[string]*report.Report{
		"fleet":      reportOf(t, "fleet", week()),
		"ready":      reportOf(t, "ready", week()),
		"not enough": reportOf(t, "ready", report.Options{MinDays: 30}),
		"hostile":    reportOf(t, "hostile", week()),
		"empty":      report.New(week()).Report(),
		"full":       full(t),
		"much":       much(2, "<b>\u202e&'\"\x00"),
		"bare":       {},
	}
}

// much has n of everything, named by a text.
func much(n int, name string) *report.Report {
	r := &report.Report{Note: name, OtherPrograms: &report.Calls{V1: 1}}
	names, counted := make([]string, 8), make([]report.Counted, 24)
	for i := range counted {
		names[i%8], counted[i] = name, report.Counted{Text: name, Count: 1}
	}
	item := report.Item{ID: name, Text: name}
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var line report.Timeline
	for i := range 128 {
		line.Buckets = append(line.Buckets, report.Bucket{Start: at.Add(time.Duration(i) * time.Hour), Calls: report.Calls{V1: 1 + uint64(i), V2: 1 << 60, Unknown: 7}})
	}
	line.BucketSeconds = 3600
	for i := range 64 * n {
		line.Boots = append(line.Boots, at.Add(time.Duration(i)*time.Second))
	}
	line.Starts, line.Stops = line.Boots, line.Boots
	r.Timeline = &line
	cause := report.Cause{Calls: 1, Text: name, Todo: name, Lines: name + "\n"}
	for i := range n {
		r.Programs = append(r.Programs, report.Program{
			Name: name, Kind: "unit", Owner: name, Executable: name, Script: name, UserAgents: names, Packages: names, Containers: names, Images: names,
			Software:    report.Software{Name: name, Version: name, Minimum: name, Note: name, Source: name, Setting: name, SettingSource: name},
			CommandLine: name, Hosts: 9, HostNames: names, Calls: report.Calls{V1: 3, Unknown: 2}, Blocking: 3, Answers: counted, Paths: counted, Findings: counted,
			Causes: []report.Cause{cause, cause}, Credentials: 1, MorePaths: 5, HopLimits: report.HopLimits{Least: 1, Greatest: 2, Needed: 3},
		})
		r.V2Programs = append(r.V2Programs, report.V2Program{Name: name, Calls: 7})
		h := report.Host{Name: name, Region: name, Timeline: &line, Blocking: 1, Verdict: report.Verdict{Status: report.NotReady, Against: []report.Item{item, {ID: fmt.Sprint(i), Text: name}}, Missing: []report.Item{item}}}
		h.Service = report.ServiceNumbers{NoToken: 5, Highest: &report.Period{Start: at}}
		r.Hosts = append(r.Hosts, h)
	}
	for i := range min(n, 500) { // there are a dozen
		r.Steps = append(r.Steps, steps.Step{
			ID: fmt.Sprintf("step%d", i), Title: name, Text: name, Warning: name, Placeholders: names, Source: name,
			Ways: []steps.Way{{Name: name, Language: name, Text: strings.Repeat(name+" ", min(n, 64))}}, Undo: []steps.Way{{Text: name}},
		})
	}
	r.Inventory = &report.Inventory{Instances: 9, Silent: 3, GroupedBy: "tag:" + name, Unlisted: make([]string, n)}
	for i := range n {
		r.Inventory.Unlisted[i] = name
		r.Inventory.Groups = append(r.Inventory.Groups, report.InventoryGroup{Name: name, Instances: 3, InstanceIDs: names})
	}
	r.Ready = make([]string, n)
	for i := range r.Ready {
		r.Ready[i] = name
	}
	r.Criteria.Ignore = []string{name}
	r.Verdict = report.Verdict{Status: report.NotReady, Against: []report.Item{item}, Missing: []report.Item{item}}
	fill(reflect.ValueOf(r), name)
	return r
}

// fill sets what is not set yet, so that no field that is added to a report is missing
// in these tests.
func fill(v reflect.Value, text string) {
	if times := reflect.TypeFor[time.Time](); v.Type() == times || v.Kind() == reflect.Slice && v.Type().Elem() == times {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
		return
	case reflect.Pointer:
		if v.IsNil() && !v.CanSet() { // is no part of what is told
			return
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem(), text)
		return
	case reflect.Slice:
		if v.Len() == 0 && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 8, 8))
		}
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
		return
	}
	if !v.CanSet() || !v.IsZero() {
		return
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.CanInt():
		v.SetInt(1)
	case v.CanUint():
		v.SetUint(1)
	case v.CanFloat():
		v.SetFloat(1)
	}
}

// All fields are set but those that say yes or no, and times.
func TestFill(t *testing.T) {
	var r report.Report
	fill(reflect.ValueOf(&r), "x")
	h, p := r.Hosts[0], r.Programs[0]
	for name, set := range map[string]bool{
		"ancestors": len(p.Ancestors) == 8 && p.Ancestors[7] == "x", "listed": h.Listed != nil && h.Listed.Contradicts[0] == "x",
		"counts of a host": h.Observed.Boots.Count == 1, "finding": p.Causes[7].Finding == "x", "inventory": r.Inventory.Groups[0].InstanceIDs[0] == "x",
		"days": h.Observed.Days == 1, "steps": r.Steps[0].Ways[0].Text == "x",
	} {
		if !set {
			t.Errorf("%s: not set", name)
		}
	}
}

func written(t *testing.T, r *report.Report) string {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, r, made()); err != nil {
		t.Fatal(err)
	}
	return page.String()
}
