package cli_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The command report with a list of instances.

// inventoried is what is looked at of a report with an inventory.
type inventoried struct {
	Verdict struct {
		Status  string
		Missing []struct{ ID string }
	}
	Hosts     []struct{ Region string }
	Ready     []string `json:"ready_instances"`
	Inventory *struct {
		Instances, Heard, Silent, Unfinished int
		Groups                               []struct{ By, Name string }
	}
}

func inventoryOf(t *testing.T, args ...string) (r inventoried) {
	t.Helper()
	text := succeeded(t, append([]string{"report", "--format", "json", "--min-days", "0", "--no-boot"}, args...)...).out
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
	return r
}

const (
	web1 = `{"InstanceId":"i-0000000a","ImageId":"ami-1","Placement":{"AvailabilityZone":"eu-west-1b"},"Tags":[{"Key":"aws:autoscaling:groupName","Value":"web"}]}`
	web2 = `{"InstanceId":"i-0000000b","ImageId":"ami-1","Tags":[{"Key":"aws:autoscaling:groupName","Value":"web"},{"Key":"Team","Value":"shop"}]}`
)

// ofInstance is a log of calls of version 2 on an instance.
func ofInstance(t *testing.T, id string) string {
	t.Helper()
	log := regexp.MustCompile(`(?m)^\{`).ReplaceAllString(withoutV1(logOf(t, "boto")), `{"host":{"hostname":"web-1"},"cloud":{"instance":{"id":"`+id+`"}},`)
	return log
}

// Instances that nothing was heard of keep the verdict from ready, however the list
// comes.
func TestReportInventory(t *testing.T) {
	log := write(t, t.TempDir(), "log", ofInstance(t, "i-0000000a"))
	if r := inventoryOf(t, log); r.Verdict.Status != "ready" || r.Inventory != nil || len(r.Ready) != 1 {
		t.Fatalf("without a list: %+v", r)
	}
	page := `{"Reservations":[{"Instances":[` + web1 + `,` + web2 + `]}]}`
	for name, list := range map[string]string{"plain": page, "gzip": pack(t, page), "zstd": packZstd(t, page)} {
		r := inventoryOf(t, "--inventory", write(t, t.TempDir(), "instances", list), log)
		if n := r.Inventory; r.Verdict.Status != "not_enough_evidence" || n == nil || n.Instances != 2 || n.Heard != 1 || n.Silent != 1 {
			t.Errorf("%s: %+v", name, r)
		}
		if len(r.Ready) != 1 || r.Ready[0] != "i-0000000a" || r.Hosts[0].Region != "eu-west-1" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	all := write(t, t.TempDir(), "all", `{"Reservations":[{"Instances":[`+web1+`]}]}`)
	if r := inventoryOf(t, "--inventory", all, log); r.Verdict.Status != "ready" {
		t.Errorf("of all: %+v", r)
	}
}

func TestReportGroupBy(t *testing.T) {
	dir := t.TempDir()
	log, list := write(t, dir, "log", ofInstance(t, "i-0000000a")), write(t, dir, "list", "["+web1+","+web2+"]")
	tests := []struct {
		by   []string
		want string
	}{
		{nil, "asg=web"},
		{[]string{"--group-by", "asg"}, "asg=web"},
		{[]string{"--group-by", "image"}, "image=ami-1"},
		{[]string{"--group-by", "tag:Team"}, "tag:Team=shop"},
		{[]string{"--group-by", "tag:team"}, "tag:team="},
	}
	for _, tt := range tests {
		groups := inventoryOf(t, append(tt.by, "--inventory", list, log)...).Inventory.Groups
		if len(groups) != 1 || groups[0].By+"="+groups[0].Name != tt.want {
			t.Errorf("%q: %+v, want %s", tt.by, groups, tt.want)
		}
	}
}

// Lists of several regions are one, and each has to have its end.
func TestReportSeveralInventories(t *testing.T) {
	dir := t.TempDir()
	log := write(t, dir, "log", ofInstance(t, "i-0000000a"))
	first, second := write(t, dir, "a", `{"Reservations":[{"Instances":[`+web1+`]}],"NextToken":"x"}`), write(t, dir, "b", "["+web2+"]")
	if n := inventoryOf(t, "--inventory", first, "--inventory", second, log).Inventory; n.Instances != 2 || n.Silent != 1 || n.Unfinished != 1 {
		t.Errorf("%+v", n)
	}
}

// The list may lie among the logs: it is none of them, and is not missed there.
func TestReportInventoryAmongLogs(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "log", ofInstance(t, "i-0000000a"))
	list := write(t, dir, "instances.json", "[\n"+web1+"\n]")
	if r := inventoryOf(t, "--inventory", list, dir); r.Verdict.Status != "ready" {
		t.Errorf("%+v", r)
	}
	if r := inventoryOf(t, dir); r.Verdict.Status == "ready" { // without --inventory it is a file that is passed over
		t.Errorf("%+v", r)
	}
}

// Without the whole list there is no report, as what it says of silence would be wrong.
func TestReportOfBrokenInventory(t *testing.T) {
	dir := t.TempDir()
	log := write(t, dir, "log", logOf(t, "boto"))
	page := `{"Reservations":[{"Instances":[` + web1 + `]}]}`
	packed := pack(t, page)
	for name, tt := range map[string]struct{ list, said string }{
		"cut":             {page[:60], "the list is cut off"},
		"packed, and cut": {packed[:len(packed)-12], "it is cut off: its compression has no end"},
		"damaged":         {packed[:12] + "\xff\xff\xff" + packed[15:], "it is damaged: its compression"},
		"a log":           {logOf(t, "boto"), "it lists no instances"},
		"a capture":       {readFile(t, captureOf(t, "boto")), "it is no JSON"},
		"empty":           {"", "it lists no instances"},
		"text":            {"RESERVATIONS\t123456789012\n", "it is no JSON at byte 0"},
	} {
		file := write(t, dir, "list", tt.list)
		r := run("report", "--inventory", file, log)
		if oneLine(t, r.err); r.status != 1 || r.out != "" || !strings.Contains(r.err, "cannot read the inventory "+file+": "+tt.said) {
			t.Errorf("%s: exit status %d: %s", name, r.status, r.err)
		}
	}
}

func TestReportInventoryUsage(t *testing.T) {
	dir := t.TempDir()
	log, list := write(t, dir, "log", logOf(t, "boto")), write(t, dir, "list", "["+web1+"]")
	for name, tt := range map[string]struct {
		args   []string
		status int
		said   string
	}{
		"no name":         {[]string{"--inventory", "", log}, 2, "--inventory needs the name of a file"},
		"standard input":  {[]string{"--inventory", "-", log}, 2, "--inventory needs the name of a file"},
		"not there":       {[]string{"--inventory", filepath.Join(dir, "none"), log}, 1, "no such file"},
		"a directory":     {[]string{"--inventory", dir, log}, 1, "is a directory"},
		"written, too":    {[]string{"--inventory", list, "-o", list, log}, 2, "both read and written"},
		"grouped by what": {[]string{"--inventory", list, "--group-by", "Team", log}, 2, `--group-by is image, asg or tag:NAME, not "Team"`},
		"grouped alone":   {[]string{"--group-by", "image", log}, 2, "--group-by is for what --inventory lists"},
	} {
		r := run(append([]string{"report"}, tt.args...)...)
		if oneLine(t, r.err); r.status != tt.status || r.out != "" || !strings.Contains(r.err, tt.said) {
			t.Errorf("%s: exit status %d: %s", name, r.status, r.err)
		}
	}
}
