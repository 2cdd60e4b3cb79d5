package capture

import (
	"time"

	"imds-analyzer/imds"
)

// reset ends the connection after a RST (RFC 9293, section 3.10.7).
func (f *flow) reset(by direction, now time.Time) {
	if by == down && !f.closed() {
		f.exchange.reset = true
	}
	f.exchange.closing(f)
	f.close(now)
}

func (f *flow) close(now time.Time) {
	if !f.ended {
		f.ended, f.closedAt = true, momentOf(now)
	}
}

// finish reads all that is still held, in the order in which it came, and
// hands over the calls that will have no answer.
func (f *flow) finish(reason imds.Incomplete) {
	now := f.analyzer.now
	f.settle(now)
	f.readOnSYN(now)
	f.dropRival()
	for {
		upHeld, downHeld := f.streams[up].held, f.streams[down].held
		if upHeld == nil && downHeld == nil {
			break
		}
		d := up
		if upHeld == nil || downHeld != nil && downHeld.first().arrival < upHeld.first().arrival {
			d = down
		}
		f.releaseInOrder(d, now)
	}
	if f.closed() {
		reason = imds.ConnectionClosed
	}
	f.endStream(up, reason)
	f.endStream(down, reason)
	f.finishDelivery()
	f.exchange.finish(f)
	f.requests.discard()
	f.responses.discard()
	f.dropNotes()
}

// endStream ends a direction; what is missing before its FIN was lost, and so was what else is
// known to have been sent. It may still come late, so that nobody is to think it was read.
func (f *flow) endStream(d direction, reason imds.Incomplete) {
	st, r := &f.streams[d], f.reader(d)
	if n := int(int32(st.fin - st.next)); st.hasFin && st.known && n > 0 {
		f.lost(d, n, imds.LostSegment)
	} else if n := st.unseen(); n >= minRequestBytes {
		r.lost(int64(n), imds.LostSegment)
	}
	r.end(reason)
}

// abandon drops what a flow has read.
func (f *flow) abandon() {
	for d := range f.streams {
		f.analyzer.budget.give(f.streams[d].cost())
		f.streams[d].held = nil
	}
	f.analyzer.budget.give(f.opening.buffered())
	f.opening = nil
	f.exchange.abandon(f)
	f.ignore()
	f.dropNotes()
}

// ignore stops reading both directions of a connection.
func (f *flow) ignore() {
	f.requests.discard()
	f.responses.discard()
}

// leave tells the handler that the connection is closed, unless packets of it wait
// to be saved.
func (f *flow) leave() {
	if s := f.saving; s != nil {
		s.left = true
		if s.waiting > 0 {
			return
		}
	}
	if f.told {
		f.analyzer.handler.Closed(f.conn())
	}
}

// saved says that one of its packets waits no longer to be saved.
func (f *flow) saved() {
	s := f.saving
	s.waiting--
	if s.waiting == 0 {
		for d := range s.shown {
			s.shown[d].forget(f.streams[d].next)
		}
		s.shown[up].begun = nil // what they hold is not kept for as long as the connection
	}
	if s.left {
		f.leave()
	}
}

// markNotHTTP counts a connection on which no request was found.
func (f *flow) markNotHTTP() {
	if !f.notHTTP && !f.requests.found {
		f.notHTTP = true
		f.analyzer.stats.NotHTTP++
	}
}
