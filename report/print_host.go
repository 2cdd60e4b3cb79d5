package report

import (
	"fmt"
	"strings"
)

func (r *Report) printHosts(t *text) {
	shown := r.Hosts[:min(shownHosts, len(r.Hosts))]
	if len(shown) > 0 {
		t.line("\nHosts")
	}
	for i := range shown {
		shown[i].print(t)
	}
	more := Report{Hosts: r.Hosts[len(shown):]}
	var counts []string
	for _, s := range Statuses() {
		if n := more.hostsThat(s); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s.Text()))
		}
	}
	if len(counts) > 0 {
		t.line(fmt.Sprintf("\n  %d more hosts: %s", len(more.Hosts), strings.Join(counts, ", ")))
	}
}

// Text is the status in words.
func (s Status) Text() string { return strings.ReplaceAll(string(s), "_", " ") }

func (h *Host) print(t *text) {
	t.wrap("\n  ", "      ", h.Name+": "+h.Verdict.Status.Text())
	t.field("region", h.Region)
	t.field("calls", h.callsText())
	t.field("observed", h.Observed.Text())
	t.field("tokens", h.Options.Text())
	t.field("listed", h.Listed.Text(&h.Options))
	t.field("CloudWatch", h.Service.Text())
	for i := range h.Verdict.Missing {
		t.field("missing", h.Verdict.Missing[i].Text)
	}
}

func (h *Host) callsText() string {
	s := h.Calls.text()
	if h.Blocking > 0 {
		s += fmt.Sprintf("; %d in the way", h.Blocking) + refusedText(h.Refused)
	}
	return s
}

// Text says for how long the host was observed, and which boots and shutdowns.
func (o *Observed) Text() string {
	if o.Sessions == 0 {
		return "no line tells of a capture"
	}
	s := plural(o.Sessions, "capture", "captures")
	if !o.First.IsZero() {
		s += fmt.Sprintf(", %s between %s and %s", DaysText(o.Days), timeText(o.First), timeText(o.Last))
	}
	s += o.Boots.text("boot", "boots") + o.Shutdowns.text("shutdown", "shutdowns")
	if o.Doubtful > 0 {
		s += fmt.Sprintf("; not all time of %s counts: the clock was not set, or was set meanwhile, or there was no sign of life", plural(o.Doubtful, "capture", "captures"))
	}
	return s
}

// text is ", 2 boots, the latest at TIME".
func (m *moments) text(one, many string) string {
	if m.Count == 0 {
		return ", no " + one
	}
	s := ", " + plural(m.Count, one, many)
	if n := len(m.Times); n > 0 {
		s += " (latest " + timeText(m.Times[n-1]) + ")"
	}
	return s
}

// Text says what the options are, and what AWS's checks would make of them.
func (o *InstanceOptions) Text() string {
	s := o.tokensText()
	if o.HTTPTokens != "unknown" {
		s += fmt.Sprintf(" (ec2-imdsv2-check would say %s, Security Hub EC2.8 %s)", o.Config, o.SecurityHub)
	}
	switch l := &o.HopLimits; {
	case l.Greatest == 0:
	case l.Least == l.Greatest:
		s += fmt.Sprintf("; hop limit %d as captured", l.Least)
	default:
		s += fmt.Sprintf("; hop limit from %d to %d as captured", l.Least, l.Greatest)
	}
	if o.HopLimits.Needed > o.HopLimits.Least {
		s += fmt.Sprintf(", %d needed", o.HopLimits.Needed)
	}
	if o.EndpointRefused {
		s += "; all calls are refused with 403, as if the endpoint were switched off"
	}
	if o.IPv6 {
		s += "; IPv6 in use"
	}
	return s
}

// Text are the totals and the period with most; empty if all are 0.
func (n *ServiceNumbers) Text() string {
	if n.NoToken+n.Rejected+n.NotFound == 0 {
		return ""
	}
	s := fmt.Sprintf("MetadataNoToken %d, MetadataNoTokenRejected %d", n.NoToken, n.Rejected)
	if h := n.Highest; h != nil && len(n.Periods) > 1 {
		s += fmt.Sprintf("; most in the five minutes from %s: %d and %d", timeText(h.Start), h.NoToken, h.Rejected)
	}
	if n.NotFound > 0 {
		s += fmt.Sprintf("; %s answered 404, which CloudWatch may count in the first", plural(n.NotFound, "call was", "calls were"))
	}
	return s
}
