package report

import (
	"cmp"
	"time"

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
	// Latest is that of the latest of them, TooFewHops when calls were made without a token
	// because of the limit.
	Latest     latestHops `json:"latest_hops,omitzero"`
	TooFewHops span       `json:"too_few_hops,omitzero"`
	// Answered are the calls that were answered, Forbidden those of them that were
	// with 403.
	Answered  uint64 `json:"answered,omitempty"`
	Forbidden uint64 `json:"forbidden,omitempty"`
	IPv6      uint64 `json:"ipv6,omitempty"` // calls
}

// latestHops is a hop limit as it was seen last.
type latestHops struct {
	At    time.Time `json:"at,omitzero"`
	Limit int       `json:"limit,omitempty"`
}

// merge takes the lesser of two at the same time.
func (l *latestHops) merge(o latestHops) {
	switch at := o.At.Compare(l.At); {
	case o.Limit == 0:
	case l.Limit == 0, at > 0, at == 0 && o.Limit < l.Limit:
		*l = latestHops{utc(o.At), o.Limit}
	}
}

func (o *options) call(e *output.Entry) {
	if has(e, diagnosis.HopLimit) {
		o.TooFewHops.merge(spanOf(e))
	}
	if e.Network.Type == "ipv6" {
		o.IPv6 = sum(o.IPv6, e.Calls())
	}
	status := e.Status()
	if has(e, diagnosis.LocalResponder) || status == 0 {
		return
	}
	o.Answered = sum(o.Answered, e.Calls())
	if status == 403 {
		o.Forbidden = sum(o.Forbidden, e.Calls())
	}
	if e.IsTokenRequest() && succeeded(status) {
		o.Tokens.add(e.IMDS.ResponseTTL, e.IMDS.ResponseTTLNeeded)
		o.Latest.merge(latestHops{spanOf(e).Last, e.IMDS.ResponseTTL})
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
	o.Latest.merge(p.Latest)
	o.TooFewHops.merge(p.TooFewHops)
	o.Answered = sum(o.Answered, p.Answered)
	o.Forbidden = sum(o.Forbidden, p.Forbidden)
	o.IPv6 = sum(o.IPv6, p.IPv6)
}

// hopsTooFew says that answers with a token do not get far enough, as far as is known: the
// latest had fewer hops than were needed once, or a finding says so, and no answer since
// then had what is needed.
func (o *options) hopsTooFew() bool {
	latest := cmp.Or(o.Latest.Limit, o.Tokens.Greatest) // states of before have no latest
	enough := o.Tokens.Needed > 0 && latest >= o.Tokens.Needed
	switch {
	case o.Tokens.Needed > latest:
		return true
	case o.TooFewHops.Last.IsZero():
		return false
	}
	return !enough || !o.Latest.At.After(o.TooFewHops.Last)
}
