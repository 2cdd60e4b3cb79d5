package report

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"imds-analyzer/report/instances"
)

func listOf(t *testing.T, by instances.Grouping, text string) *instances.List {
	t.Helper()
	l := instances.New(by)
	if err := l.Read(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return l
}

// pages is a list of what the AWS CLI writes.
func pages(t *testing.T, by instances.Grouping) *instances.List {
	t.Helper()
	data, err := os.ReadFile("instances/testdata/pages.json")
	if err != nil {
		t.Fatal(err)
	}
	return listOf(t, by, string(data))
}

func inventoryOf(l *instances.List, lines ...any) (*Report, *Inventory) {
	b := take(New(week), lines...)
	b.Listed(l)
	r := b.Report()
	return r, r.Inventory
}

func TestInventory(t *testing.T) {
	r, got := inventoryOf(pages(t, ""), aWeekOf("web-1", id("01")), aWeekOf("batch-1", id("b1")), aWeekOf("gone", id("d2")),
		aWeekOf("db-1", "i-0123abcd"), aWeekOf("db-0", "i-0123abce"))
	want := &Inventory{
		Instances: 8, Terminated: 1, Required: 2, Disabled: 1, Heard: 2, Silent: 4, SilentStopped: 1,
		Groups: []InventoryGroup{
			{By: "asg", Name: "web", Instances: 2, Of: 3, InstanceIDs: []string{id("03"), id("04")}},
			{By: "image", Name: "ami-0old", Instances: 2, Of: 2, InstanceIDs: []string{id("07"), id("d1")}},
		},
		Unlisted: []string{"db-0 (i-0123abce)", "db-1 (i-0123abcd)"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the inventory is\n%+v\nwant\n%+v", got, want)
	}
	if v := r.Verdict; v.Status != NotEnough || ids(v.Missing) != "silent_instances" || v.Missing[0].Count != 4 || v.Missing[0].Hosts != 0 {
		t.Errorf("the verdict is %+v", v)
	}
	if got, want := strings.Join(r.Ready, " "), "i-0123abcd i-0123abce "+id("01"); got != want {
		t.Errorf("ready are %q, want %q", got, want)
	}
	for _, h := range r.Hosts {
		if listed := !strings.HasPrefix(h.Hostname, "db"); (h.Listed != nil) != listed || (h.Region == "eu-central-1") != listed {
			t.Errorf("%s is in %q, and listed as %v", h.Name, h.Region, h.Listed)
		}
	}
}

// Silent is not ready, and other things are no evidence of silence.
func TestInventoryVerdict(t *testing.T) {
	one := `{"InstanceId":"i-web-1"%s}`
	tests := []struct {
		name    string
		list    string
		lines   []any
		want    Status
		missing string
	}{
		{"heard", fmt.Sprintf(one, ""), aWeek("web-1"), Ready, ""},
		{"heard of too little", fmt.Sprintf(one, ""), []any{call(v2)}, NotEnough, "observed_time no_boot"},
		{"heard, and in the way", fmt.Sprintf(one, ""), []any{aWeek("web-1"), call()}, NotReady, ""},
		{"another one", `{"InstanceId":"i-2"}`, aWeek("web-1"), NotEnough, "silent_instances"},
		{"another one, and in the way", `{"InstanceId":"i-2"}`, []any{aWeek("web-1"), call()}, NotReady, "silent_instances"},
		{"another one, stopped", `{"InstanceId":"i-2","State":{"Name":"stopped"}}`, aWeek("web-1"), NotEnough, "silent_instances"},
		{"another one, terminated", `{"InstanceId":"i-2","State":{"Name":"terminated"}}`, aWeek("web-1"), Ready, ""},
		{"another one, shutting down", `{"InstanceId":"i-2","State":{"Name":"shutting-down"}}`, aWeek("web-1"), Ready, ""},
		{"another one with v2 only", `{"InstanceId":"i-2","MetadataOptions":{"HttpTokens":"required"}}`, aWeek("web-1"), Ready, ""},
		{"another one without the service", `{"InstanceId":"i-2","MetadataOptions":{"HttpEndpoint":"disabled"}}`, aWeek("web-1"), Ready, ""},
		{"another one that is being changed", `{"InstanceId":"i-2","MetadataOptions":{"HttpTokens":"required","State":"pending"}}`, aWeek("web-1"), NotEnough, "silent_instances"},
		{"a list that goes on", `{"Reservations":[],"NextToken":"x"}`, aWeek("web-1"), NotEnough, "inventory_unfinished"},
		{"nothing heard", fmt.Sprintf(one, ""), nil, NotEnough, "nothing_observed silent_instances"},
		{"nothing listed", `{"Reservations":[]}`, aWeek("web-1"), Ready, ""},
	}
	for _, tt := range tests {
		r, n := inventoryOf(listOf(t, "", tt.list), tt.lines...)
		if v := r.Verdict; v.Status != tt.want || ids(v.Missing) != tt.missing {
			t.Errorf("%s: %s, missing %q; want %s, %q", tt.name, v.Status, ids(v.Missing), tt.want, tt.missing)
		}
		if n.Groups == nil {
			t.Errorf("%s: groups are null", tt.name)
		}
	}
	if r, n := inventoryOf(nil, aWeek("web-1")); n != nil || r.Hosts[0].Listed != nil || r.Verdict.Status != Ready {
		t.Errorf("without a list: %+v", n)
	}
}

// Instances are heard of in states, too.
func TestInventoryOfStates(t *testing.T) {
	b := New(week)
	if err := b.State(take(New(week), aWeek("web-1")).Snapshot()); err != nil {
		t.Fatal(err)
	}
	b.Listed(listOf(t, "", `[{"InstanceId":"i-web-1"},{"InstanceId":"i-web-10"}]`))
	if n := b.Report().Inventory; n.Heard != 1 || n.Silent != 1 || n.Groups[0].InstanceIDs[0] != "i-web-10" {
		t.Errorf("%+v", n)
	}
}

// A host is on the list by its instance's id, and by nothing else.
func TestInventoryOfHostsWithoutInstance(t *testing.T) {
	nameless := call(v2)
	nameless.Cloud.Instance.ID = ""
	_, n := inventoryOf(listOf(t, "", `[{"InstanceId":"i-web-1"},{"InstanceId":"web-1"}]`), aWeek("web-1"), nameless)
	if n.Heard != 1 || n.Silent != 1 || len(n.Unlisted) != 1 || n.Unlisted[0] != "web-1" {
		t.Errorf("%+v", n)
	}
}

// Many groups, and many instances in one, are counted.
func TestInventoryBounds(t *testing.T) {
	var list strings.Builder
	for n := range maxGroupIDs + 7 {
		fmt.Fprintf(&list, `{"InstanceId":"i-a%03d","ImageId":"ami-a"}`, n)
	}
	for n := range maxGroups + 9 {
		fmt.Fprintf(&list, `{"InstanceId":"i-b%03d","ImageId":"ami-b%03d"}{"InstanceId":"i-c%03d","ImageId":"ami-b%03d"}`, n, n, n, n)
	}
	r, n := inventoryOf(listOf(t, "image", list.String()))
	if len(n.Groups) != maxGroups || n.MoreGroups != 10 || n.MoreSilent != 20 || n.GroupedBy != "image" {
		t.Errorf("%d groups, %d more with %d instances", len(n.Groups), n.MoreGroups, n.MoreSilent)
	}
	if g := n.Groups[0]; g.Name != "ami-a" || g.Instances != maxGroupIDs+7 || len(g.InstanceIDs) != maxGroupIDs || g.InstanceIDs[0] != "i-a000" {
		t.Errorf("the first group is %+v", g)
	}
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	more := maxGroups + 9 + 1 - shownGroups
	for _, want := range []string{
		"    image ami-a: 107 of 107 silent: i-a000, i-a001, i-a002, i-a003, i-a004, and 102 more\n",
		fmt.Sprintf("    %d more groups: %d silent\n", more, 2*more),
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

// Tags are anybody's text.
func TestInventoryIsTidy(t *testing.T) {
	list := `[{"InstanceId":"i-1\u001b[2J","Tags":[{"Key":"T","Value":"a\u001b[31m\u202eb X-aws-ec2-metadata-token: AQAEALf0vKxz1HdZ5F8QpR7sTuVwXyZ0123456789abcdefgh=="}]}]`
	r, n := inventoryOf(listOf(t, "tag:T", list))
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{text.String(), jsonOf(t, n)} {
		for _, no := range []string{"\x1b", "u001b", "\u202e", "AQAEALf0"} {
			if strings.Contains(said, no) {
				t.Errorf("%q is in %s", no, said)
			}
		}
	}
}
