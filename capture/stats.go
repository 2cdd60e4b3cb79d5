package capture

import "time"

// Stats count what an Analyzer has seen.
type Stats struct {
	// Packets is the number of packets taken in, Segments that of TCP
	// segments to and from the endpoints among them.
	Packets, Segments uint64
	// First and Last are the capture times between which packets were taken in, without
	// a gap of more than maxQuiet: of what lies before one nothing is known to have been
	// captured up to what lies behind.
	First, Last time.Time
	// NotRead is the number of packets by link types that are not known, of which
	// captures can name 64 Ki; nil if there are none.
	NotRead map[LinkType]uint64
	// NotSaved is the number of those, and of packets that are cut before they tell where
	// they go: they may hold requests, and are not among what SaveTo is given.
	NotSaved uint64
	// Connections is the number of connections, NotHTTP of those whose bytes
	// are not HTTP/1, Evicted of those that were given up because there were
	// too many: at least 1 if any segment was ignored because there was no room.
	Connections, NotHTTP, Evicted uint64
	// HalfOpenDropped is the number of connections of which only the beginning of a
	// handshake was seen, and that were forgotten because there were too many. Requests
	// on them are seen all the same.
	HalfOpenDropped uint64
	// SegmentsIgnored is the number of segments that their receiver would not
	// have taken, or for which there was no memory.
	SegmentsIgnored uint64
	// RequestsPartial is the number of fragmented datagrams to the service that are among
	// SegmentsIgnored because a part of them did not come.
	RequestsPartial uint64
	// ResponsesUnmatched is the number of responses whose requests are not in
	// the capture.
	ResponsesUnmatched uint64
	// RequestGaps is the number of runs of bytes that clients have sent and the capture
	// does not hold, and that may have held requests of which nothing is told.
	RequestGaps uint64
	// RequestsCut is the number of packets that the capture's snaplen has cut
	// where they hold a request, or may, before it told its version.
	// SnaplenNeeded is the snaplen that would have held them all, in bytes from
	// the link-layer header on; 0 if there are none.
	RequestsCut   uint64
	SnaplenNeeded int
}

// packet counts a packet of that time.
func (s *Stats) packet(at time.Time) {
	s.Packets++
	switch {
	case at.IsZero():
	case s.First.IsZero(), at.Unix()-s.Last.Unix() > int64(maxQuiet/time.Second):
		s.First, s.Last = at, at
	case !at.Before(s.Last):
		s.Last = at
	case at.Before(s.First) && s.First.Sub(at) <= maxQuiet:
		s.First = at
	}
}

// requestCut counts a packet of that length that the snaplen has cut where it may
// hold a request.
func (s *Stats) requestCut(whole int) {
	s.RequestsCut++
	s.SnaplenNeeded = max(s.SnaplenNeeded, whole)
}
