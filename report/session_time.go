package report

import (
	"cmp"
	"slices"
	"time"
)

// How far a session's time is trusted. Its lines and calls have the time of a clock that
// is set while it runs: a machine without a battery for its clock begins in 1970, or when
// its system was built, until it is told the time.
const (
	// maxSilence is for how long a session may give no sign of life where no line tells
	// how long it has run: what is done once a day is one, and takes an hour more on the
	// day on which clocks are put back. A clock that is set forward by more is noticed;
	// if it is by less, that much of a day is taken for observed.
	maxSilence = 25 * time.Hour
	// stepped is by how much a clock was set at least: whole seconds leave one unsaid.
	stepped = 2 * time.Second
	// maxElapsed is 136 years in seconds, which a time.Duration can hold.
	maxElapsed = 1 << 32
)

// clockSet is before any capture of this program: a clock that is behind it was not set.
func clockSet() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

// believed leaves out the time of a clock that was not set.
func believed(t time.Time) time.Time {
	if t.Before(clockSet()) {
		return time.Time{}
	}
	return t
}

// elapsed takes in what other lines of the same session tell of how long it has run.
func (s *session) elapsed(o *session) {
	if cmp.Or(cmp.Compare(o.Elapsed, s.Elapsed), o.ElapsedAt.Compare(s.ElapsedAt)) > 0 {
		s.Elapsed, s.ElapsedAt = o.Elapsed, o.ElapsedAt
	}
}

// began is when it started, by the clock as it was set when a line last told how long it
// had run.
func (s *session) began() time.Time {
	switch {
	case !s.Live:
		return s.Packets.First
	case s.ElapsedAt.IsZero():
		return s.Started
	}
	began := s.ElapsedAt.Add(-time.Duration(min(s.Elapsed, maxElapsed)) * time.Second)
	if began.Sub(s.Started).Abs() < stepped {
		return s.Started
	}
	return utc(began)
}

// ended is when it was stopped or else gave its last sign of life.
func (s *session) ended() time.Time {
	switch {
	case !s.Live:
		return s.Packets.Last
	case !s.Stopped.IsZero():
		return s.Stopped
	}
	return later(s.Started, s.Last)
}

// observed is the time in which the session saw packets for sure. The signs of life are
// in order, in nanoseconds since 1970. It is zero if there is no such time.
func (s *session) observed(signs []int64) span {
	began, ended := s.began(), s.ended()
	switch {
	case !s.Live:
		return s.Packets
	case believed(began).IsZero():
		return span{}
	case !s.ElapsedAt.IsZero():
		return span{began, aliveUntil(s.ElapsedAt, ended, signs)}
	case ended.Before(began):
		return span{}
	}
	return span{aliveSince(ended, began, signs), ended}
}

// doubtful says whether the session ran longer than it is sure that it saw packets, by
// its clock.
func (s *session) doubtful(seen span) bool {
	return s.Live && (seen.First.IsZero() || seen.First.After(s.began()) || s.ended().After(seen.Last))
}

// aliveUntil is the end, or else the last sign of life after which there was a silence.
func aliveUntil(from, end time.Time, signs []int64) time.Time {
	for _, t := range signs[placeOf(from, signs):] {
		sign := time.Unix(0, t).UTC()
		if sign.After(end) || sign.Sub(from) > maxSilence {
			break
		}
		from = sign
	}
	if end.After(from) && end.Sub(from) <= maxSilence {
		return end
	}
	return from
}

// aliveSince is the beginning, or else the first sign of life before which there was a
// silence.
func aliveSince(from, beginning time.Time, signs []int64) time.Time {
	for _, t := range slices.Backward(signs[:placeOf(from, signs)]) {
		sign := time.Unix(0, t).UTC()
		if sign.Before(beginning) || from.Sub(sign) > maxSilence {
			break
		}
		from = sign
	}
	if from.Sub(beginning) <= maxSilence {
		return beginning
	}
	return from
}

// placeOf is where the signs begin that are not before that time.
func placeOf(t time.Time, signs []int64) int {
	at, _ := slices.BinarySearchFunc(signs, t, func(sign int64, t time.Time) int { return time.Unix(0, sign).Compare(t) })
	return at
}
