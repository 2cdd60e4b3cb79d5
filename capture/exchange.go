package capture

import (
	"slices"
	"time"

	"imds-analyzer/imds"
)

// exchange pairs the requests of one connection with their responses.
//
// Responses come in the order of the requests (RFC 9112, section 9.3), but a
// capture may lack some of either. The acknowledgment numbers tell more: a
// response answers a request that its sender had received, and a client that
// had received more when it sent its next request had its answer.
type exchange struct {
	// pending are the requests without a response, oldest first.
	pending []pendingCall
	// owed is the number of responses to requests that were handed over
	// without: their turn comes before that of pending. owedHeads has a bit for each of the
	// first of them, the lowest for the next one, which is set if it is one to HEAD.
	owed uint32
	// answeredAt is what the service had received when it sent the last response, if answered.
	answeredAt uint32
	owedHeads  uint64
	// early is the response to the request whose head is still being read, nil if
	// there is none.
	early *earlyResponse
	// hidden is true if there were responses of which it is not known whose
	// they are, or may be among lost bytes.
	hidden bool
	// requestsLost is true if bytes were lost that may have held requests, behind those that
	// wait; wholeLost if they have, as they were lost between two.
	requestsLost, wholeLost bool
	// doubtful is true if there may be requests, behind those that wait, whose answers may come
	// and that wait no longer.
	doubtful bool
	// pipelines is true once the client is known to send requests before it has the answers to
	// earlier ones, rolls if it has received some when it does: then what it had received does
	// not tell for which answer it waits.
	pipelines, rolls bool
	// reset is true if the service reset the connection.
	reset    bool
	answered bool
}

// earlyResponse begins at seq, and came when the service had received the bytes before ack.
type earlyResponse struct {
	imds.Response
	seq, ack uint32
}

// pendingCall is a request that waits for its response.
type pendingCall struct {
	request imds.Request
	seq     uint32 // of its first byte
	ack     uint32 // what its client had received when it sent that
	token   tokenWait
	noted   bool   // its note is of the packet in which it begins
	hasAck  bool   // else there is no ack
	gap     bool   // before it, there may be requests that do not wait and have no answer yet
	behind  bool   // the capture may lack some right before it
	since   moment // it waits; as its time, but for when the clock was set back
}

// cost is the memory that a request takes while it waits.
func (p *pendingCall) cost() int {
	const itself = 256
	r := &p.request
	return itself + len(r.Target) + len(r.UserAgent) + len(r.Host) + len(r.ForwardedClient)
}

// request takes in a request whose head is complete, or will not be.
func (x *exchange) request(f *flow, p *pendingCall) {
	x.follows(f, p)
	if x.takeEarly(f, p) {
		return
	}
	if len(x.pending) >= maxPending {
		x.giveUp(f)
	}
	if !x.reserve(f, p) { // there is no room to wait for its answer
		x.tellWithout(f, p)
		x.owe(p.request.Method)
		return
	}
	if len(x.pending) == 0 { // those that made room may have left it
		p.gap, x.doubtful = p.gap || x.doubtful, false
	}
	p.token, p.since = newTokenWait(&p.request), momentOf(f.analyzer.at(p.request.Time))
	if x.pending == nil {
		x.pending = f.analyzer.takeRoom()
	}
	x.pending = append(x.pending, *p)
}

// takeEarly reports whether the response that came while the request's head was still being read
// is its own, and hands it over with that.
func (x *exchange) takeEarly(f *flow, p *pendingCall) bool {
	early := x.early
	if early == nil || len(x.pending) > 0 {
		return false
	}
	x.early = nil
	if !before(p.seq, early.ack) {
		f.analyzer.stats.ResponsesUnmatched++
		return false
	}
	f.requests.pair(p)
	f.answer(p, early.Response, early.seq)
	return true
}

// reserve takes the memory for a request to wait with, for which earlier ones give way. It reports
// false if there is none.
func (x *exchange) reserve(f *flow, p *pendingCall) bool {
	for !f.reserve(p.cost()) {
		if len(x.pending) == 0 {
			return false
		}
		x.giveUp(f)
	}
	return true
}

// follows takes in what a request tells of those before it. All that its client had received
// was read: where that holds no answer to one that was sent before, it did not wait for that.
func (x *exchange) follows(f *flow, p *pendingCall) {
	unanswered := len(x.pending) > 0 || x.wholeLost && p.request.Incomplete == imds.Whole
	if unanswered && !x.hidden && x.owed == 0 && p.hasAck && !before(f.streams[down].next, p.ack) {
		x.pipelines = true
		x.rolls = x.rolls || len(x.pending) > 0 && x.pending[0].ack != p.ack
	}
	p.gap, p.behind = x.doubtful || x.requestsLost, x.requestsLost
	x.doubtful, x.requestsLost, x.wholeLost = false, false, false
}

