// Package capture turns packets into calls to the metadata service: it opens
// live handles and capture files, decodes packets, puts the TCP connections
// together again and reads the HTTP heads in them.
package capture

import (
	"net/netip"
	"time"

	"imds-analyzer/imds"
)

// Handler receives what an Analyzer finds, in the goroutine that feeds it.
type Handler interface {
	// Opened is called at the first packet of a connection, and again if a
	// later one shows a tuple nearer to the client, before translation.
	Opened(imds.Conn)
	// Call is called once for each call, as soon as nothing more can be
	// learned of it: at its response, or when there can be none any more.
	Call(imds.Call)
	// Closed is called when a connection has ended and all its calls, and packets
	// to be saved, were handed over.
	Closed(imds.Conn)
}

// Stats count what an Analyzer has seen.
type Stats struct {
	// Packets is the number of packets taken in, Segments that of TCP
	// segments to and from the endpoints among them.
	Packets, Segments uint64
	// Connections is the number of connections, NotHTTP of those whose bytes
	// are not HTTP/1, Evicted of those that were given up because there were
	// too many.
	Connections, NotHTTP, Evicted uint64
	// SegmentsIgnored is the number of segments that their receiver would not
	// have taken, or for which there was no memory.
	SegmentsIgnored uint64
	// ResponsesUnmatched is the number of responses whose requests are not in
	// the capture.
	ResponsesUnmatched uint64
}

// Analyzer finds the calls to the metadata service in a stream of packets. It
// is not safe for concurrent use: one goroutine owns it and all its flows.
type Analyzer struct {
	handler  Handler
	limits   Limits
	decoder  decoder
	now      time.Time
	flows    map[flowKey]*flow
	due      deadlines
	closed   closedFlows
	legs     legs
	budget   budget
	notes    budget // what captures say of clients
	arrivals uint64
	lastID   uint64
	stats    Stats
	mask     *masker
}

// NewAnalyzer returns an Analyzer that looks for calls to the endpoints.
func NewAnalyzer(endpoints []netip.AddrPort, limits Limits, handler Handler) *Analyzer {
	return &Analyzer{
		handler: handler,
		limits:  limits,
		decoder: decoder{endpoints: endpoints},
		flows:   make(map[flowKey]*flow),
		closed:  newClosedFlows(limits.ClosedConnections),
		budget:  budget{max: limits.BufferedBytes},
		notes:   budget{max: limits.BufferedBytes},
	}
}

// Stats returns the counts so far.
func (a *Analyzer) Stats() Stats { return a.stats }

// Due returns when, in the capture's time, a Tick will have something to do.
// It reports false if there is nothing that the passing of time changes.
func (a *Analyzer) Due() (time.Time, bool) {
	due, ok := a.mask.due()
	if len(a.due) > 0 && (!ok || a.due[0].deadline.Before(due)) {
		return a.due[0].deadline, true
	}
	return due, ok
}

// Packet takes in the next packet. Its time moves the Analyzer's clock.
func (a *Analyzer) Packet(p Packet) {
	a.stats.Packets++
	s, ok := a.decoder.decode(&p)
	if p.Time.After(a.now) || p.Time.Before(a.now.Add(-clockSlack)) {
		a.Tick(p.Time)
	}
	if !ok {
		a.pass(&p)
		return
	}
	a.stats.Segments++
	f := a.segment(&s)
	if s.joined { // its bytes are not in this packet
		a.pass(&p)
		return
	}
	a.mask.segment(&p, &s, f)
}

// pass deals with a packet that holds no segment of an endpoint's connection.
func (a *Analyzer) pass(p *Packet) {
	if a.mask == nil {
		return
	}
	if header, ok := a.decoder.headerLength(p); ok {
		a.mask.pass(p, header)
	}
}

// segment gives the segment to its flow, and returns that.
func (a *Analyzer) segment(s *segment) *flow {
	f := a.flowOf(s)
	if f == nil {
		return nil
	}
	a.legs.remember(s, f)
	f.segment(s, a.now)
	a.due.schedule(f, f.nextDeadline())
	return f
}

// flowOf returns the flow that the segment belongs to, a new one if it opens
// one, nil if it says nothing.
func (a *Analyzer) flowOf(s *segment) *flow {
	key := keyOf(s)
	f := a.flows[key]
	if f != nil && !f.restarts(s) {
		return a.mergeLegs(f, s, key)
	}
	if f != nil && s.direction == down && a.closed.repeats(key, s) {
		return f // the answer to the SYN of an earlier connection
	}
	if f != nil {
		a.end(f, imds.ConnectionClosed)
	} else if a.closed.repeats(key, s) {
		return nil
	}
	if !s.has(flagSYN) && s.length() == 0 {
		return nil
	}
	if repeated := a.legs.find(s); repeated != nil {
		return a.addLeg(repeated, s, key)
	}
	return a.open(s, key)
}

func (a *Analyzer) open(s *segment, key flowKey) *flow {
	if len(a.due) >= a.limits.Connections {
		a.stats.Evicted++
		a.end(a.due.stalest(), imds.CaptureEnd)
	}
	f := a.newFlow(s)
	a.flows[key] = f
	a.handler.Opened(f.conn)
	return f
}

// end finishes a flow and remembers that it has ended.
func (a *Analyzer) end(f *flow, reason imds.Incomplete) {
	f.finish(reason)
	a.forget(f)
}

func (a *Analyzer) forget(f *flow) {
	for _, key := range f.keys {
		delete(a.flows, key)
		a.closed.remember(key, f)
	}
	a.due.remove(f)
	f.leave()
}

// Tick moves the clock to now, the capture's time, when no packet does.
func (a *Analyzer) Tick(now time.Time) {
	a.now = now
	for len(a.due) > 0 && !a.due[0].deadline.After(now) {
		f := a.due[0]
		if f.expire(now) {
			a.due.schedule(f, f.nextDeadline())
		} else {
			a.forget(f)
		}
	}
	a.mask.tick(now)
}

// Flush hands over what is still open, as at the end of the capture.
func (a *Analyzer) Flush() {
	for len(a.due) > 0 {
		a.end(a.due[0], imds.CaptureEnd)
	}
	a.mask.flush()
}
