package report

// Inventory is what the report says of the instances that it was given a list of.
type Inventory struct {
	// Instances are those in the list, but for Terminated ones, which are left out.
	Instances  int `json:"instances"`
	Terminated int `json:"terminated"`
	// Required are those of which version 2 is required already, Disabled those whose
	// metadata service is.
	Required int `json:"required"`
	Disabled int `json:"disabled"`
	// Heard are those of which an input tells. Silent are those of which none does,
	// and which could be called with version 1: silent is not ready. SilentStopped of
	// them are stopped, and have to be started to be heard.
	Heard         int `json:"heard"`
	Silent        int `json:"silent"`
	SilentStopped int `json:"silent_stopped"`
	// GroupedBy is what was asked for: image, asg or tag:NAME; empty is asg where there
	// is one, and image elsewhere.
	GroupedBy string `json:"grouped_by"`
	// Groups are the silent ones by what they have in common, the largest first.
	Groups []InventoryGroup `json:"groups"`
	// MoreGroups are those that are not in Groups, MoreSilent the instances in them.
	MoreGroups int `json:"more_groups,omitempty"`
	MoreSilent int `json:"more_silent,omitempty"`
	// Unfinished are pages with a NextToken of which the next one was not read.
	Unfinished int `json:"unfinished,omitempty"`
	// Unlisted are hosts of the inputs that are not in the list.
	Unlisted []string `json:"unlisted,omitempty"`
}

// InventoryGroup are silent instances that have something in common.
type InventoryGroup struct {
	By        string `json:"by"`   // image, asg or tag:NAME
	Name      string `json:"name"` // empty for those that have no such thing
	Instances int    `json:"instances"`
	// Of is how many there are with the silent ones, but for those that are terminated.
	Of int `json:"of"`
	// InstanceIDs are some of them.
	InstanceIDs []string `json:"instance_ids"`
}

// Listed is what the list says of a host's instance.
type Listed struct {
	State string `json:"state,omitempty"`
	// OptionsState is pending while its metadata options are not in force yet:
	// HTTPTokens, HTTPEndpoint and HopLimit.
	OptionsState string `json:"options_state,omitempty"`
	HTTPTokens   string `json:"http_tokens,omitempty"`
	HTTPEndpoint string `json:"http_endpoint,omitempty"`
	HopLimit     int    `json:"hop_limit,omitempty"`
	// Contradicts are those of them that are not as the traffic shows.
	Contradicts []string `json:"contradicts,omitempty"`

	required bool // version 2 is
	done     bool // there is nothing to require it of
}
