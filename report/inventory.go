package report

// Inventory is what the report says of the instances that it was given a list of.
type Inventory struct {
	Instances int `json:"instances"` // in the list, but for those that are terminated
	// Required are those of which version 2 is required already, Disabled those whose
	// metadata service is.
	Required int `json:"required"`
	Disabled int `json:"disabled"`
	// Silent are those of which no input tells: silent is not ready.
	Silent int `json:"silent"`
	// Groups are the silent ones by what they have in common, the largest first.
	GroupedBy string           `json:"grouped_by"` // image, asg or tag:NAME
	Groups    []InventoryGroup `json:"groups"`
	// Unlisted are hosts of the inputs that are not in the list.
	Unlisted []string `json:"unlisted,omitempty"`
}

// InventoryGroup are silent instances that have something in common.
type InventoryGroup struct {
	Name      string `json:"name"` // empty for those that have no such thing
	Instances int    `json:"instances"`
	// InstanceIDs are some of them.
	InstanceIDs []string `json:"instance_ids"`
}
