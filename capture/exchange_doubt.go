package capture

import "slices"

// skipDoubtful gives up on requests whose responses may be among the lost bytes, or of which it
// is not known whether this one is theirs or that to a request that is.
func (x *exchange) skipDoubtful(f *flow, response *origin, seq uint32) {
	if !x.hidden && (len(x.pending) == 0 || !x.pending[0].gap) {
		return
	}
	n := 0
	for n < len(x.pending) && x.canAnswer(&x.pending[n], response, seq) {
		n++
	}
	its := 0 // the place of the request that it answers
	if n != 1 || x.othersReceived(f, response) {
		its = x.waiting(n, seq)
	}
	owed, reset := x.owed > 0, x.reset
	x.hidden, x.owed, x.owedHeads = false, 0, 0
	x.reset = false // a response came behind them: it is not for that that they have none
	for range its {
		x.unanswered(f)
	}
	x.reset = reset
	if its == n && (n > 0 || owed) { // the answers to those may still come
		x.doubt()
	}
}

// doubt says that there may be requests before those that wait, whose answers may come.
func (x *exchange) doubt() {
	if len(x.pending) > 0 {
		x.pending[0].gap = true
	} else {
		x.doubtful = true
	}
}

// waiting returns the place of the request for whose answer the client waits: it had received
// all that comes before the response at seq, and no more, when it sent that. Of the first n
// requests, n if none is known to be the one.
func (x *exchange) waiting(n int, seq uint32) int {
	i := slices.IndexFunc(x.pending[:n], func(p pendingCall) bool { return p.hasAck && p.ack == seq })
	if i < 0 || x.rolls || x.pipelines && x.pending[i].behind {
		return n
	}
	return i
}

// isAwaited reports whether the client waits for the response at seq to the request whose head is
// still being read: when it sent that it had received all that comes before, and no more.
func (x *exchange) isAwaited(f *flow, seq uint32) bool {
	return !x.pipelines && f.requests.first.ack == seq
}

// othersReceived reports whether the service may have received requests that do not wait, as
// they were not read.
func (x *exchange) othersReceived(f *flow, response *origin) bool {
	unseen := !response.hasAck || before(f.streams[up].next, response.ack)
	return unseen || x.requestsLost || x.doubtful || slices.ContainsFunc(x.pending, func(p pendingCall) bool { return p.gap })
}
