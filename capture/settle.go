package capture

import (
	"slices"
	"time"
)

// maxEarly bounds the segments that are kept until it is clear where a
// connection begins.
const maxEarly = 32

// wait keeps a segment of a connection whose beginning was not seen. It
// reports false if no more can be kept: then the connection begins with what
// is there.
func (f *flow) wait(s *segment) bool {
	if len(f.early()) >= maxEarly || !f.reserve(len(s.payload)+segmentOverhead) {
		f.settle(s.time)
		return false
	}
	kept := *s
	kept.payload = slices.Clone(s.payload)
	f.begins().early = append(f.early(), kept)
	return true
}

// opensEarly reports whether a SYN, or the answer to one, is that of the
// segments that came early.
func (f *flow) opensEarly(syn *segment) bool {
	for _, s := range f.early() {
		first := s.seq
		if s.direction != syn.direction {
			first = s.ack
		}
		if ahead := int64(int32(first - (syn.seq + 1))); ahead < 0 || ahead > defaultWindow {
			return false
		}
	}
	return true
}

// settle takes in the segments that came early. Unless the SYN was seen since,
// each direction begins with the first of them.
func (f *flow) settle(now time.Time) {
	if f.settled && f.early() == nil {
		return
	}
	f.settled = true
	for d := range f.streams {
		if st := &f.streams[d]; !st.known {
			f.startWith(direction(d), st)
		}
	}
	early := f.early()
	if early != nil {
		f.opening.early = nil
	}
	for i := range early { // what came in the wrong order is put right
		f.streams[early[i].direction].heard = true
	}
	for i := range early {
		f.analyzer.budget.give(len(early[i].payload) + segmentOverhead)
		f.receive(&early[i], now)
	}
}

// startWith starts a direction with the first byte that came early, or that
// the other side did not have yet when it sent its first: what is missing in
// between is known to be missing. Where a client sends without having received
// more, an answer begins.
func (f *flow) startWith(d direction, st *stream) {
	r := f.reader(d)
	early := f.early()
	for i := range early {
		s := &early[i]
		first, known, told := s.seq, s.length() > 0, false
		if s.direction != d {
			first, known, told = s.ack, s.has(flagACK) && s.length() > 0, d == down
		}
		if known && (!st.known || before(first, st.next) || told && first == st.next) {
			st.start(first)
			r.firstSeq = first
			r.joinLate(told)
		}
	}
}
