package page

import (
	"html/template"

	"imds-analyzer/report"
)

// list is what there is room for, and how much more there is.
type list struct {
	Shown []template.HTML
	Total int
	// More is how many are left out, MoreCalls the calls of these.
	More      int
	MoreCalls report.Calls
}

// add shows something if there is room, and counts it if not.
func (l *list) add(room *part, data any, calls report.Calls, template string) error {
	rendered, fits, err := room.add(data, template)
	switch {
	case err != nil:
		return err
	case fits:
		l.Shown = append(l.Shown, rendered)
		return nil
	}
	l.More++
	l.MoreCalls.V1 = report.Sum(l.MoreCalls.V1, calls.V1)
	l.MoreCalls.V2 = report.Sum(l.MoreCalls.V2, calls.V2)
	l.MoreCalls.TokenRequests = report.Sum(l.MoreCalls.TokenRequests, calls.TokenRequests)
	l.MoreCalls.Unknown = report.Sum(l.MoreCalls.Unknown, calls.Unknown)
	return nil
}
