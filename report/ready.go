package report

import (
	"slices"

	"imds-analyzer/report/steps"
)

// readyInstances are the ids of instances on which version 2 can be required now and,
// as far as is known, is not yet. What cannot be an id is left out.
func readyInstances(hosts []Host) []string {
	ready := []string{}
	for i := range hosts {
		h := &hosts[i]
		if h.Verdict.Status == Ready && steps.IsInstanceID(h.Instance) && !h.required() {
			ready = append(ready, h.Instance)
		}
	}
	slices.Sort(ready)
	return slices.Compact(ready)
}

// required says that nothing is left to require of the instance: version 2 is required,
// or by the list its metadata service is off, or it is gone. Where the list and the
// traffic contradict each other it may not be, and requiring it again does no harm.
func (h *Host) required() bool {
	l := h.Listed
	switch {
	case l == nil:
		return h.Options.HTTPTokens == "required"
	case l.done:
		return true
	case slices.Contains(l.Contradicts, tokensField):
		return false
	}
	return l.required || h.Options.HTTPTokens == "required"
}
