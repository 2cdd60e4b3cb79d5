package report

import (
	"cmp"
	"slices"
	"time"

	"imds-analyzer/output"
)

// maxSessions bounds the sessions of a host that are kept apart: at some 400 bytes
// each they take 50 KiB. Of earlier ones it is kept what they add up to, and lines
// that tell more of them are passed over.
const maxSessions = 128

// sessions are the captures on a host, in the order of their starts.
type sessions struct {
	Latest  []session   `json:"latest,omitempty"`
	Earlier observation `json:"earlier,omitzero"`
	// PassedOver are lines of sessions that may be none of these.
	PassedOver uint64 `json:"passed_over,omitempty"`
	// Hours are the times of the latest sign of life in each hour, in order: a call, or a
	// line of a session that does not tell how long it has run. A session without a line
	// that tells of its end went on for as long as there were such. Which session a call
	// belongs to is not known while lines are still to come.
	Hours []int64 `json:"hours,omitempty"` // nanoseconds since 1970
}

// maxHours bounds the hours: 42 days with signs in each of them, in 8 KiB.
const maxHours = 1024

func (s *sessions) find(started time.Time) (at int, known bool) {
	return slices.BinarySearchFunc(s.Latest, started, func(s session, t time.Time) int { return s.Started.Compare(t) })
}

// add takes in what is known of a session.
func (s *sessions) add(one session) {
	at, known := s.find(one.Started)
	switch {
	case known:
		s.Latest[at].merge(&one)
		return
	case s.Earlier.Sessions > 0 && !one.Started.After(s.Earlier.Latest):
		s.PassedOver = sum(s.PassedOver, 1)
		return
	}
	s.Latest = slices.Insert(s.Latest, at, one)
	if len(s.Latest) > maxSessions {
		earliest := &s.Latest[0]
		s.Earlier.add(earliest)
		s.Earlier.addTime(earliest, earliest.observed(s.Hours))
		s.Latest = slices.Delete(s.Latest, 0, 1)
	}
}

// line takes in what a line tells of its session.
func (s *sessions) line(one session) {
	if one.Live && !one.Begun && one.ElapsedAt.IsZero() && !one.Last.IsZero() {
		s.hour(one.Last.UnixNano())
	}
	s.add(one)
}

// of returns the session that was the latest to start at that time, nil if there is
// none.
func (s *sessions) of(t time.Time) *session {
	at, known := s.find(t)
	if !known {
		at--
	}
	if at < 0 {
		return nil
	}
	return &s.Latest[at]
}

// call takes in a call.
func (s *sessions) call(e *output.Entry) {
	if e.Timestamp.IsZero() {
		return
	}
	s.hour(e.Timestamp.UnixNano())
	if of := s.of(e.Timestamp); of != nil {
		of.Sequence, of.Counted = max(of.Sequence, e.Event.Sequence), later(of.Counted, e.Timestamp)
	}
}

func (s *sessions) hour(t int64) {
	at, known := slices.BinarySearchFunc(s.Hours, t, func(a, b int64) int {
		return cmp.Compare(a/int64(time.Hour), b/int64(time.Hour))
	})
	if known {
		s.Hours[at] = max(s.Hours[at], t)
		return
	}
	s.Hours = slices.Insert(s.Hours, at, t)
	if len(s.Hours) > maxHours {
		s.Hours = slices.Delete(s.Hours, 0, 1)
	}
}

// alive are the sessions with their latest signs of life.
func (s *sessions) alive() []session {
	all := slices.Clone(s.Latest)
	for _, t := range s.Hours {
		called := sessions{Latest: all}
		if of := called.of(time.Unix(0, t).UTC()); of != nil {
			of.Last = later(of.Last, time.Unix(0, t))
		}
	}
	return all
}

// besideOtherBoots is how many ran while one on another boot did, for longer than by a clock
// that is an hour wrong. No machine has two boots at once: they are of several that have one id.
func (s *sessions) besideOtherBoots() (n uint64) {
	all := slices.DeleteFunc(s.alive(), func(one session) bool { return one.BootID == "" })
	slices.SortStableFunc(all, func(a, b session) int { return a.began().Compare(b.began()) })
	longest := 0 // goes on to the latest time so far
	for i := range all {
		before := &all[longest]
		if all[i].BootID != before.BootID && earlier(all[i].ended(), before.ended()).Sub(all[i].began()) > time.Hour {
			n++
		}
		if all[i].ended().After(before.ended()) {
			longest = i
		}
	}
	return n
}

// observed is what all of them add up to from that time on, or all in all if it is zero.
func (s *sessions) observed(since time.Time) observation {
	all := s.alive()
	slices.SortStableFunc(all, func(a, b session) int { return a.began().Compare(b.began()) })
	o := s.Earlier.since(since)
	for i := range all {
		o.add(&all[i])
	}
	s.addTimes(&o, all)
	return o
}

// addTimes adds for how long the sessions have seen packets.
func (s *sessions) addTimes(o *observation, all []session) {
	seen := make(map[*session]span, len(all))
	order := make([]*session, 0, len(all))
	for i := range all {
		seen[&all[i]] = all[i].observed(s.Hours)
		order = append(order, &all[i])
	}
	slices.SortStableFunc(order, func(a, b *session) int { return seen[a].First.Compare(seen[b].First) })
	for _, one := range order {
		o.addTime(one, seen[one])
	}
}

// merge takes in the sessions of the same host from elsewhere.
func (s *sessions) merge(o *sessions) {
	if s.Earlier.Sessions == 0 {
		s.Earlier = o.Earlier
	}
	for _, one := range o.Latest {
		s.add(one)
	}
	for _, t := range o.Hours {
		s.hour(t)
	}
	s.PassedOver = sum(s.PassedOver, o.PassedOver)
}
