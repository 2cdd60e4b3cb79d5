package report

import (
	"cmp"
	"slices"

	"imds-analyzer/output"
)

// Report judges what was taken in so far. More can be taken in afterwards.
func (b *Builder) Report() *Report {
	ignore := newIgnored(b.options.Ignore)
	r := &Report{
		Programs:   []Program{},
		V2Programs: []V2Program{},
		Hosts:      []Host{},
		Inputs:     b.inputs,
		Criteria:   Criteria{b.options.MinDays, b.options.NoBoot, append([]string{}, b.options.Ignore...), b.options.Since},
		Note:       optionsNote,
	}
	r.Inputs.MalformedLines = slices.Clone(b.inputs.MalformedLines)
	sums := map[*host]*inTheWay{}
	for _, p := range b.kept.sortedPrograms() {
		r.addProgram(p, ignore.match(p), sums)
	}
	if others := b.kept.otherPrograms; others != nil {
		r.OtherPrograms = &others.Calls
		addShares(sums, others)
	}
	var line timeline
	var marks marks
	for _, h := range b.kept.sortedHosts() {
		marks.merge(r.addHost(h, sums[h], b.options))
		line.merge(&h.Timeline)
	}
	r.Timeline = line.told(r.Calls, marks)
	r.sort()
	r.compare(b.listed)
	r.Ready = r.readyInstances()
	r.Verdict = judgeAll(r, b.options)
	r.addSteps()
	r.addHopLimits()
	return r
}

func (r *Report) addProgram(p *program, ignored bool, sums map[*host]*inTheWay) {
	if !ignored {
		addShares(sums, p)
	}
	if p.Calls.V1 == 0 && p.Calls.Unknown == 0 {
		r.V2Programs = append(r.V2Programs, V2Program{p.Key.title(), p.Calls.V2, p.Calls.TokenRequests, len(p.shares)})
		return
	}
	told := p.told()
	told.Ignored = ignored
	r.Programs = append(r.Programs, told)
}

func addShares(sums map[*host]*inTheWay, p *program) {
	for i := range p.shares {
		s := &p.shares[i]
		of := sums[s.host]
		if of == nil {
			of = &inTheWay{}
			sums[s.host] = of
		}
		of.merge(s.without(s.before))
	}
}

// addHost returns what the timeline of all hosts is marked with for this one.
func (r *Report) addHost(h *host, sums *inTheWay, o Options) marks {
	if sums == nil {
		sums = &inTheWay{}
	}
	seen := h.Sessions.observed(o.Since)
	marks := h.Sessions.marks()
	marks.boots = seen.Boots.Times
	r.Calls.merge(h.Calls)
	r.Hosts = append(r.Hosts, Host{
		Name:     h.title(),
		Hostname: h.Hostname,
		Instance: h.Instance,
		Region:   cmp.Or(h.Region, output.RegionOf(h.Hostname)),
		Verdict:  judge(h, &seen, *sums, o),
		Calls:    h.Calls,
		Blocking: sums.blocking,
		Refused:  sums.refused,
		Observed: Observed{seen.Sessions, inDays(seen.Time), seen.Within, seen.Doubtful, seen.Boots, seen.Shutdowns, seen.Counts},
		Options:  h.Options.told(),
		Service:  h.Periods.told(),
		Timeline: h.Timeline.told(h.Calls, marks),
		of:       h,
		others:   h.Key == otherHostsKey,
	})
	return marks
}

// sort puts first what matters most: programs and hosts by what would break.
func (r *Report) sort() {
	slices.SortStableFunc(r.Programs, func(a, b Program) int {
		return cmp.Or(compareLast(a.NotSince, b.NotSince), cmp.Compare(b.Calls.V1, a.Calls.V1), cmp.Compare(b.Calls.Unknown, a.Calls.Unknown))
	})
	slices.SortStableFunc(r.V2Programs, func(a, b V2Program) int { return cmp.Compare(b.Calls, a.Calls) })
	slices.SortStableFunc(r.Hosts, func(a, b Host) int {
		return cmp.Or(
			a.Verdict.Status.Compare(b.Verdict.Status),
			cmp.Compare(b.Blocking, a.Blocking),
			cmp.Compare(a.Observed.Days, b.Observed.Days))
	})
}

// compareLast puts last what it holds for.
func compareLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (p *program) told() Program {
	software := softwareOf(p)
	t := Program{
		Name:                p.Key.title(),
		Kind:                p.Key.Kind,
		Owner:               p.Key.Owner,
		Executable:          p.Key.Executable,
		Script:              p.Key.Script,
		ExecutableElsewhere: p.Key.Elsewhere,
		UserAgents:          texts(&p.UserAgents),
		Software:            software,
		Packages:            texts(&p.Packages),
		Containers:          texts(&p.Containers),
		Images:              texts(&p.Images),
		CommandLine:         p.Example.CommandLine,
		Ancestors:           p.Example.Ancestors,
		Hosts:               len(p.shares),
		HostNames:           p.hostNames(),
		Calls:               p.Calls,
		Answers:             p.Answers.sorted(),
		Paths:               p.Paths.sorted(),
		MorePaths:           p.Paths.Others,
		First:               p.V1.First,
		Last:                p.V1.Last,
		Credentials:         p.Credentials,
		Findings:            p.Findings.sorted(),
		Fallbacks:           []Fallback{},
		HopLimits:           p.Tokens,
		Causes:              causesOf(p, software),
		shares:              p.shares,
	}
	var all, before inTheWay
	for i := range p.shares {
		all.merge(p.shares[i].inTheWay)
		before.merge(p.shares[i].before)
	}
	left := all.without(before)
	t.Blocking, t.Refused, t.counts = left.blocking, left.refused, left.all() > 0
	t.Before, t.NotSince = before.all(), before.all() > 0 && left.all() == 0
	for _, f := range p.Fallbacks.sorted() {
		t.Fallbacks = append(t.Fallbacks, fallbackOf(f))
	}
	return t
}

func texts(t *tally) (all []string) {
	for _, c := range t.sorted() {
		all = append(all, c.Text)
	}
	return all
}

// maxHostNames bounds the hosts that are named of a program.
const maxHostNames = 8

func (p *program) hostNames() []string {
	shares := slices.Clone(p.shares)
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.v1, a.v1), cmp.Compare(b.unclear, a.unclear), cmp.Compare(a.host.Key, b.host.Key))
	})
	names := []string{}
	for i := range shares[:min(maxHostNames, len(shares))] {
		names = append(names, shares[i].host.title())
	}
	return names
}

func (p *periods) told() ServiceNumbers {
	total, highest := p.total()
	n := ServiceNumbers{
		NoToken:  uint64(total.Succeeded),
		Rejected: uint64(total.Refused),
		NotFound: uint64(total.NotFound),
		Periods:  []Period{},
	}
	for i := range p.Latest {
		n.Periods = append(n.Periods, p.Latest[i].told())
	}
	if highest != nil {
		n.Highest = new(highest.told())
	}
	return n
}

func (p *period) told() Period {
	return Period{p.start(), uint64(p.Succeeded), uint64(p.Refused), uint64(p.NotFound)}
}
