package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"imds-analyzer/diagnosis"
)

// Cause is why a program calls version 1, for so many of its calls.
type Cause struct {
	// Finding is the id of the finding; empty if the cause is not known.
	Finding string `json:"finding,omitempty"`
	Calls   uint64 `json:"calls"`
	// Evidence is what ties fallbacks to the token requests that have failed, the
	// strongest first.
	Evidence []string `json:"evidence,omitempty"`
	Text     string   `json:"text"`
	Todo     string   `json:"todo,omitempty"`
	// Lines are to be pasted: into a script, or as a command.
	Lines string `json:"lines,omitempty"`

	hops bool // the hop limit is too low
}

// Fallback is how often a program has gone on without a token after a token request
// that had failed in one way.
type Fallback struct {
	Reason     string `json:"reason"`
	StatusCode int    `json:"status_code,omitempty"`
	Evidence   string `json:"evidence"`
	Calls      uint64 `json:"calls"`
}

// causesOf are the causes of a program's calls, that of most of them first. What no
// finding explains has the cause that it is not known.
func causesOf(p *program, s Software) []Cause {
	causes := append([]Cause{}, fallbackCauses(p)...)
	for _, f := range []diagnosis.Finding{diagnosis.OldSoftware, diagnosis.Script, diagnosis.OtherCloud, diagnosis.LocalResponder} {
		if n := p.Findings.Counts[string(f)]; n > 0 {
			c := Cause{Finding: string(f), Calls: n, Text: causeText(f, p, s), Todo: todo(f, s)}
			if f == diagnosis.Script {
				c.Lines = lines(p)
			}
			causes = append(causes, c)
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return cmp.Compare(b.Calls, a.Calls) })
	var explained uint64
	for _, c := range causes {
		explained = sum(explained, c.Calls)
	}
	if explained < p.Calls.V1 {
		causes = append(causes, Cause{Calls: p.Calls.V1 - explained, Text: unexplained(p, s), Todo: untilKnown(p)})
	}
	return causes
}

func causeText(f diagnosis.Finding, p *program, s Software) string {
	switch f {
	case diagnosis.OldSoftware:
		what := cmp.Or(s.String(), "its software")
		if s.Minimum != "" {
			return fmt.Sprintf("%s is too old for version 2: the first that speaks it is %s", what, s.Minimum)
		}
		return what + " is too old for version 2"
	case diagnosis.Script:
		return "a script calls the service without getting a token first"
	case diagnosis.OtherCloud:
		return "it looks for the metadata service of another cloud"
	}
	if servers := p.Servers.sorted(); len(servers) > 0 {
		return "another service answers at the address: " + servers[0].Text
	}
	return "another service answers at the address"
}

func todo(f diagnosis.Finding, s Software) string {
	switch {
	case f != diagnosis.OldSoftware || s.Source == "":
		return fix(f)
	case s.Minimum == "":
		return "replace it: no version of it speaks version 2"
	}
	return fmt.Sprintf("upgrade it to %s or later", s.Minimum)
}

func unexplained(p *program, s Software) string {
	if p.Findings.Counts[string(diagnosis.V2Capable)] > 0 {
		return fmt.Sprintf("not known: %s speaks version 2, and no token request of it was seen to fail", cmp.Or(s.String(), "its software"))
	}
	return "not known"
}

// untilKnown is what can be done although the cause is not known: where calls are refused,
// version 1 can be allowed again till then.
func untilKnown(p *program) string {
	if p.Findings.Counts[string(diagnosis.V1Refused)] > 0 {
		return fix(diagnosis.V1Refused)
	}
	return ""
}

