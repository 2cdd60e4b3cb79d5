package capture

import (
	"time"

	"imds-analyzer/imds"
)

// hold keeps a segment whose turn has not come. Where there is no room, those
// that wait already and come before it are read as they are, and then this one.
func (f *flow) hold(d direction, c chunk, now time.Time) {
	st := &f.streams[d]
	c = f.withoutBody(d, c)
	cost := len(c.data) + segmentOverhead
	for st.full() || !f.reserve(cost) {
		if !st.holds() || before(c.seq, st.held.first().seq) {
			f.deliverAsIs(d, &c)
			return
		}
		f.release(d, now)
	}
	f.analyzer.arrivals++
	held := st.cost()
	st.hold(c, f.analyzer.arrivals, now)
	f.analyzer.budget.give(cost - (st.cost() - held))
}

// withoutBody leaves away the bytes of a segment that is all body, however it comes to be
// read: they are passed over, and are as good as missing.
func (f *flow) withoutBody(d direction, c chunk) chunk {
	ahead := int64(int32(c.seq - f.streams[d].next))
	if f.reader(d).passesOver(ahead+int64(c.length())) && !(d == up && f.requests.expects) {
		c.data, c.missing = nil, c.length()
	}
	return c
}

// ready reports whether all that the chunk acknowledges has been read: a
// request is read after the answers that its sender had, and an answer after
// its request, in whatever order the capture has them.
func (f *flow) ready(d direction, c *chunk) bool {
	peer := &f.streams[1-d]
	if !c.hasAck || !peer.known || !peer.heard && !f.awaitsClient(d) {
		return true
	}
	ahead := int64(int32(c.ack - peer.next))
	return ahead <= 0 || ahead > defaultWindow
}

// awaitsClient reports whether a direction is the service's in a connection of which its
// SYN-ACK was captured first, and the client's packets may still come: where two captures by
// different clocks were merged, answers too can be before the SYN.
func (f *flow) awaitsClient(d direction) bool {
	return d == down && !f.begun.add(reorderWait).isDue(f.analyzer.now)
}

// pump reads the segments whose turn has come.
func (f *flow) pump(now time.Time) {
	for f.step(up, now) || f.step(down, now) {
	}
	if f.streams[up].done() && f.streams[down].done() {
		f.close(now)
	}
}

func (f *flow) step(d direction, now time.Time) bool {
	st := &f.streams[d]
	if st.holds() && st.hole() == 0 && f.ready(d, &st.held.first().chunk) {
		f.deliverHeld(d, now)
		return true
	}
	if st.hasFin && !st.ended && st.next == st.fin {
		st.ended = true
		st.next++
		f.exchange.closing(f)
		f.reader(d).end(imds.ConnectionClosed)
		return true
	}
	return false
}

// release stops waiting for what the first held segment lacks.
func (f *flow) release(d direction, now time.Time) {
	f.deliverHeld(d, now)
	f.pump(now)
}

func (f *flow) deliverHeld(d direction, now time.Time) {
	st := &f.streams[d]
	c := st.pop(now)
	f.analyzer.budget.give(len(c.data) + segmentOverhead)
	f.deliverAsIs(d, &c)
}

// deliverAsIs reads a segment behind what was read, however much is missing between them
// or is repeated.
func (f *flow) deliverAsIs(d direction, c *chunk) {
	switch ahead := int(int32(c.seq - f.streams[d].next)); {
	case ahead > 0:
		f.lost(d, ahead, imds.LostSegment)
	case ahead < 0:
		c.trimFront(min(-ahead, c.length()))
	}
	if c.length() > 0 {
		f.deliver(d, c)
	}
}

// expire does what is due. It reports false if the flow is finished.
func (f *flow) expire(now time.Time) bool {
	if f.begun.add(reorderWait).isDue(now) {
		f.settle(now)
	}
	f.releaseDue(up, now)
	f.releaseDue(down, now)
	f.exchange.losePatience(f, now)
	f.exchange.expire(f, now)
	f.expireDelivery(now)
	switch {
	case f.closed() && f.closedAt.add(closeLinger).isDue(now):
		f.finish(imds.ConnectionClosed)
		return false
	case f.lastSeen.add(idleWait).isDue(now):
		f.finish(imds.CaptureEnd)
		return false
	}
	return true
}

// releaseDue reads the held segments of a direction that have waited long
// enough, as at the time at which they had: what comes of it does not depend on
// when that is noticed.
func (f *flow) releaseDue(d direction, now time.Time) {
	st := &f.streams[d]
	for st.holds() {
		due := st.deadline()
		if !due.isDue(now) {
			return
		}
		f.releaseInOrder(d, due.time())
	}
}

// releaseInOrder stops waiting for what the first held segment lacks. What it
// acknowledges may itself wait behind a hole: that goes first, and the segment
// may then follow by itself.
func (f *flow) releaseInOrder(d direction, now time.Time) {
	st := &f.streams[d]
	first := *st.held.first()
	f.releaseAcknowledged(1-d, &first.chunk, now)
	if st.holds() && st.held.first().arrival == first.arrival {
		f.release(d, now)
	}
}

// releaseAcknowledged reads the held segments of a direction that the other
// side's chunk acknowledges.
func (f *flow) releaseAcknowledged(d direction, c *chunk, now time.Time) {
	st := &f.streams[d]
	for c.hasAck && st.holds() && before(st.held.first().seq, c.ack) {
		f.release(d, now)
	}
}

// nextDeadline is when expire has something to do.
func (f *flow) nextDeadline() moment {
	due := f.lastSeen.add(idleWait)
	if f.closed() {
		due = min(due, f.closedAt.add(closeLinger))
	}
	if !f.settled {
		due = min(due, f.begun.add(reorderWait))
	}
	for d := range f.streams {
		if f.streams[d].holds() {
			due = min(due, f.streams[d].deadline())
		}
	}
	if t, ok := f.exchange.deadline(); ok {
		due = min(due, t)
	}
	if t, ok := f.exchange.patience(); ok {
		due = min(due, t)
	}
	if t, ok := f.deliveryDeadline(); ok {
		due = min(due, t)
	}
	return due
}
