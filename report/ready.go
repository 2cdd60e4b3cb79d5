package report

import (
	"slices"

	"imds-analyzer/report/steps"
)

// readyInstances are the ids of instances on which version 2 can be required now and,
// as far as is known, is not yet. What cannot be an id is left out. While there is
// evidence that may be of any instance, none is ready.
func (r *Report) readyInstances() []string {
	ready := []string{}
	if r.unplaced() {
		return ready
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		if h.Verdict.Status == Ready && steps.IsInstanceID(h.Instance) && !h.required() {
			ready = append(ready, h.Instance)
		}
	}
	slices.Sort(ready)
	return slices.Compact(ready)
}

// unplaced says that there is evidence of which it is not known what instance it is of:
// lines and files that were not read, and calls of hosts that have no instance's id.
// What was not observed at all is no such evidence.
func (r *Report) unplaced() bool {
	return r.Inputs.Malformed+r.Inputs.PassedOver > 0 || slices.ContainsFunc(r.Hosts, func(h Host) bool { return h.unplaced() })
}

func (h *Host) unplaced() bool {
	return !steps.IsInstanceID(h.Instance) && (len(h.Verdict.Against) > 0 || slices.ContainsFunc(h.Verdict.Missing, isOfCalls))
}

// isOfCalls says that there were calls, or may have been, that may be of version 1.
func isOfCalls(i Item) bool {
	return slices.Contains([]string{itemUnknown, itemElsewhere, itemNotLogged, itemOthers}, i.ID)
}

// required says that nothing is left to require of the instance: version 1 is off, or by
// the list its metadata service is, or it is gone.
func (h *Host) required() bool { return h.Listed != nil && h.Listed.done || h.off() }

// off says that version 1 is off, as version 2 is required. Where the list and the traffic
// contradict each other it may not be, and requiring it again does no harm. Of several hosts
// that are not told apart the latest call does not tell.
func (h *Host) off() bool {
	seen, l := h.Options.HTTPTokens == "required" && !h.others, h.Listed
	if l == nil {
		return seen
	}
	return (seen || l.required) && !slices.Contains(l.Contradicts, tokensField)
}
