package report

import "time"

// span is the time between the first and the last of some events; it is zero if
// there were none.
type span struct {
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// add takes in an event. One whose time is not known leaves it as it is.
func (s *span) add(t time.Time) { s.merge(span{t, t}) }

func (s *span) merge(o span) {
	s.First, s.Last = earlier(s.First, o.First), later(s.Last, o.Last)
}

// earlier and later pass over times that are not known.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return utc(b)
	}
	return a
}

// utc leaves out times that RFC 3339 cannot write in UTC.
func utc(t time.Time) time.Time {
	const lastYear = 9999
	if t = t.UTC(); t.Year() < 1 || t.Year() > lastYear {
		return time.Time{}
	}
	return t
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return utc(b)
	}
	return a
}
