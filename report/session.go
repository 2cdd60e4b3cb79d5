package report

import (
	"time"

	"imds-analyzer/output"
)

// session is one capture on one host, put together from the lines that tell of it.
type session struct {
	Started time.Time `json:"started"`
	// Last is the time of the latest line of the session.
	Last time.Time `json:"last,omitzero"`
	// Stopped is when it ended; zero if no line tells.
	Stopped time.Time `json:"stopped,omitzero"`
	// Live is true for a capture of packets as they came. Packets is the time of those
	// in files.
	Live    bool `json:"live,omitempty"`
	Packets span `json:"packets,omitzero"`
	// BootID is that of the machine's boot, Uptime how long ago that was at the start,
	// in seconds; 0 if that is not known.
	BootID string `json:"boot_id,omitempty"`
	Uptime uint64 `json:"uptime,omitempty"`
	// Elapsed is for how many seconds it had run at ElapsedAt, by a clock that nobody sets:
	// of the lines that tell it the greatest. ElapsedAt is zero if none does.
	Elapsed   uint64    `json:"elapsed,omitempty"`
	ElapsedAt time.Time `json:"elapsed_at,omitzero"`
	Counts    counts    `json:"counts,omitzero"`
	// Segments are those in files, nil if no line tells.
	Segments *uint64 `json:"segments,omitempty"`
	// Sequence is the highest number of a call that was counted, Counted the time of
	// the latest.
	Sequence uint64    `json:"sequence,omitempty"`
	Counted  time.Time `json:"counted,omitzero"`
	// Folding are calls that were counted, and whose entry was not written then.
	Folding []folding `json:"folding,omitempty"`
	// Begun is true if the line that tells of its start was read.
	Begun bool `json:"begun,omitempty"`

	stated bool // it is in a state that was read
	// unlogged are the entries that its log does not have and a state has counted.
	unlogged uint64
}

// counts are what makes the silence of a capture doubtful, and how many calls there
// were. They are those since the session's start: of several lines the highest hold.
type counts struct {
	Dropped     uint64 `json:"packets_dropped,omitempty"`
	NotRead     uint64 `json:"packets_not_read,omitempty"`
	RequestsCut uint64 `json:"requests_cut,omitempty"`
	Partial     uint64 `json:"requests_partial,omitempty"`
	Gaps        uint64 `json:"request_gaps,omitempty"`
	// NoSegments are sessions that read files, in which there was none.
	NoSegments     uint64 `json:"no_segments,omitempty"`
	FilesLate      uint64 `json:"files_late,omitempty"`
	WithoutPackets uint64 `json:"connections_without_packets,omitempty"`
	Truncated      uint64 `json:"truncated,omitempty"` // sessions
	EndedEarly     uint64 `json:"ended_early,omitempty"`
	NotHTTP        uint64 `json:"streams_not_http,omitempty"`
	Unmatched      uint64 `json:"responses_unmatched,omitempty"`
	Evicted        uint64 `json:"connections_evicted,omitempty"`
	CallsV1        uint64 `json:"calls_v1,omitempty"`
	CallsUnknown   uint64 `json:"calls_unknown,omitempty"`
	NotWritten     uint64 `json:"entries_not_written,omitempty"`
}

func countsOf(c *output.Counts) counts {
	if c == nil {
		return counts{}
	}
	n := counts{
		Dropped:        sum(c.PacketsDroppedKernel, c.PacketsDroppedInterface),
		NotRead:        c.PacketsNotRead,
		RequestsCut:    known(c.RequestsCut),
		Partial:        c.RequestsPartial,
		Gaps:           c.RequestGaps,
		FilesLate:      c.FilesLate,
		WithoutPackets: known(c.ConnectionsWithoutPackets),
		NotHTTP:        c.StreamsNotHTTP,
		Unmatched:      c.ResponsesUnmatched,
		Evicted:        c.ConnectionsEvicted,
		CallsV1:        c.CallsV1,
		CallsUnknown:   c.CallsUnknown,
	}
	if c.Truncated {
		n.Truncated = 1
	}
	if c.EndedEarly {
		n.EndedEarly = 1
	}
	return n
}

func known(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}

// each goes through two counts side by side.
func (c *counts) each(o *counts, do func(*uint64, uint64)) {
	do(&c.Dropped, o.Dropped)
	do(&c.NotRead, o.NotRead)
	do(&c.RequestsCut, o.RequestsCut)
	do(&c.Partial, o.Partial)
	do(&c.Gaps, o.Gaps)
	do(&c.NoSegments, o.NoSegments)
	do(&c.FilesLate, o.FilesLate)
	do(&c.WithoutPackets, o.WithoutPackets)
	do(&c.Truncated, o.Truncated)
	do(&c.EndedEarly, o.EndedEarly)
	do(&c.NotHTTP, o.NotHTTP)
	do(&c.Unmatched, o.Unmatched)
	do(&c.Evicted, o.Evicted)
	do(&c.CallsV1, o.CallsV1)
	do(&c.CallsUnknown, o.CallsUnknown)
	do(&c.NotWritten, o.NotWritten)
}

// highest takes in other counts of the same session.
func (c *counts) highest(o *counts) { c.each(o, func(n *uint64, other uint64) { *n = max(*n, other) }) }

// sum takes in the counts of another session.
func (c *counts) sum(o *counts) { c.each(o, func(n *uint64, other uint64) { *n = sum(*n, other) }) }

// sessionOf is what one line tells of its session.
func sessionOf(l *output.Lifecycle) session {
	c := &l.IMDS.Capture
	s := session{
		Started: utc(c.Started),
		Last:    utc(l.Timestamp),
		Live:    c.BootID != "" || c.Filter != "",
		Packets: span{utc(c.FirstPacket), utc(c.LastPacket)},
		BootID:  tidy(c.BootID),
		Counts:  countsOf(c.Counts),
	}
	s.Counts.NotWritten = c.EntriesNotWritten
	if c.Counts != nil {
		s.Segments = c.Counts.Segments
	}
	if c.Elapsed != nil {
		s.Elapsed, s.ElapsedAt = *c.Elapsed, s.Last
	}
	switch output.LifecycleAction(l.Event.Action) {
	case output.CaptureStarted:
		s.Begun, s.Uptime = true, l.Host.Uptime
	case output.CaptureStopped:
		s.Stopped = s.Last
	}
	return s
}

// merge takes in what else is known of the same session.
func (s *session) merge(o *session) {
	s.Last, s.Stopped, s.Counted = later(s.Last, o.Last), later(s.Stopped, o.Stopped), later(s.Counted, o.Counted)
	s.Live, s.Begun, s.stated = s.Live || o.Live, s.Begun || o.Begun, s.stated || o.stated
	s.Packets.merge(o.Packets)
	s.elapsed(o)
	s.unlogged = max(s.unlogged, o.unlogged)
	s.BootID, s.Uptime, s.Sequence = max(s.BootID, o.BootID), max(s.Uptime, o.Uptime), max(s.Sequence, o.Sequence)
	s.Counts.highest(&o.Counts)
	if s.Segments == nil || o.Segments != nil && *o.Segments > *s.Segments {
		s.Segments = o.Segments
	}
	if s.Folding == nil {
		s.Folding = o.Folding
	}
}
