package instances

// described are the fields of an instance that matter.
type described struct {
	ID        string
	Owner     string // the account, which a reservation has
	ImageID   string
	State     struct{ Name string }
	Placement struct {
		Zone string `json:"AvailabilityZone"`
	}
	Tags []struct {
		Key, Value string
	}
	Options struct {
		State        string
		HTTPTokens   string `json:"HttpTokens"`
		HTTPEndpoint string `json:"HttpEndpoint"`
		HopLimit     int    `json:"HttpPutResponseHopLimit"`
	}
}

// field is where the value of a name belongs; nil for one that does not matter.
func (d *described) field(name string) any {
	switch name {
	case "InstanceId":
		return &d.ID
	case "OwnerId":
		return &d.Owner
	case "ImageId":
		return &d.ImageID
	case "State":
		return &d.State
	case "Placement":
		return &d.Placement
	case "Tags":
		return &d.Tags
	case "MetadataOptions":
		return &d.Options
	}
	return nil
}

func (d *described) tag(key string) string {
	for _, t := range d.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}
