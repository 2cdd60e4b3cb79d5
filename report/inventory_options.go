package report

import (
	"cmp"
	"fmt"
	"strings"

	"imds-analyzer/report/instances"
)

// What a list can contradict, by the names of fields of Listed.
const (
	tokensField   = "http_tokens"
	endpointField = "http_endpoint"
	hopLimitField = "hop_limit"
)

// compare takes in what the list says of the host.
func (h *Host) compare(i *instances.Instance) {
	h.Region = cmp.Or(h.Region, i.Region())
	h.Listed = &Listed{
		State:        tidy(i.State),
		OptionsState: tidy(i.Options.State),
		HTTPTokens:   tidy(i.Options.HTTPTokens),
		HTTPEndpoint: tidy(i.Options.HTTPEndpoint),
		HopLimit:     i.Options.HopLimit,
	}
	if !i.Options.Pending() {
		h.Listed.Contradicts = contradictions(h.Listed, &h.Options)
	}
	h.Listed.required = i.Options.Required()
	h.Listed.done = i.Options.Disabled() || i.Gone()
}

// contradictions are the options of the list that the traffic shows to be others. A
// captured hop limit below the listed one is none: routers take from it.
func contradictions(l *Listed, seen *InstanceOptions) (fields []string) {
	if l.HTTPTokens != "" && seen.HTTPTokens != "unknown" && l.HTTPTokens != seen.HTTPTokens {
		fields = append(fields, tokensField)
	}
	answered := seen.HTTPTokens != "unknown" || seen.HopLimits.Greatest > 0
	if l.HTTPEndpoint == "disabled" && answered || l.HTTPEndpoint == "enabled" && seen.EndpointRefused {
		fields = append(fields, endpointField)
	}
	if l.HopLimit > 0 && seen.HopLimits.Greatest > l.HopLimit {
		fields = append(fields, hopLimitField)
	}
	return fields
}

// Text says what is listed that is not what was seen.
func (l *Listed) Text(seen *InstanceOptions) string {
	if l == nil || len(l.Contradicts) == 0 {
		return ""
	}
	var all []string
	for _, field := range l.Contradicts {
		switch field {
		case tokensField:
			all = append(all, fmt.Sprintf("HttpTokens %s, and by the traffic %s", l.HTTPTokens, seen.HTTPTokens))
		case endpointField:
			all = append(all, "HttpEndpoint "+l.HTTPEndpoint+", which the answers contradict")
		case hopLimitField:
			all = append(all, fmt.Sprintf("HttpPutResponseHopLimit %d, and %d was seen", l.HopLimit, seen.HopLimits.Greatest))
		}
	}
	return strings.Join(all, "; ") + ": it was changed, or the list is of another time"
}