// fallbackCauses are the fallbacks by how the token request had failed.
func fallbackCauses(p *program) (causes []Cause) {
	type way struct {
		reason string
		status int
	}
	byWay := map[way]int{}
	for _, counted := range p.Fallbacks.sorted() {
		f := fallbackOf(counted)
		w := way{f.Reason, f.StatusCode}
		at, known := byWay[w]
		if !known {
			at = len(causes)
			byWay[w] = at
			causes = append(causes, newFallbackCause(p, f))
		}
		causes[at].Calls = sum(causes[at].Calls, f.Calls)
		if f.Evidence != "" { // a state may have anything in it
			causes[at].Evidence = append(causes[at].Evidence, f.Evidence)
		}
	}
	for i := range causes {
		c := &causes[i]
		slices.SortFunc(c.Evidence, func(a, b string) int { return cmp.Or(cmp.Compare(strength(a), strength(b)), cmp.Compare(a, b)) })
		if len(c.Evidence) > 0 && strength(c.Evidence[0]) >= strength(string(diagnosis.SameUserAgent)) {
			c.Text += weakText(c.Evidence[0])
		}
	}
	return causes
}

// strength is the place of a tie among all, the strongest first.
func strength(tie string) int {
	all := []diagnosis.Tie{diagnosis.SameProcess, diagnosis.SameConnection, diagnosis.SameScript, diagnosis.SameUserAgent, diagnosis.SameMoment}
	if at := slices.Index(all, diagnosis.Tie(tie)); at >= 0 {
		return at
	}
	return len(all)
}

func weakText(tie string) string {
	switch diagnosis.Tie(tie) {
	case diagnosis.SameUserAgent:
		return " (by the same address and User-Agent, the process is not known)"
	case diagnosis.SameMoment:
		return " (by the same address at the same time, the process is not known)"
	}
	return " (" + tie + ")"
}

func newFallbackCause(p *program, f Fallback) Cause {
	c := Cause{Text: fallbackReason(f)}
	if f.Reason != "" {
		c.Finding = "fallback-token-" + f.Reason
		c.Todo = fix(diagnosis.Finding(c.Finding))
	}
	for _, why := range []diagnosis.Finding{diagnosis.HopLimit, diagnosis.ForwardedFor, diagnosis.ExpectContinue, diagnosis.DatedTokenPath} {
		if p.Findings.Counts[string(why)] > 0 && explains(why, f) {
			c.Text += ": " + whyText(why, p)
			c.Todo, c.hops = fix(why), why == diagnosis.HopLimit
		}
	}
	return c
}

// explains says whether a token request can have failed so for that.
func explains(why diagnosis.Finding, f Fallback) bool {
	switch why {
	case diagnosis.HopLimit:
		return f.Reason == string(diagnosis.Undelivered) || f.Reason == string(diagnosis.Unanswered)
	case diagnosis.ExpectContinue:
		return f.StatusCode == 417
	case diagnosis.DatedTokenPath:
		return f.StatusCode == 403
	}
	return f.Reason == string(diagnosis.Refused)
}

func fallbackReason(f Fallback) string {
	const goesOn = ", and it goes on without"
	switch diagnosis.Reason(f.Reason) {
	case diagnosis.Refused:
		if f.StatusCode == 0 {
			return "its token request is refused" + goesOn
		}
		return fmt.Sprintf("its token request is refused with status %d%s", f.StatusCode, goesOn)
	case diagnosis.Unanswered:
		return "its token request is not answered" + goesOn
	case diagnosis.Reset:
		return "the connection of its token request is reset" + goesOn
	case diagnosis.Undelivered:
		return "the answer to its token request does not reach it" + goesOn
	}
	return strings.TrimSpace("its token request fails "+f.Reason) + goesOn
}

func whyText(why diagnosis.Finding, p *program) string {
	switch why {
	case diagnosis.HopLimit:
		text := "the hop limit of the answer is too low"
		if p.Tokens.Least > 0 {
			text = fmt.Sprintf("the hop limit of the answer is %d", p.Tokens.Least)
		}
		if p.Tokens.Needed > 0 {
			text += fmt.Sprintf(", %d is needed", p.Tokens.Needed)
		}
		return text
	case diagnosis.ForwardedFor:
		return "a proxy adds X-Forwarded-For to it"
	case diagnosis.ExpectContinue:
		return "it has Expect: 100-continue"
	}
	return "it goes to a path with a date in place of latest"
}
