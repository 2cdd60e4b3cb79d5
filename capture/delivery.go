package capture

import (
	"slices"
	"time"

	"imds-analyzer/imds"
)

// isAcknowledgment reports whether the segment is a client's that does nothing else. A
// capture of data alone has none, also not the last of the handshake: of a client in
// it there is no knowing what came to it.
func (s *segment) isAcknowledgment() bool {
	return s.direction == up && s.length() == 0 && s.flags&(flagACK|flagSYN|flagFIN|flagRST) == flagACK
}

// delivering is the answer to a token request that its client has not acknowledged
// yet. On an EC2 instance such answers have a hop limit of their own, which may be
// too small for a client behind a router: then the service sends a token that never
// comes, and the client goes on without.
//
// Only an acknowledgment proves that the answer came. That none is seen proves
// nothing, since the capture may lack it: there has to be evidence against.
type delivering struct {
	call     imds.Call
	response imds.Response
	// free is true for a call that only waits for those before it on the
	// connection, so that all keep their order.
	free bool
	seq  uint32 // of the response's first byte
	// since is when the wait began: the response's time, but for when the clock was set back.
	since moment
	// doubted is when the first evidence against was seen, zero if none was.
	doubted time.Time
	// exceeded is true if a router said that the hop limit was used up.
	exceeded bool
}

// answer hands over a call that has its response, which begins at seq. With a token
// it waits until it is known whether that comes to the client.
func (f *flow) answer(p *pendingCall, response imds.Response, seq uint32) {
	switch {
	case !p.request.IsTokenRequest() || response.Status/100 != 2 || !f.acknowledges:
		f.emit(p, response)
	case f.hasAcknowledged(seq):
		response.Delivery = imds.Acknowledged
		f.emit(p, response)
	default:
		f.reported = true // as good as
		f.makeRoom()
		f.delivering = append(f.delivering, delivering{
			call: f.callOf(p, &response), response: response, seq: seq, since: momentOf(f.analyzer.at(response.Time)),
		})
	}
}

// follow hands a call over behind those of its connection that wait.
func (f *flow) follow(c *imds.Call, response imds.Response) {
	f.makeRoom()
	if len(f.delivering) == 0 {
		f.handOver(c, response)
		return
	}
	f.delivering = append(f.delivering, delivering{call: *c, response: response, free: true})
}

// makeRoom has the first call wait no longer where too many do.
func (f *flow) makeRoom() {
	if len(f.delivering) >= maxDelivering {
		first := f.delivering[0].seq
		f.concludeWhile(func(d *delivering) bool { return d.seq == first })
	}
}

// hasAcknowledged reports whether the client has the service's byte at seq.
func (f *flow) hasAcknowledged(seq uint32) bool {
	st := &f.streams[down]
	return st.hasAcked && before(seq, st.acked)
}

// conclude hands over a call with what is known of its answer by now.
func (f *flow) conclude(d *delivering) {
	switch response := &d.response; {
	case d.free:
	case f.hasAcknowledged(d.seq):
		response.Delivery = imds.Acknowledged
	case !d.doubted.IsZero():
		response.Delivery = imds.NotDelivered
		response.HopLimitNeeded = f.hopLimitNeeded(d)
	}
	f.handOver(&d.call, d.response)
}

// concludeWhile hands over the calls that wait no longer, in their order.
func (f *flow) concludeWhile(over func(d *delivering) bool) {
	n := 0
	for n < len(f.delivering) && (f.delivering[n].free || over(&f.delivering[n])) {
		f.conclude(&f.delivering[n])
		n++
	}
	f.delivering = slices.Delete(f.delivering, 0, n)
}

// followDelivery looks for what a segment tells of the answers that wait. Its
// acknowledgment was taken in; its payload is not read yet, so that an answer goes
// before the request that acknowledges it.
func (f *flow) followDelivery(s *segment) {
	f.reach.add(s)
	f.acknowledges = f.acknowledges || s.isAcknowledgment()
	if len(f.delivering) == 0 {
		return
	}
	for i := range f.delivering {
		if d := &f.delivering[i]; !d.free {
			d.see(s, &f.streams[s.direction], f.analyzer.at(s.time))
		}
	}
	f.concludeWhile(func(d *delivering) bool { return f.hasAcknowledged(d.seq) || d.givenUp(s) })
}

