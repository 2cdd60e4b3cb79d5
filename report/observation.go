package report

import (
	"math"
	"time"
)

// atBoot is how long after a boot a capture may start and still have seen it: a service
// that is started with the others is there within seconds. What a boot starts has made
// its calls a minute later.
const atBoot = 30 * time.Second

// maxMoments bounds the boots and shutdowns whose times are told. The latest are.
const maxMoments = 8

// observation is what the sessions of a host add up to. They are taken in in the
// order of their starts.
type observation struct {
	Sessions uint64 `json:"sessions,omitempty"`
	// Time is for how long packets were seen for sure, what overlaps counted once; Within
	// is from the first of it to the last.
	Time      time.Duration `json:"nanoseconds,omitempty"`
	Within    span          `json:"within,omitzero"`
	Boots     moments       `json:"boots,omitzero"`
	Shutdowns moments       `json:"shutdowns,omitzero"`
	Counts    counts        `json:"counts,omitzero"`
	// BootID is that of the latest session that has one, Ended when that ended, and
	// Stopped whether it was stopped.
	BootID  string    `json:"boot_id,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	Stopped bool      `json:"stopped,omitempty"`
	// Sequence and Counted are the highest of the sessions'.
	Sequence uint64    `json:"sequence,omitempty"`
	Counted  time.Time `json:"counted,omitzero"`
	// Earliest and Latest are the starts of the first session and the latest.
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
	// Doubtful are the sessions of which not all time is in Time.
	Doubtful uint64 `json:"doubtful,omitempty"`

	from time.Time // what was before does not count; zero if all does
}

// moments are how often something happened, and the latest times of it that are known.
type moments struct {
	Count uint64      `json:"count"`
	Times []time.Time `json:"times,omitempty"`
}

func (m *moments) add(t time.Time) {
	m.Count = sum(m.Count, 1)
	if believed(t).IsZero() {
		return
	}
	from := max(0, len(m.Times)+1-maxMoments)
	m.Times = append(append([]time.Time(nil), m.Times[from:]...), t) // never the memory of a copy
}

// add takes in the next session, but for its time.
func (o *observation) add(s *session) {
	o.Sessions = sum(o.Sessions, 1)
	o.Earliest, o.Latest = earlier(o.Earliest, s.Started), s.Started
	counts := s.Counts
	if s.isBefore(o.from) {
		counts = counts.callsOnly()
	}
	counts.NotWritten = less(counts.NotWritten, s.unlogged)
	if s.Segments != nil && *s.Segments == 0 && !s.isBefore(o.from) {
		counts.NoSegments = 1
	}
	o.Counts.sum(&counts)
	o.Sequence, o.Counted = max(o.Sequence, s.Sequence), later(o.Counted, s.Counted)
	if s.BootID != "" {
		o.addBoot(s)
	}
}

// addTime takes in the time in which a session has seen packets. They come in the order
// of these times.
func (o *observation) addTime(s *session, seen span) {
	if s.doubtful(seen) {
		o.Doubtful = sum(o.Doubtful, 1)
	}
	if seen = seen.since(o.from); seen.First.IsZero() || seen.Last.Before(seen.First) {
		return
	}
	from := later(seen.First, o.Within.Last)
	if seen.Last.After(from) {
		o.Time = longer(o.Time, seen.Last.Sub(from))
	}
	o.Within.merge(seen)
}

// longer is the sum of two times that are not negative, up to what there is room for.
func longer(a, b time.Duration) time.Duration {
	if a+b < a {
		return math.MaxInt64
	}
	return a + b
}

// addBoot looks whether the session is the first of a boot, and saw that: by the time
// that the machine had been up or, where that is not known, because the boot before
// was captured, too.
func (o *observation) addBoot(s *session) {
	if s.BootID != o.BootID {
		up := time.Duration(min(s.Uptime, 1<<32)) * time.Second
		after := o.BootID != "" && !o.Ended.After(s.began())
		if s.Uptime == 0 && s.Begun && after || s.Uptime != 0 && up <= atBoot {
			o.addMoment(&o.Boots, utc(s.began().Add(-up)))
		}
		if after && o.Stopped {
			o.addMoment(&o.Shutdowns, o.Ended)
		}
	}
	o.BootID, o.Ended, o.Stopped = s.BootID, s.ended(), !s.Stopped.IsZero()
}

// addMoment takes in when something happened, if that counts.
func (o *observation) addMoment(m *moments, t time.Time) {
	if !t.Before(o.from) {
		m.add(t)
	}
}
