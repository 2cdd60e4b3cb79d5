package page

import (
	"html/template"

	"imds-analyzer/report"
)

// inventoryBytes is room for groups of silent instances, 200 bytes each and 24 for each
// instance that is named, and for hosts that are in no list.
const inventoryBytes = 96 << 10

// readyBytes is room for the ids of 1,900 instances.
const readyBytes = 64 << 10

// addReady lists the instances on which version 2 can be required now.
func (v *view) addReady(templates *template.Template) error {
	room := newPart(templates, readyBytes)
	v.ReadyNow.Total = len(v.Ready)
	for _, id := range v.Ready {
		if err := v.ReadyNow.add(room, id, report.Calls{}, "id.html"); err != nil {
			return err
		}
	}
	return nil
}

// instances is what the page says of the list of instances.
type instances struct {
	*report.Inventory
	Groups   list
	Unlisted list
	// MoreSilent are instances in groups that are not shown.
	MoreSilent int
}

// Fine are those of which no input has to tell: version 1 is off already.
func (i *instances) Fine() int { return max(0, i.Instances-i.Silent-i.Heard) }

func (v *view) addInstances(templates *template.Template) error {
	if v.Inventory == nil {
		return nil
	}
	v.Instances = &instances{Inventory: v.Inventory}
	room := newPart(templates, inventoryBytes)
	v.Instances.Groups.Total = len(v.Inventory.Groups) + v.Inventory.MoreGroups
	for i, g := range v.Inventory.Groups {
		if err := v.Instances.Groups.add(room, g, report.Calls{}, "silent.html"); err != nil {
			return err
		}
		if len(v.Instances.Groups.Shown) <= i {
			v.Instances.MoreSilent += g.Instances
		}
	}
	v.Instances.Groups.More += v.Inventory.MoreGroups
	v.Instances.MoreSilent += v.Inventory.MoreSilent
	v.Instances.Unlisted.Total = len(v.Inventory.Unlisted)
	for _, name := range v.Inventory.Unlisted {
		if err := v.Instances.Unlisted.add(room, name, report.Calls{}, "id.html"); err != nil {
			return err
		}
	}
	return nil
}