// response takes in a final response, and returns the method of the request
// that it answers, empty if it is not known. It begins at seq, with the interim ones before
// it. begun tells whether a request whose head is not complete had reached the service.
func (x *exchange) response(f *flow, first *origin, seq uint32, r imds.Response, begun bool) (method string) {
	x.answered, x.answeredAt = first.hasAck, first.ack
	doubtful := x.hidden || x.requestsLost || x.doubtful
	x.skipDoubtful(f, first, seq)
	if x.owed > 0 {
		return x.owedMethod()
	}
	if len(x.pending) > 0 && x.canAnswer(&x.pending[0], first, seq) {
		p := x.pending[0]
		x.drop(f)
		f.requests.pair(&p)
		f.answer(&p, r, first.seq)
		return p.request.Method
	}
	certain := !doubtful && !x.doubtful || x.isAwaited(f, seq)
	if begun && certain && len(x.pending) == 0 && x.early == nil {
		x.keepEarly(f, first, r)
		return ""
	}
	f.analyzer.stats.ResponsesUnmatched++
	x.hidden = true // it may answer a request that is read later
	return ""
}

// keepEarly keeps a response, the only one that is kept for longer.
func (x *exchange) keepEarly(f *flow, first *origin, r imds.Response) {
	x.early = &earlyResponse{r, first.seq, first.ack}
	if !first.hasAck {
		x.early.ack = f.streams[up].next
	}
}

// received reports whether the service had the beginning of the request when
// it sent the response.
func (x *exchange) received(p *pendingCall, response *origin) bool {
	return !response.hasAck || before(p.seq, response.ack)
}

// canAnswer reports whether a response that begins at seq may answer the request: the service
// had that, and its client had nothing of the response yet when it sent it.
func (x *exchange) canAnswer(p *pendingCall, response *origin, seq uint32) bool {
	return x.received(p, response) && (!p.hasAck || !before(seq, p.ack))
}

// unanswered hands over the oldest request, which will have no response.
func (x *exchange) unanswered(f *flow) {
	p := x.pending[0]
	x.drop(f)
	x.tellWithout(f, &p)
}

// tellWithout hands over a request without a response.
func (x *exchange) tellWithout(f *flow, p *pendingCall) {
	if p.gap {
		x.doubt()
	}
	f.emit(p, imds.Response{})
}

// giveUp hands over the oldest request while its response may still come.
func (x *exchange) giveUp(f *flow) {
	method := x.pending[0].request.Method
	x.unanswered(f)
	x.owe(method)
}

// owe notes that the response to a request that was handed over may still come. That one to
// HEAD has no body, whatever it says of one, has to be known, or the next one passes for it.
func (x *exchange) owe(method string) {
	if method == "HEAD" {
		x.owedHeads |= 1 << x.owed
	}
	x.owed++
}

// owedMethod is the method of the request that the next response answers, if that is HEAD, of
// those that were handed over without, and empty for others.
func (x *exchange) owedMethod() (method string) {
	if x.owedHeads&1 != 0 {
		method = "HEAD"
	}
	x.owed, x.owedHeads = x.owed-1, x.owedHeads>>1
	return method
}

func (x *exchange) drop(f *flow) {
	f.analyzer.budget.give(x.pending[0].cost())
	if len(x.pending) > 1 {
		x.pending = slices.Delete(x.pending, 0, 1) // what is left at a room's end would pass for one of one
		return
	}
	f.analyzer.keepRoom(x.pending)
	x.pending = nil
}

// abandon forgets the requests that wait.
func (x *exchange) abandon(f *flow) {
	for len(x.pending) > 0 {
		x.drop(f)
	}
}

// deadline is when the oldest request has waited long enough.
func (x *exchange) deadline() (due moment, ok bool) {
	if len(x.pending) == 0 {
		return 0, false
	}
	return x.pending[0].since.add(callWait), true
}

func (x *exchange) expire(f *flow, now time.Time) {
	for {
		due, ok := x.deadline()
		if !ok || !due.isDue(now) {
			return
		}
		x.giveUp(f)
	}
}

func (x *exchange) finish(f *flow) {
	for len(x.pending) > 0 {
		x.unanswered(f)
	}
}

// emit hands a call over, with its response if that has a status.
func (f *flow) emit(p *pendingCall, response imds.Response) {
	f.reported = true
	c := f.callOf(p, &response)
	f.follow(&c, response)
}

// callOf is the call without its response, which it is given when it is handed over.
func (f *flow) callOf(p *pendingCall, response *imds.Response) imds.Call {
	return imds.Call{
		Request:    p.request,
		Reset:      response.Status == 0 && f.exchange.reset,
		Unanswered: p.token == waitedInVain,
	}
}

// handOver hands a call over with its response, for which all calls have the same room.
func (f *flow) handOver(c *imds.Call, response imds.Response) {
	f.tell()
	c.Conn = f.conn()
	a := f.analyzer
	if a.response = response; response.Status != 0 {
		c.Response = &a.response
	}
	a.handler.Call(*c)
}
