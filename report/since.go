package report

import "time"

// against is when a host's calls were made that may be in the way.
type against struct {
	Last time.Time `json:"last,omitzero"`
	// Undated is true if there are such without a time, or of a clock that was not set.
	Undated bool `json:"undated,omitempty"`
}

func (a *against) add(t time.Time) {
	if believed(t).IsZero() {
		a.Undated = true
		return
	}
	a.Last = later(a.Last, t)
}

func (a *against) merge(o against) {
	a.Last, a.Undated = later(a.Last, o.Last), a.Undated || o.Undated
}

// isBefore says that all of them were made before that time, for sure. None is before no time.
func (a *against) isBefore(since time.Time) bool {
	return !since.IsZero() && !a.Undated && a.Last.Before(since)
}

// since tells those apart that are from before that time, of a state: it has but the time of
// the latest, so that all are or, for all that is known, none is.
func (s share) since(t time.Time) share {
	if s.against.isBefore(t) {
		s.before = s.inTheWay
	}
	return s
}

// since leaves out what was before that time.
func (s span) since(t time.Time) span {
	if s.Last.Before(t) {
		return span{}
	}
	return span{later(s.First, t), s.Last}
}

// since is what counts of it from that time on. How much time of it that is, is not known:
// it is what is left if all time before was seen without a gap. The counts cannot be told
// apart by time.
func (o observation) since(t time.Time) observation {
	if t.IsZero() {
		return o
	}
	o.from = t
	if before := t.Sub(o.Within.First); before > 0 {
		o.Time = max(0, o.Time-before)
	}
	o.Within = o.Within.since(t)
	o.Boots, o.Shutdowns = o.Boots.since(t), o.Shutdowns.since(t)
	return o
}

// since are those whose time is known.
func (m moments) since(t time.Time) (later moments) {
	for _, at := range m.Times {
		if !at.Before(t) {
			later.add(at)
		}
	}
	return later
}

// isBefore says that it ended before that time, by a clock that was set.
func (s *session) isBefore(since time.Time) bool {
	ended := believed(s.ended())
	return !ended.IsZero() && ended.Before(since)
}

// callsOnly are the counts by which it is known how many calls the logs lack.
func (c *counts) callsOnly() counts { return counts{CallsV1: c.CallsV1, CallsUnknown: c.CallsUnknown} }

// nothingSince says that neither a capture nor a call tells of that time or a later one.
func (h *host) nothingSince(t time.Time, seen *observation) bool {
	return !t.IsZero() && h.Seen.Last.Before(t) && seen.Within.Last.IsZero()
}

// SinceText says from when on something counts, " since 2026-11-20"; empty if that is always.
func SinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + givenTime(t)
}

// givenTime is a time as it is given: a day, or a time of it.
func givenTime(t time.Time) string {
	layout := time.RFC3339
	if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
		layout = time.DateOnly
	}
	return t.Format(layout)
}
