// Package capture turns packets into calls to the metadata service: it opens
// live handles and capture files, decodes packets, puts the TCP connections
// together again and reads the HTTP heads in them.
package capture

import (
	"hash/maphash"
	"maps"
	"net/netip"
	"time"

	"imds-analyzer/imds"
)

// Handler receives what an Analyzer finds, in the goroutine that feeds it.
type Handler interface {
	// Opened is called when a client has completed a connection, at the latest before
	// a call on it, and again if a later packet shows a tuple nearer to the client,
	// before translation.
	Opened(imds.Conn)
	// Unanswered is called once for a token request to which there is no answer when
	// one side closes or resets the connection, or when tokenPatience has passed: the
	// client may go on without a token now. It is not called if there may be an answer
	// that the capture lacks. The request's Call follows as for others, with Unanswered
	// set, and may have a response after all.
	Unanswered(imds.Call)
	// Call is called once for each call, as soon as nothing more can be
	// learned of it: at its response, or when there can be none any more; at a
	// token, once it is known whether that has come to the client. The calls of a
	// connection come in their order. Its Response is the Handler's only until it returns:
	// the next one takes its place.
	Call(imds.Call)
	// Closed is called, if Opened was, when a connection has ended and all its calls, and packets
	// to be saved, were handed over.
	Closed(imds.Conn)
}

// Analyzer finds the calls to the metadata service in a stream of packets. It
// is not safe for concurrent use: one goroutine owns it and all its flows.
type Analyzer struct {
	handler  Handler
	limits   Limits
	decoder  decoder
	now      time.Time
	latest   time.Time // that a packet can be of, zero if nobody says
	ahead    bool      // packets were later
	flows    flowTable
	unused   []*flow
	rooms    [][]pendingCall // of one each, for requests to come
	seed     maphash.Seed    // of the numbers of network namespaces
	due      deadlines
	halfOpen halfOpen
	closed   closedFlows
	legs     legs
	budget   budget
	// relieving is true while a flow makes room.
	relieving bool
	words     words
	heads     *knownHeads
	notes     budget // what captures say of clients
	arrivals  uint64
	lastID    uint64
	response  imds.Response // of the call that is handed over
	vantages  vantages
	stats     Stats
	mask      *masker
}

// NewAnalyzer returns an Analyzer that looks for calls to the endpoints.
func NewAnalyzer(endpoints []netip.AddrPort, limits Limits, handler Handler) *Analyzer {
	a := &Analyzer{
		handler:  handler,
		limits:   limits,
		decoder:  newDecoder(endpoints),
		flows:    newFlowTable(),
		seed:     maphash.MakeSeed(),
		heads:    newKnownHeads(),
		closed:   newClosedFlows(limits.ClosedConnections),
		budget:   budget{max: limits.BufferedBytes},
		notes:    budget{max: limits.BufferedBytes},
		halfOpen: halfOpen{limit: max(1, limits.HalfOpen)},
	}
	a.legs.touch()
	return a
}

// Stats returns the counts so far.
func (a *Analyzer) Stats() Stats {
	stats := a.stats
	stats.RequestsPartial = a.decoder.fragments.partial
	stats.SegmentsIgnored += a.decoder.fragments.dropped + stats.RequestsPartial
	if a.decoder.fragments.crowded {
		stats.Evicted = max(1, stats.Evicted)
	}
	stats.NotRead = maps.Clone(a.stats.NotRead)
	return stats
}

// Due returns when, in the capture's time, a Tick may have something to do.
// It reports false if there is nothing that the passing of time changes.
func (a *Analyzer) Due() (time.Time, bool) {
	due, ok := a.mask.due()
	if first := a.first(); first != nil && (!ok || first.at.time().Before(due)) {
		return first.at.time(), true
	}
	return due, ok
}

// Packet takes in the next packet, which it neither keeps nor changes. Its time moves the
// Analyzer's clock, unless it is behind Latest.
func (a *Analyzer) Packet(p *Packet) {
	a.stats.packet(p.Time)
	var s segment
	inner := unwrapPktap(p)
	ok := a.decoder.decode(p, inner, &s)
	if a.moves(p.Time) {
		a.Tick(p.Time)
	}
	if s.headless {
		a.stats.requestCut(s.whole)
	}
	if !ok {
		doubtful := s.headless || a.countNotRead(inner.LinkType)
		if !a.pass(p, inner) && doubtful {
			a.stats.NotSaved++
		}
		return
	}
	a.stats.Segments++
	f := a.segment(&s)
	if s.joined { // its bytes are not in this packet
		a.pass(p, inner)
		if f != nil && a.mask != nil {
			f.saved()
		}
		return
	}
	if a.mask != nil {
		a.mask.segment(p, &s, f, a.at(p.Time))
	}
}

// at is when what has that time came by the Analyzer's clock: a packet of before that was
// set back is behind it.
func (a *Analyzer) at(t time.Time) time.Time {
	if t.After(a.now) {
		return a.now
	}
	return t
}

// countNotRead counts a packet if it is its link type that kept it from being read, and
// reports whether it is.
func (a *Analyzer) countNotRead(link LinkType) bool {
	if link.known() {
		return false
	}
	if a.stats.NotRead == nil {
		a.stats.NotRead = make(map[LinkType]uint64)
	}
	a.stats.NotRead[link]++
	return true
}

