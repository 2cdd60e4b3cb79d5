package report

import (
	"slices"

	"imds-analyzer/diagnosis"
	"imds-analyzer/report/steps"
)

// addSteps adds what is to be done, if anything was observed at all.
func (r *Report) addSteps() {
	if len(r.Hosts) > 0 {
		r.Steps = steps.For(r.situation())
	}
}

func (r *Report) situation() steps.Situation {
	s := steps.Situation{
		Ready:    r.Verdict.Status == Ready,
		InTheWay: itemTexts(r.Verdict.Against),
		Missing:  itemTexts(r.Verdict.Missing),
		Unplaced: r.unplaced(),
	}
	for i := range r.Hosts {
		r.Hosts[i].addTo(&s)
	}
	if r.hopsTooFewSomewhere() {
		s.HopLimitTooLow, s.HopLimitUnknown = true, true
	}
	return s
}

// addTo adds the host to what there is to take steps for.
func (h *Host) addTo(s *steps.Situation) {
	h.addHops(s)
	switch {
	case steps.IsInstanceID(h.Instance):
		s.Instances = append(s.Instances, steps.Instance{
			ID:             h.Instance,
			Region:         h.Region,
			Ready:          h.Verdict.Status == Ready && !s.Unplaced,
			Required:       h.required(),
			HopLimitTooLow: h.Options.hopsTooFew,
			HopLimit:       h.neededHops(),
		})
	case !h.required():
		s.Unknown++
	}
}

// addHops takes in what hops the host needs, and has.
func (h *Host) addHops(s *steps.Situation) {
	seen := &h.Options.HopLimits
	s.LaunchHopLimit = max(s.LaunchHopLimit, seen.Needed, seen.Greatest)
	if h.Listed != nil {
		s.LaunchHopLimit = max(s.LaunchHopLimit, h.Listed.HopLimit)
	}
	if !h.Options.hopsTooFew {
		return
	}
	if needed := h.neededHops(); needed > 0 {
		s.HopLimit = max(s.HopLimit, needed)
	} else {
		s.HopLimitUnknown = true
	}
	s.HopLimitTooLow = true
}

// neededHops is the hop limit that the host needs, 0 if it is not known.
func (h *Host) neededHops() int {
	seen := &h.Options.HopLimits
	if seen.Needed == 0 {
		return 0
	}
	return max(seen.Needed, seen.Greatest)
}

// hopsTooFewSomewhere: a finding says that the limit is too low, and it is not known on
// which host, as in states of before they said so.
func (r *Report) hopsTooFewSomewhere() bool {
	return r.found(diagnosis.HopLimit) && !slices.ContainsFunc(r.Hosts, func(h Host) bool {
		return h.Options.HopLimits.Needed > 0 || h.Options.findingOfHops
	})
}

func (r *Report) found(f diagnosis.Finding) bool {
	return slices.ContainsFunc(r.Programs, func(p Program) bool {
		return slices.ContainsFunc(p.Findings, func(c Counted) bool { return c.Text == string(f) })
	})
}

func itemTexts(items []Item) (all []string) {
	for _, i := range items {
		all = append(all, i.Text)
	}
	return all
}
