package capture

// restarts reports whether the segment opens another connection on the same
// tuple: a SYN with another initial sequence number starts afresh, and so does
// the answer to one that the capture does not hold. Behind the end of a connection, so do bytes
// that cannot be its own.
func (f *flow) restarts(s *segment) bool {
	if f.rival().answeredBy(s, f) || f.isBehindEnd(s) {
		return true
	}
	if !s.has(flagSYN) || s.has(flagACK) != (s.direction == down) {
		return false
	}
	st := &f.streams[s.direction]
	same := st.known && s.seq+1 == f.reader(s.direction).firstSeq
	switch {
	case f.rivals(s, same):
		return false
	case f.closed():
		return f.reopening.restarts(s, same, f.closedAt, f.streams[up].clock)
	case !f.settled:
		return !f.opensEarly(s)
	case s.direction == down && f.beginsWith(s, st):
		return !f.awaits(s)
	}
	return !same
}

// beginsWith reports whether a SYN, or the answer to one, can be where its direction begins:
// nothing of that came before, or what did is all behind an answer and was not read.
func (f *flow) beginsWith(s *segment, st *stream) bool {
	if !st.heard {
		return true
	}
	ahead := int64(int32(st.next - (s.seq + 1)))
	return s.direction == down && f.isUnread(down) && 0 <= ahead && ahead <= defaultWindow
}

// awaits reports whether the answer to a SYN can be one to the flow's, with what came on that
// or without. Else it is one to another, which the capture has behind it.
func (f *flow) awaits(answer *segment) bool {
	if f.told || !f.handshake {
		return true
	}
	most := 0
	if c := f.onSYN(); c != nil {
		most = c.length()
	}
	ahead := int(int32(answer.ack - f.requests.firstSeq))
	return 0 <= ahead && ahead <= most
}

func (f *flow) closed() bool { return f.ended }

// isBehindEnd reports whether a segment holds bytes of a connection that came after this
// one, of which the capture does not hold the handshake, and not of one that came before.
func (f *flow) isBehindEnd(s *segment) bool {
	st := &f.streams[s.direction]
	if !f.closed() || s.length() == 0 || s.has(flagSYN|flagRST) || !st.known || !st.outside(s.seq) {
		return false
	}
	return !f.analyzer.closed.repeats(s)
}