// see takes in a segment of the connection that came at that time, of which st is the
// direction.
func (d *delivering) see(s *segment, st *stream, at time.Time) {
	switch {
	case s.direction == up && s.has(flagFIN|flagRST):
		d.doubt(at) // the client has given up
	case s.direction == up && s.length() > 0 && st.known && before(s.seq, st.next) && d.isOld(s):
		d.doubt(at) // the client asks again
	case s.direction == down && !before(d.seq, s.seq) && before(d.seq, s.seq+uint32(s.length())):
		d.response.HopLimit = max(d.response.HopLimit, s.hopLimit)
		if d.isOld(s) {
			d.doubt(at) // the service sends again
		}
	}
}

func (d *delivering) doubt(at time.Time) {
	if d.doubted.IsZero() {
		d.doubted = at
	}
}

// isOld reports whether the answer is older than a segment by so much that this is
// no copy of one that was captured in several places.
func (d *delivering) isOld(s *segment) bool { return s.time.Sub(d.since.time()) >= sentAgainWait }

// givenUp reports whether a segment is the client's farewell, after it has waited
// for this answer. One that crosses the answer proves less.
func (d *delivering) givenUp(s *segment) bool {
	return s.direction == up && s.has(flagFIN|flagRST) && s.time.Sub(d.since.time()) >= crossingWait
}

// due is when the wait for an acknowledgment is over.
func (d *delivering) due() moment {
	if d.doubted.IsZero() {
		return d.since.add(deliveryWait)
	}
	return max(d.since.add(undeliveredWait), momentOf(d.doubted).add(ackWait))
}

// deliveryDeadline is when the first of the answers has waited long enough.
func (f *flow) deliveryDeadline() (due moment, ok bool) {
	if len(f.delivering) == 0 {
		return 0, false
	}
	return f.delivering[0].due(), true
}

func (f *flow) expireDelivery(now time.Time) {
	f.concludeWhile(func(d *delivering) bool { return d.due().isDue(now) })
}

func (f *flow) finishDelivery() {
	f.concludeWhile(func(*delivering) bool { return true })
}

// hopLimitExceeded takes in that a router did not forward a segment of the
// service's, of which only the sequence number is known. What comes behind it does
// not come to the client's program either, until it is sent again.
func (f *flow) hopLimitExceeded(s *segment) {
	if st := &f.streams[down]; st.hasAcked && before(s.seq, st.acked) {
		return
	}
	for i := range f.delivering {
		f.delivering[i].doubt(s.time)
		f.delivering[i].exceeded = true
	}
}

// hopLimitNeeded is the least hop limit with which the answer would have come to
// the client from where it was seen farthest from that; 0 if that is not known, or
// no router lies between.
func (f *flow) hopLimitNeeded(d *delivering) uint8 {
	routers := f.reach.routers()
	if d.exceeded {
		routers = max(routers, int(d.response.HopLimit)) // at the least
	}
	if routers == 0 {
		return 0
	}
	return uint8(min(routers+1, 255))
}

// reach is between which hop limits the client's segments were seen: each router on
// their way takes one off (RFC 1812, section 5.3.1).
type reach struct{ most, least uint8 }

func (r *reach) add(s *segment) {
	if s.direction != up || s.has(flagRST) { // resets can have another hop limit than the rest
		return
	}
	if r.most == 0 {
		r.most, r.least = s.hopLimit, s.hopLimit
	}
	r.most, r.least = max(r.most, s.hopLimit), min(r.least, s.hopLimit)
}

// usualHopLimits are those that systems begin with: Linux and macOS; Windows;
// others.
var usualHopLimits = [...]int{64, 128, 255}

// routers is how many routers lie between the client and the farthest place where
// its segments were seen. Before the nearest one there are as many as its hop limit
// is below one that systems begin with.
func (r *reach) routers() int {
	between := int(r.most - r.least)
	for _, initial := range usualHopLimits {
		if before := initial - int(r.most); before >= 0 && before <= maxLegHops {
			return before + between
		}
	}
	return between
}
