package report

import (
	"cmp"
	"slices"
	"time"

	"imds-analyzer/output"
)

// covered is a time in which a state has counted the calls up to a number; 0 for
// those that have no number.
type covered struct {
	span
	sequence uint64
	folding  []folding
}

// folding are calls that a state has counted one by one, from the first of them on, and
// that one entry tells of together with calls after the state.
type folding struct {
	FirstSequence uint64 `json:"first_sequence"`
	Calls         uint64 `json:"calls"`
}

// maxFolding bounds what is read of them from a state file. A capture has 256 of --fold, and
// in floods 128 of one kind each and 2,048 others at most.
const maxFolding = 4096

// folding takes in what the capture that was started then has not written yet.
func (s *sessions) folding(started time.Time, all []output.Folded) {
	at, known := s.find(started)
	if !known {
		return
	}
	of := &s.Latest[at]
	of.Folding = nil // never the memory of a copy
	for _, f := range all {
		of.Folding = append(of.Folding, folding{f.FirstSequence, f.Calls})
	}
}

// cover takes in what a state that was written at that time has counted. A call
// after the latest that was counted in a session is of the next one, also if no line
// that tells of that was read yet.
func (h *host) cover(s *sessions, updated time.Time) {
	first := updated
	if e := &s.Earlier; e.Sessions > 0 {
		h.states = append(h.states, covered{span{e.Earliest, e.Counted}, e.Sequence, nil})
		first = earlier(first, e.Earliest)
	}
	for i := range s.Latest {
		one := &s.Latest[i]
		h.states = append(h.states, covered{span{one.Started, one.Counted}, one.Sequence, one.Folding})
		first = earlier(first, one.Started)
	}
	h.states = append(h.states, covered{span{first, updated}, 0, nil})
}

// counted is how many of the calls that the entry stands for a state has counted. What a
// capture has told that is in no state is new: counted twice is better than not at all.
func (h *host) counted(e *output.Entry) uint64 {
	if len(h.states) == 0 || h.Sessions.unstated(e.Timestamp) {
		return 0
	}
	for i := range h.states {
		if n := h.states[i].counted(e); n > 0 {
			return n
		}
	}
	return 0
}

// unstated says that a capture that is in no state may have run at that time, beside others
// that began before it or after: it had begun, and neither was stopped nor went down with its
// boot, as far as was read by now.
func (s *sessions) unstated(t time.Time) bool {
	at, known := s.find(t)
	if known {
		at++
	}
	boot := ""
	for at--; at >= 0; at-- {
		one := &s.Latest[at] // and no copy of each, for each line of a log
		boot = cmp.Or(boot, one.BootID)
		if down := one.BootID != "" && one.BootID != boot; !one.stated && !down && !one.stoppedBefore(t) {
			return true
		}
	}
	return false
}

// stoppedBefore says that it was stopped before that time, by a clock that was not set
// meanwhile as far as is known.
func (s *session) stoppedBefore(t time.Time) bool {
	return !s.Stopped.IsZero() && s.Stopped.Before(t) && s.began().Equal(s.Started)
}

func (c *covered) counted(e *output.Entry) uint64 {
	switch numbered := e.Event.Sequence != 0; {
	case numbered != (c.sequence != 0):
		return 0
	case e.Event.Sequence <= c.sequence && c.holds(e.Timestamp):
		return e.Calls()
	case e.IMDS.Folded.Calls > 0 && c.holds(e.IMDS.Folded.First):
		return min(e.Calls(), c.folded(e.IMDS.Folded.FirstSequence))
	}
	return 0
}

func (s *span) holds(t time.Time) bool { return !t.Before(s.First) && !t.After(s.Last) }

// folded is how many calls it has counted of those that are told together and begin with
// this number.
func (c *covered) folded(first uint64) uint64 {
	at := slices.IndexFunc(c.folding, func(f folding) bool { return f.FirstSequence == first })
	if at < 0 {
		return 0
	}
	return c.folding[at].Calls
}
