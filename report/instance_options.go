package report

import (
	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// options are what the traffic of a host proves of its instance's metadata options.
type options struct {
	// Optional is when a call without a token was answered, Required when one was
	// refused for that, with 401.
	Optional span `json:"optional,omitzero"`
	Required span `json:"required,omitzero"`
	// Tokens are the hop limits seen on answers with a token.
	Tokens hopLimits `json:"tokens,omitzero"`
	// Answered are the calls that were answered, Forbidden those of them that were
	// with 403.
	Answered  uint64 `json:"answered,omitempty"`
	Forbidden uint64 `json:"forbidden,omitempty"`
	IPv6      uint64 `json:"ipv6,omitempty"` // calls
}

func (o *options) call(e *output.Entry) {
	if e.Network.Type == "ipv6" {
		o.IPv6 += e.Calls()
	}
	status := e.HTTP.Response.StatusCode
	if has(e, diagnosis.LocalResponder) || status == 0 {
		return
	}
	o.Answered += e.Calls()
	if status == 403 {
		o.Forbidden += e.Calls()
	}
	if isTokenRequest(e) && succeeded(status) {
		o.Tokens.add(e.IMDS.ResponseTTL, e.IMDS.ResponseTTLNeeded)
	}
	if e.IMDS.Version != imds.V1.String() {
		return
	}
	switch {
	case succeeded(status) || status == 404:
		o.Optional.add(e.Timestamp)
	case status == 401:
		o.Required.add(e.Timestamp)
	}
}

func (o *options) merge(p *options) {
	o.Optional.merge(p.Optional)
	o.Required.merge(p.Required)
	o.Tokens.merge(p.Tokens)
	o.Answered += p.Answered
	o.Forbidden += p.Forbidden
	o.IPv6 += p.IPv6
}
