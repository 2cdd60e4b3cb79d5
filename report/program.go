package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/output"
)

// Limits of programs: a fleet runs a few hundred that call the service. With all its
// tallies full of the longest texts one takes 25 KiB, and some 2 KiB as a rule: 4 MiB
// for all.
const (
	maxPrograms = 2048
	maxPaths    = 24
	maxFindings = 32 // twice as many as there are
	maxOfEach   = 8  // packages, User-Agents, containers, answers, servers
	maxReasons  = 16 // of fallbacks: reason, status and evidence
)

// program is what was taken in of a program, over all hosts.
type program struct {
	Key         programKey `json:"key"`
	Calls       calls      `json:"calls"`
	Credentials uint64     `json:"credentials,omitempty"` // calls of version 1 for them that succeeded
	Seen        span       `json:"seen,omitzero"`
	// V1 is when it called version 1, or may have.
	V1         span      `json:"v1,omitzero"`
	Tokens     hopLimits `json:"tokens,omitzero"`
	Answers    tally     `json:"answers,omitzero"` // to calls of version 1
	Paths      tally     `json:"paths,omitzero"`   // of those and of unknown ones
	Findings   tally     `json:"findings,omitzero"`
	Fallbacks  tally     `json:"fallbacks,omitzero"` // see fallbackText
	Packages   tally     `json:"packages,omitzero"`
	UserAgents tally     `json:"user_agents,omitzero"`
	Containers tally     `json:"containers,omitzero"`
	Images     tally     `json:"images,omitzero"`
	Servers    tally     `json:"servers,omitzero"` // other than the metadata service
	Example    example   `json:"example,omitzero"`

	shares []share // in the order of the hosts' indexes
}

// share is what a host has of a program's calls.
type share struct {
	host      *host
	calls, v1 uint64
	inTheWay
	before  inTheWay // those of them that are known to be from before Options.Since
	against against  // when they were made
}

