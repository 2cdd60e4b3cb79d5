package instances

import "testing"

func TestRegion(t *testing.T) {
	tests := map[string]string{
		"us-east-1a":              "us-east-1",
		"ap-southeast-12c":        "ap-southeast-12",
		"us-gov-west-1b":          "us-gov-west-1",
		"us-west-2-lax-1a":        "us-west-2", // a local zone
		"us-east-1-wl1-bos-wlz-1": "us-east-1", // a wavelength zone
		"eusc-de-east-1a":         "eusc-de-east-1",
		"us-east-1":               "us-east-1",
		"":                        "",
		"us-east":                 "",
		"1a":                      "",
		"us-1a":                   "",
		"us--1a":                  "",
		"us-east1-1a":             "",
		"US-East-1a":              "",
		"us-e$(x)t-1a":            "",
	}
	for zone, want := range tests {
		if got := (&Instance{Zone: zone}).Region(); got != want {
			t.Errorf("%q is in %q, want %q", zone, got, want)
		}
	}
}

// What is pending is not in force yet.
func TestOptions(t *testing.T) {
	tests := []struct {
		options            Options
		required, disabled bool
	}{
		{Options{}, false, false},
		{Options{HTTPTokens: "required"}, true, false},
		{Options{HTTPTokens: "required", State: "applied"}, true, false},
		{Options{HTTPTokens: "required", State: "pending"}, false, false},
		{Options{HTTPTokens: "optional", HTTPEndpoint: "enabled"}, false, false},
		{Options{HTTPEndpoint: "disabled"}, false, true},
		{Options{HTTPEndpoint: "disabled", State: "pending"}, false, false},
	}
	for _, tt := range tests {
		if o := &tt.options; o.Required() != tt.required || o.Disabled() != tt.disabled {
			t.Errorf("%+v: required %v, disabled %v", *o, o.Required(), o.Disabled())
		}
	}
}

func TestState(t *testing.T) {
	tests := map[string]struct{ gone, stopped bool }{
		"":              {false, false},
		"pending":       {false, false},
		"running":       {false, false},
		"stopping":      {false, true},
		"stopped":       {false, true},
		"shutting-down": {true, false},
		"terminated":    {true, false},
	}
	for state, want := range tests {
		if i := (&Instance{State: state}); i.Gone() != want.gone || i.Stopped() != want.stopped {
			t.Errorf("%s: gone %v, stopped %v", state, i.Gone(), i.Stopped())
		}
	}
}
