package report

import (
	"fmt"
	"strings"
	"time"
)

func (r *Report) printPrograms(t *text) {
	shown := r.Programs[:min(shownPrograms, len(r.Programs))]
	if len(shown) > 0 {
		t.line("\nPrograms that call IMDSv1, or may")
	}
	for i := range shown {
		shown[i].print(t, r.Criteria.Since)
	}
	var rest Calls
	for _, p := range r.Programs[len(shown):] {
		rest.merge(p.Calls)
	}
	if more := len(r.Programs) - len(shown); more > 0 {
		t.line(fmt.Sprintf("\n  %d more programs: %s", more, rest.text()))
	}
	if r.OtherPrograms != nil {
		t.line("\n  other programs, more than can be told apart: " + r.OtherPrograms.text())
	}
	if n := uint64(len(r.V2Programs)); n > 0 {
		t.line("\n" + plural(n, "program calls", "programs call") + " IMDSv2 only.")
	}
}

// text is "17 v1, 3 v2, 1 unknown".
func (c *calls) text() string {
	s := fmt.Sprintf("%d v1, %d v2", c.V1, c.V2)
	if c.Unknown > 0 {
		s += fmt.Sprintf(", %d unknown", c.Unknown)
	}
	return s
}

func (p *Program) print(t *text, since time.Time) {
	title := p.Name
	switch {
	case p.Ignored:
		title += " (ignored)"
	case p.NotSince:
		title += " (not" + SinceText(since) + ")"
	}
	t.wrap("\n  ", "      ", title)
	t.field("calls", p.callsText(since))
	t.field("hosts", listed(p.HostNames, 4, p.Hosts-len(p.HostNames)))
	t.field("software", p.Software.String())
	t.field("note", p.Software.Note)
	t.field("no fallback", t.onceOnly(p.Software.settingText()))
	t.field("package", listed(p.Packages, 3, 0))
	if p.Kind == "pod" || p.Kind == "task" || p.Kind == "container" {
		t.field(p.Kind, listed(p.Containers, 3, 0))
	}
	t.field("image", listed(p.Images, 3, 0))
	t.field("command", p.CommandLine)
	t.field("started by", strings.Join(p.Ancestors, ", "))
	if p.Executable != "" {
		t.field("User-Agent", listed(p.UserAgents, 3, 0))
	}
	for i, path := range countedTexts(p.Paths[:min(shownPaths, len(p.Paths))]) {
		t.field([]string{"paths", ""}[min(i, 1)], path)
	}
	if more := len(p.Paths) - shownPaths; more > 0 || p.MorePaths > 0 {
		t.field("", "and others")
	}
	t.field("answers", listed(countedTexts(p.Answers), maxOfEach, 0))
	t.field("last", p.When())
	if p.Credentials > 0 {
		t.field("credentials", plural(p.Credentials, "call", "calls")+
			" got a role's over version 1: they carry ec2:RoleDelivery 1.0, and policies that demand 2.0 will refuse them")
	}
	p.printCauses(t)
}

func (p *Program) callsText(since time.Time) string {
	s := p.Calls.text()
	if p.Calls.V1 != p.Blocking || p.Refused > 0 {
		s += fmt.Sprintf("; %d of the v1 calls are in the way", p.Blocking) + refusedText(p.Refused)
	}
	if p.Before > 0 {
		s += fmt.Sprintf("; %d from before %s", p.Before, givenTime(since))
	}
	return s
}

// refusedText is how many of the calls in the way were refused already, " (3 refused)".
func refusedText(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d refused)", n)
}

// When is when it called version 1, or may have; empty if that is not known.
func (p *Program) When() string {
	switch {
	case p.Last.IsZero():
		return ""
	case timeText(p.First) == timeText(p.Last):
		return timeText(p.Last)
	}
	return timeText(p.Last) + ", first " + timeText(p.First)
}

// printCauses says why, and of how many calls that is the cause if not of all.
func (p *Program) printCauses(t *text) {
	for i := range p.Causes {
		c := &p.Causes[i]
		why := c.Text
		if c.Calls != p.Calls.V1 {
			why += fmt.Sprintf(" (%s)", plural(c.Calls, "call", "calls"))
		}
		t.field("why", why)
		t.advice(c.Todo, c.Lines)
	}
}

func countedTexts(all []Counted) []string {
	texts := make([]string, 0, len(all))
	for _, c := range all {
		texts = append(texts, fmt.Sprintf("%s (%d)", c.Text, c.Count))
	}
	return texts
}
