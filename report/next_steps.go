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
		h := &r.Hosts[i]
		needed := h.neededHops()
		s.HopLimit = max(s.HopLimit, needed)
		switch {
		case steps.IsInstanceID(h.Instance):
		case h.required():
			continue
		default:
			s.Unknown++
			continue
		}
		s.Instances = append(s.Instances, steps.Instance{
			ID:       h.Instance,
			Region:   h.Region,
			Ready:    h.Verdict.Status == Ready && !s.Unplaced,
			Required: h.required(),
			HopLimit: needed,
		})
	}
	s.HopLimitTooLow = s.HopLimit > 0 || r.hopsNotKnown()
	return s
}

// neededHops is the hop limit that the host needs, if it was never seen to have it.
func (h *Host) neededHops() int {
	if l := &h.Options.HopLimits; l.Needed > l.Greatest {
		return l.Needed
	}
	return 0
}

// hopsNotKnown: a finding says that the limit is too low, and no host how high it has
// to be.
func (r *Report) hopsNotKnown() bool {
	return r.found(diagnosis.HopLimit) && !slices.ContainsFunc(r.Hosts, func(h Host) bool { return h.Options.HopLimits.Needed > 0 })
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
