package page

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"imds-analyzer/report"
)

// Room for hosts: with all that is known of it one takes 1.5 to 5 KiB, and 400 bytes as
// a line. The worst come first and are shown whole for half of the room; a
// thousand are on the page.
const (
	hostBytes      = 640 << 10
	wholeHostBytes = 320 << 10
)

// fewHosts are shown unfolded.
const fewHosts = 12

// host is one with its timeline.
type host struct{ *report.Host }

// Contradictions are what the list of instances says and the traffic does not.
func (h host) Contradictions() string { return h.Listed.Text(&h.Options) }

// Spark draws it.
func (h host) Spark() *spark { return newSpark(h.Timeline) }

// group are hosts that have a verdict for the same reasons. Others says that one of them
// stands for those that are not told apart.
type group struct {
	Status report.Status
	Reason string
	Open   bool
	Others bool
	Hosts  list
}

// Count is how many hosts there are.
func (g *group) Count() string {
	if g.Others {
		return hosts(g.Hosts.Total-1, true)
	}
	return hosts(g.Hosts.Total, false)
}

// addHosts groups the hosts, which come sorted by what is in the way.
func (v *view) addHosts(templates *template.Template) error {
	whole, lines := newPart(templates, wholeHostBytes), newPart(templates, hostBytes-wholeHostBytes)
	for i := range v.Report.Hosts {
		h := &v.Report.Hosts[i]
		if err := v.group(h).add(h, whole, lines); err != nil {
			return err
		}
	}
	slices.SortStableFunc(v.Groups, func(a, b group) int {
		return cmp.Or(a.Status.Compare(b.Status), cmp.Compare(b.Hosts.Total, a.Hosts.Total))
	})
	return nil
}

// maxGroups bounds the groups that have a reason of their own.
const maxGroups = 24

// group returns the group of a host.
func (v *view) group(h *report.Host) *group {
	why := reasons(&h.Verdict)
	find := func() int {
		return slices.IndexFunc(v.Groups, func(g group) bool { return g.Status == h.Verdict.Status && g.Reason == why })
	}
	at := find()
	if at < 0 && len(v.Groups) >= maxGroups {
		why = "other reasons"
		at = find()
	}
	if at < 0 {
		at = len(v.Groups)
		v.Groups = append(v.Groups, group{Status: h.Verdict.Status, Reason: why, Open: len(v.Report.Hosts) <= fewHosts})
	}
	return &v.Groups[at]
}

// reasons are what the verdict is for: of one that is not ready only what speaks against
// it, as what is missing besides makes no difference yet.
func reasons(v *report.Verdict) string {
	items := v.Missing
	if len(v.Against) > 0 {
		items = v.Against
	}
	var texts []string
	for i := range items {
		texts = append(texts, reason(items[i].ID))
	}
	return strings.Join(texts, ", ")
}

func (g *group) add(h *report.Host, whole, lines *part) error {
	g.Hosts.Total++
	g.Others = g.Others || h.Others()
	rendered, fits, err := whole.add(host{h}, "host.html")
	if err == nil && !fits {
		rendered, fits, err = lines.add(h, "host_line.html")
	}
	switch {
	case err != nil:
		return err
	case fits:
		g.Hosts.Shown = append(g.Hosts.Shown, rendered)
	default:
		g.Hosts.More++
	}
	return nil
}
