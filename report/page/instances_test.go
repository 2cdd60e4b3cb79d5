package page

import (
	"strings"
	"testing"

	"imds-analyzer/report"
)

// Of groups that are not shown the silent instances are counted, whoever left them out.
func TestGroupsThatAreNotShown(t *testing.T) {
	n := &report.Inventory{MoreGroups: 3, MoreSilent: 40}
	long := strings.Repeat("x", inventoryBytes/4)
	for range 6 {
		n.Groups = append(n.Groups, report.InventoryGroup{By: "asg", Name: long, Instances: 10})
	}
	page := written(t, &report.Report{Inventory: n})
	shown := strings.Count(page, "auto scaling group: x")
	if shown != 3 || !strings.Contains(page, "And 6 more groups: 70 silent.") {
		t.Errorf("%d groups are shown", shown)
	}
	n.Groups, n.MoreGroups, n.MoreSilent = n.Groups[:1], 1, 2
	if page := written(t, &report.Report{Inventory: n}); !strings.Contains(page, "And 1 more group: 2 silent.") {
		t.Error("one more group is not said")
	}
}

// What a group has in common may not be told.
func TestGroupWithoutName(t *testing.T) {
	n := &report.Inventory{Groups: []report.InventoryGroup{{By: "image", Instances: 1}, {By: "tag:team", Name: "a", Instances: 1}}}
	page := written(t, &report.Report{Inventory: n})
	for _, want := range []string{"<bdi>image not told</bdi>", "<bdi>tag team: a</bdi>"} {
		if !strings.Contains(page, want) {
			t.Errorf("it has no %s", want)
		}
	}
}
