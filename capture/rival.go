package capture

import "bytes"

// rivals reports whether a SYN comes while the connection is open, and keeps it. The
// service answers one with the acknowledgment of what it expects and goes on (RFC 5961,
// section 4.2), unless the connection is over for it, which the capture may lack: then
// its answer to the SYN tells.
func (f *flow) rivals(s *segment, same bool) bool {
	if !f.told || same || !f.settled || f.closed() || s.direction == down {
		return false
	}
	opening := f.begins()
	again := opening.rival != nil && opening.rival.seq == s.seq
	opening.quiet = f.isQuiet() || again && opening.quiet
	if !again || s.isNearer(opening.rival) {
		f.keepRival(s)
	}
	return true
}

// keepRival keeps a SYN, with what came with it (RFC 7413), in the place of an earlier one.
func (f *flow) keepRival(s *segment) {
	f.dropRival()
	if !f.reserve(len(s.payload)) {
		f.analyzer.ignoreForRoom()
		return
	}
	rival := *s
	rival.payload = bytes.Clone(s.payload)
	f.opening.rival = &rival
}

func (f *flow) dropRival() {
	if r := f.rival(); r != nil {
		f.analyzer.budget.give(len(r.payload))
		f.opening.rival = nil
	}
}

// isNearer reports whether a SYN was seen nearer to the client than a copy of it.
func (s *segment) isNearer(other *segment) bool {
	if (s.network == "") != (other.network == "") {
		return s.network != ""
	}
	return s.hopLimit > other.hopLimit
}

// isQuiet reports whether nothing came of late.
func (f *flow) isQuiet() bool { return f.lastSeen.add(reorderWait).isDue(f.analyzer.now) }

// answeredBy reports whether a segment says that the SYN has opened another connection
// in the place of the flow's. Where the capture has nothing of the service, that its
// client goes on has to do.
func (r *segment) answeredBy(s *segment, f *flow) bool {
	switch {
	case r == nil:
		return false
	case s.direction == down:
		return s.has(flagSYN) && s.has(flagACK) && r.goesOnAt(s.ack)
	}
	return !s.has(flagSYN|flagRST) && r.goesOnAt(s.seq) && !f.streams[down].heard
}

// goesOnAt reports whether what comes behind the SYN has that number: the service may have taken
// what came with it or not.
func (r *segment) goesOnAt(seq uint32) bool {
	return seq == r.seq+1 || seq == r.seq+1+uint32(r.length())
}