// pass deals with a packet that holds no segment of an endpoint's connection. It reports
// false if that is nobody's who is looked for, as far as is known.
func (a *Analyzer) pass(p, inner *Packet) bool {
	b, ok := a.decoder.bystander(p, inner)
	if !ok {
		return false
	}
	if b.quotes {
		a.exceeded(&b.exceeded)
	}
	a.mask.pass(p, b.header, a.at(p.Time))
	return true
}

// exceeded tells a flow that a router did not forward a segment of it.
func (a *Analyzer) exceeded(s *segment) {
	s.key.network = a.numberOf(s.network)
	if f := a.flows.find(&s.key); f != nil {
		f.hopLimitExceeded(s)
		a.due.schedule(f, f.nextDeadline())
	}
}

// segment gives the segment to its flow, and returns that.
func (a *Analyzer) segment(s *segment) *flow {
	s.key.network = a.numberOf(s.network)
	f := a.flowOf(s)
	if f == nil {
		return nil
	}
	a.legs.remember(s, f)
	if f.saving != nil {
		f.saving.waiting++
	}
	f.segment(s, a.now)
	a.due.schedule(f, f.nextDeadline())
	return f
}

// flowOf returns the flow that the segment belongs to, a new one if it opens
// one, nil if it says nothing.
func (a *Analyzer) flowOf(s *segment) *flow {
	switch f := a.flows.find(&s.key); {
	case f == nil && a.closed.repeats(s):
		return nil
	case f == nil:
		return a.begin(s)
	case !f.restarts(s):
		return a.mergeLegs(f, s)
	case s.direction == down && a.closed.repeats(s):
		return f // the answer to the SYN of an earlier connection
	default:
		return a.replace(f, s)
	}
}

// replace ends a flow for another one on its tuple, which it returns.
func (a *Analyzer) replace(f *flow, s *segment) *flow {
	rival := f.rival()
	answered := rival.answeredBy(s, f)
	a.supersede(f)
	if answered {
		return a.openRival(rival, s)
	}
	return a.begin(s)
}

// begin returns the flow of a segment on a tuple that has none: a new one, that of which it
// repeats a segment on another leg, or nil if it says nothing.
func (a *Analyzer) begin(s *segment) *flow {
	if !s.has(flagSYN) && s.length() == 0 {
		return nil
	}
	if repeated := a.legs.find(s); repeated != nil {
		return a.addLeg(repeated, s)
	}
	if a.full() && !s.opens() {
		a.ignoreForRoom()
		return nil
	}
	return a.open(s)
}

// openRival opens the connection of a SYN in the place of another one, which a segment has
// answered, maybe on another leg. How far that is from the client only copies of one packet tell:
// until then it is as far as any.
func (a *Analyzer) openRival(rival, answer *segment) *flow {
	f := a.open(rival)
	a.legs.remember(rival, f)
	f.segment(rival, a.now)
	if answer.key != rival.key {
		leg := legOf(answer)
		leg.away = maxLegHops
		a.takeLeg(f, leg, false, f.vantage)
	}
	return f
}

func (a *Analyzer) open(s *segment) *flow {
	if a.full() {
		a.evict()
	}
	f := a.newFlow(s)
	a.flows.put(&s.key, f)
	if oldest := a.halfOpen.add(f); oldest != nil {
		a.drop(oldest)
	}
	return f
}

// supersede ends a flow for another connection on its tuple. What was told of it just now and
// was not seen may be told of that one, of which some packets came first.
func (a *Analyzer) supersede(f *flow) {
	if quiet := f.isQuiet() || f.rival() != nil && f.opening.quiet; !quiet {
		f.streams[up].told = f.streams[up].next
	}
	a.end(f, imds.ConnectionClosed)
}

// end finishes a flow and remembers that it has ended.
func (a *Analyzer) end(f *flow, reason imds.Incomplete) {
	f.finish(reason)
	a.forget(f)
}

func (a *Analyzer) forget(f *flow) {
	for _, leg := range f.legs {
		a.closed.remember(leg.key, f)
	}
	a.release(f)
}

// release lets go of a flow that is finished.
func (a *Analyzer) release(f *flow) {
	for i := range f.legs {
		a.flows.remove(&f.legs[i].key)
	}
	a.remove(f)
	f.leave()
	a.retire(f)
}

// remove takes a flow out of what is followed.
func (a *Analyzer) remove(f *flow) {
	a.due.remove(f)
	if !f.told {
		a.halfOpen.open--
	}
}

// first returns the deadline of the flow that has something to do first, nil if there is none.
func (a *Analyzer) first() *deadline {
	for len(a.due) > 0 {
		first := &a.due[0]
		next := first.flow.nextDeadline()
		if next <= first.at {
			return first
		}
		a.due.postpone(first.flow, next)
	}
	return nil
}

// hasDue reports whether the first flow is due. It is looked at only if it may be.
func (a *Analyzer) hasDue(now time.Time) bool {
	return len(a.due) > 0 && a.due[0].at.isDue(now) && a.first().at.isDue(now)
}

// Tick moves the clock to now, the capture's time, when no packet does.
func (a *Analyzer) Tick(now time.Time) {
	a.now = now
	for a.hasDue(now) {
		if f := a.due[0].flow; f.expire(now) {
			a.due.again(f, f.nextDeadline(), now)
		} else {
			a.forget(f)
		}
	}
	a.mask.tick(now)
}

// Flush hands over what is still open, as at the end of the capture.
func (a *Analyzer) Flush() {
	a.decoder.fragments.flush()
	for first := a.first(); first != nil; first = a.first() {
		a.end(first.flow, imds.CaptureEnd)
	}
	a.mask.flush()
}
