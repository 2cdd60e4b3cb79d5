package report

import (
	"cmp"
	"maps"
	"slices"

	"imds-analyzer/report/instances"
)

const (
	// maxGroups bounds the groups that are told, maxGroupIDs the instances of each, so
	// that all take 600 KiB at most.
	maxGroups   = 256
	maxGroupIDs = 100
)

// compare holds the hosts against the list of instances, if there is one.
func (r *Report) compare(l *instances.List) {
	if l == nil {
		return
	}
	r.Inventory = &Inventory{GroupedBy: tidy(string(l.By())), Unfinished: l.Unfinished()}
	heard := map[string]bool{}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		instance, ok := l.Get(h.Instance)
		if !ok {
			r.Inventory.Unlisted = append(r.Inventory.Unlisted, h.Name)
			continue
		}
		heard[h.Instance] = true
		h.compare(&instance)
	}
	slices.Sort(r.Inventory.Unlisted)
	r.Inventory.count(l, heard)
}

func (n *Inventory) count(l *instances.List, heard map[string]bool) {
	groups := map[instances.Group]*InventoryGroup{}
	for id, i := range l.All() {
		if i.Gone() {
			n.Terminated++
			continue
		}
		g := groups[i.Group]
		if g == nil {
			g = &InventoryGroup{By: tidy(i.Group.By), Name: tidy(i.Group.Name), InstanceIDs: []string{}}
			groups[i.Group] = g
		}
		g.Of++
		if n.add(&i, heard[id]) {
			g.silent(id)
		}
	}
	n.take(groups)
}

// add counts an instance, and says whether it is silent.
func (n *Inventory) add(i *instances.Instance, heard bool) bool {
	n.Instances++
	required, disabled := i.Options.Required(), i.Options.Disabled()
	if required {
		n.Required++
	}
	if disabled {
		n.Disabled++
	}
	switch {
	case heard:
		n.Heard++
		return false
	case required || disabled:
		return false
	}
	n.Silent++
	if i.Stopped() {
		n.SilentStopped++
	}
	return true
}

func (g *InventoryGroup) silent(id string) {
	g.Instances++
	if len(g.InstanceIDs) < maxGroupIDs {
		g.InstanceIDs = append(g.InstanceIDs, tidy(id))
	}
}

// take puts the groups in which there are silent instances in order, and counts those
// that there is no room for.
func (n *Inventory) take(groups map[instances.Group]*InventoryGroup) {
	n.Groups = []InventoryGroup{}
	for _, key := range slices.SortedFunc(maps.Keys(groups), compareGroups) {
		if g := groups[key]; g.Instances > 0 {
			n.Groups = append(n.Groups, *g)
		}
	}
	slices.SortStableFunc(n.Groups, func(a, b InventoryGroup) int { return cmp.Compare(b.Instances, a.Instances) })
	told := min(len(n.Groups), maxGroups)
	for _, g := range n.Groups[told:] {
		n.MoreGroups++
		n.MoreSilent += g.Instances
	}
	n.Groups = n.Groups[:told]
}

func compareGroups(a, b instances.Group) int {
	return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Name, b.Name))
}

// missing is what the list says is missing from the evidence.
func (n *Inventory) missing() (items []Item) {
	if n == nil {
		return nil
	}
	for id, count := range map[string]int{itemSilent: n.Silent, itemUnfinished: n.Unfinished} {
		if count > 0 {
			items = append(items, Item{ID: id, Count: uint64(count)})
		}
	}
	return items // word puts them in order
}
