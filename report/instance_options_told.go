package report

import "fmt"

// InstanceOptions are what the traffic proves of an instance's metadata options, and
// what AWS's own checks would say of that.
type InstanceOptions struct {
	// HTTPTokens is optional, required or unknown; Optional and Required are when
	// calls without a token were answered, and refused with 401.
	HTTPTokens string `json:"http_tokens"`
	Optional   span   `json:"optional,omitzero"`
	Required   span   `json:"required,omitzero"`
	// HopLimits are those of answers with a token, as captured.
	HopLimits HopLimits `json:"hop_limits,omitzero"`
	// EndpointRefused is true if every answer was a 403.
	EndpointRefused bool `json:"endpoint_refused"`
	IPv6            bool `json:"ipv6"`
	// Config is what the rule ec2-imdsv2-check of AWS Config would say, SecurityHub
	// the control EC2.8.
	Config      string `json:"ec2_imdsv2_check"`
	SecurityHub string `json:"security_hub_ec2_8"`

	hopsTooFew    bool // answers with a token do not get far enough
	findingOfHops bool // a finding has said so
}

const optionsNote = "Metadata options are as the traffic shows them. What aws ec2 describe-instances says of MetadataOptions has the last word."

func (o *options) told() InstanceOptions {
	t := InstanceOptions{
		HTTPTokens:      "unknown",
		Optional:        o.Optional,
		Required:        o.Required,
		HopLimits:       o.Tokens,
		EndpointRefused: o.Answered > 0 && o.Answered == o.Forbidden,
		IPv6:            o.IPv6 > 0,
		Config:          "unknown",
		SecurityHub:     "unknown",
		hopsTooFew:      o.hopsTooFew(),
		findingOfHops:   !o.TooFewHops.Last.IsZero(),
	}
	switch {
	case o.Required.Last.After(o.Optional.Last):
		t.HTTPTokens, t.Config, t.SecurityHub = "required", "COMPLIANT", "PASSED"
	case !o.Optional.Last.IsZero():
		t.HTTPTokens, t.Config, t.SecurityHub = "optional", "NON_COMPLIANT", "FAILED"
	}
	return t
}

// tokensText says how tokens are asked for, and whether that has changed.
func (o *InstanceOptions) tokensText() string {
	switch {
	case o.Optional.Last.IsZero() || o.Required.Last.IsZero():
		return o.HTTPTokens
	case o.Optional.Last.Before(o.Required.First):
		return fmt.Sprintf("required since %s, optional until %s", timeText(o.Required.First), timeText(o.Optional.Last))
	case o.Required.Last.Before(o.Optional.First):
		return fmt.Sprintf("optional since %s, required until %s", timeText(o.Optional.First), timeText(o.Required.Last))
	}
	return o.HTTPTokens + ", changed several times"
}
