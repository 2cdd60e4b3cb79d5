package report

import (
	"cmp"
	"fmt"
)

// shownGroups, shownIDs and shownUnlisted bound what the text shows of the inventory.
const (
	shownGroups   = 20
	shownIDs      = 5
	shownUnlisted = 20
)

// printReady counts the instances on which something can be done now, if that is not
// what the verdict says already.
func (r *Report) printReady(t *text) {
	if n := len(r.Ready); n > 0 && (len(r.Hosts) > 1 || r.Verdict.Status != Ready) {
		t.line(plural(uint64(n), "instance", "instances") + " on which IMDSv2 can be required now: " + listed(r.Ready, shownIDs, 0))
	}
}

func (r *Report) printInventory(t *text) {
	n := r.Inventory
	if n == nil {
		return
	}
	t.line("\nInventory")
	t.line("")
	t.wrap("  ", "  ", n.text())
	for i := range n.Groups[:min(shownGroups, len(n.Groups))] {
		n.Groups[i].print(t)
	}
	n.printMore(t)
	if len(n.Unlisted) > 0 {
		t.wrap("  ", "      ", "not in the inventory: "+listed(n.Unlisted, shownUnlisted, 0))
	}
}

// text is how many instances there are, and what is known of them.
func (n *Inventory) text() string {
	s := fmt.Sprintf("%s, %d heard, %d silent", plural(uint64(n.Instances), "instance", "instances"), n.Heard, n.Silent)
	if n.SilentStopped > 0 {
		s += fmt.Sprintf(" (%d stopped)", n.SilentStopped)
	}
	s += fmt.Sprintf("; IMDSv2 required already on %d", n.Required)
	if n.Disabled > 0 {
		s += fmt.Sprintf(", the metadata service disabled on %d", n.Disabled)
	}
	if n.Terminated > 0 {
		s += fmt.Sprintf("; %d terminated, left out", n.Terminated)
	}
	return s
}

func (g *InventoryGroup) print(t *text) {
	title := fmt.Sprintf("%s %s", g.By, cmp.Or(g.Name, "not told"))
	ids := listed(g.InstanceIDs, shownIDs, g.Instances-len(g.InstanceIDs))
	t.wrap("    ", "      ", fmt.Sprintf("%s: %d of %d silent: %s", title, g.Instances, g.Of, ids))
}

// printMore counts the groups that are not shown.
func (n *Inventory) printMore(t *text) {
	groups, silent := n.MoreGroups, n.MoreSilent
	for i := shownGroups; i < len(n.Groups); i++ {
		groups++
		silent += n.Groups[i].Instances
	}
	if groups > 0 {
		t.line(fmt.Sprintf("    %s: %d silent", plural(uint64(groups), "more group", "more groups"), silent))
	}
}