// example is a process of the program, the latest that called version 1 or may have.
type example struct {
	CommandLine string `json:"command_line,omitempty"`
	// Ancestors are its parent, the parent's, and so on: what each runs.
	Ancestors []string  `json:"ancestors,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// exampleOf is the process of a call. The latest one is mostly like it: what is the same
// is tidy already.
func exampleOf(e *output.Entry, latest *example) example {
	x := example{CommandLine: e.Process.CommandLine, At: utc(e.Timestamp)}
	if x.CommandLine != latest.CommandLine {
		x.CommandLine = tidy(x.CommandLine)
	}
	for i := range e.IMDS.Ancestors[:min(len(e.IMDS.Ancestors), attribution.MaxAncestors)] {
		a := &e.IMDS.Ancestors[i]
		text := cmp.Or(a.Script, a.Executable, a.Name, "not known")
		if i >= len(latest.Ancestors) || text != latest.Ancestors[i] {
			text = tidy(text)
		}
		x.Ancestors = append(x.Ancestors, text)
	}
	return x
}

func (x *example) merge(o example) {
	if cmp.Or(o.At.Compare(x.At), cmp.Compare(o.CommandLine, x.CommandLine), slices.Compare(o.Ancestors, x.Ancestors)) > 0 {
		*x = o
	}
}

// tidy makes what a file says fit to be kept.
func (x *example) tidy() {
	x.CommandLine = tidy(x.CommandLine)
	x.Ancestors = x.Ancestors[:min(len(x.Ancestors), attribution.MaxAncestors)]
	for i := range x.Ancestors {
		x.Ancestors[i] = tidy(x.Ancestors[i])
	}
}

func (p *program) call(e *output.Entry, h *host, since time.Time) {
	n := callsOf(e)
	p.Calls.merge(n)
	p.Seen.merge(spanOf(e))
	if e.IsTokenRequest() {
		p.Tokens.add(e.IMDS.ResponseTTL, e.IMDS.ResponseTTLNeeded)
	}
	for _, f := range e.IMDS.Findings {
		p.Findings.add(f, e.Calls(), maxFindings)
	}
	p.share(h).call(e, since)
	p.UserAgents.add(e.UserAgent.Original, e.Calls(), maxOfEach)
	if n.V2 == 0 {
		p.tokenless(e, n.V1)
	}
}

// tokenless takes in a call of version 1, or one that may be.
func (p *program) tokenless(e *output.Entry, v1 uint64) {
	p.V1.merge(spanOf(e))
	p.Paths.add(e.URL.Path, e.Calls(), maxPaths)
	p.Answers.add(answerText(e), v1, maxOfEach)
	if e.GotCredentials() {
		p.Credentials = sum(p.Credentials, v1)
	}
	if f := &e.IMDS.Fallback; f.Reason != "" {
		p.Fallbacks.add(fallbackText(f), e.Calls(), maxReasons)
	}
	for _, packages := range []output.Package{e.Package, e.IMDS.Script.Package} {
		p.Packages.add(packageText(packages), e.Calls(), maxOfEach)
	}
	p.Containers.add(cmp.Or(e.Container.Name, e.Container.ID), e.Calls(), maxOfEach)
	p.Images.add(e.Container.Image.Name, e.Calls(), maxOfEach)
	if standingOf(e) == elsewhere {
		p.Servers.add(e.IMDS.Server, e.Calls(), maxOfEach)
	}
	if e.Process.CommandLine != "" && !e.Timestamp.Before(p.Example.At) {
		p.Example.merge(exampleOf(e, &p.Example))
	}
}

func answerText(e *output.Entry) string {
	if e.Status() == 0 {
		return "no answer"
	}
	return "status " + e.StatusText()
}

func packageText(p output.Package) string {
	if p.Name == "" {
		return ""
	}
	return output.JoinKnown(" ", p.Name, p.Version, "("+p.Type+")")
}

// fallbackText is "refused 403 process".
func fallbackText(f *output.Fallback) string {
	return fmt.Sprintf("%s %d %s", f.Reason, f.StatusCode, f.Evidence)
}

// fallbackOf reads what fallbackText wrote.
func fallbackOf(c Counted) Fallback {
	f := Fallback{Calls: c.Count}
	words := strings.SplitN(c.Text, " ", 3)
	if len(words) == 3 {
		f.Reason, f.Evidence = words[0], words[2]
		f.StatusCode, _ = strconv.Atoi(words[1])
	}
	return f
}

// share returns the host's share.
func (p *program) share(h *host) *share {
	at, known := slices.BinarySearchFunc(p.shares, h.index, func(s share, index int) int { return cmp.Compare(s.host.index, index) })
	if !known {
		p.shares = slices.Insert(p.shares, at, share{host: h})
	}
	return &p.shares[at]
}

func (s *share) call(e *output.Entry, since time.Time) {
	s.calls = sum(s.calls, e.Calls())
	s.v1 = sum(s.v1, callsOf(e).V1)
	of := inTheWayOf(e)
	if of == (inTheWay{}) {
		return
	}
	var made against
	made.add(spanOf(e).Last)
	s.inTheWay.merge(of)
	s.against.merge(made)
	if made.isBefore(since) {
		s.before.merge(of)
	}
}

func (s *share) merge(o *share) {
	s.calls = sum(s.calls, o.calls)
	s.v1 = sum(s.v1, o.v1)
	s.inTheWay.merge(o.inTheWay)
	s.before.merge(o.before)
	s.against.merge(o.against)
}

// merge takes in the same program from elsewhere, but for its hosts.
func (p *program) merge(o *program) {
	p.Calls.merge(o.Calls)
	p.Credentials = sum(p.Credentials, o.Credentials)
	p.Seen.merge(o.Seen)
	p.V1.merge(o.V1)
	p.Tokens.merge(o.Tokens)
	p.Answers.merge(&o.Answers, maxOfEach)
	p.Paths.merge(&o.Paths, maxPaths)
	p.Findings.merge(&o.Findings, maxFindings)
	p.Fallbacks.merge(&o.Fallbacks, maxReasons)
	p.Packages.merge(&o.Packages, maxOfEach)
	p.UserAgents.merge(&o.UserAgents, maxOfEach)
	p.Containers.merge(&o.Containers, maxOfEach)
	p.Images.merge(&o.Images, maxOfEach)
	p.Servers.merge(&o.Servers, maxOfEach)
	p.Example.merge(o.Example)
}
