package report

// notRead is how many calls of version 1, or that may be, captures have counted and are
// nowhere. All of the host's are held against all that were counted, and those of the time of
// each capture against what that has counted: what one has more than it told of, as one that
// was killed, is none of those that another lacks.
func (h *host) notRead(counted *counts) uint64 {
	return max(lacking(counted, h.Calls), h.notReadApart())
}

// lacking is how many that were counted are not among the calls.
func lacking(c *counts, of calls) uint64 {
	return sum(less(c.CallsV1, of.V1), less(c.CallsUnknown, of.Unknown))
}

func (h *host) notReadApart() (n uint64) {
	untimed := h.Timeline.untimed(h.Calls)
	for _, s := range h.Sessions.alive() {
		when := s.counting()
		if when.First.IsZero() {
			continue
		}
		of := h.Timeline.within(when)
		of.merge(untimed)
		n = sum(n, lacking(&s.Counts, of))
	}
	return n
}

// counting is between when the calls were made that it has counted; zero if that is not
// sure, as its clock was set meanwhile or may have been.
func (s *session) counting() span {
	switch {
	case !s.Live:
		return s.Packets
	case s.ElapsedAt.IsZero() || !s.began().Equal(s.Started):
		return span{}
	}
	return span{s.Started.Add(-stepped), s.ended()}
}
