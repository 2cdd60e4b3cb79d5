package capture

import (
	"time"

	"imds-analyzer/imds"
)

// A client whose token request is not answered gives it up and calls without a token.
// The request's Call comes when nothing more can be learned of it, which is often after
// the calls that it explains. So the handler is told before.

// tokenWait is how far the wait for the answer to a token request has come.
type tokenWait uint8

const (
	noTokenWait  tokenWait = iota // it asks for no token
	waits                         // for less than tokenPatience
	waitsOn                       // for longer, and there may be an answer
	waitedInVain                  // the handler was told
)

// newTokenWait begins the wait of a request that asks for a token. One that its client
// did not send to the end waits for nothing.
func newTokenWait(r *imds.Request) tokenWait {
	if r.IsTokenRequest() && r.Incomplete != imds.ConnectionClosed {
		return waits
	}
	return noTokenWait
}

// patience is when the oldest token request has waited for tokenPatience, if one
// still does.
func (x *exchange) patience() (due moment, ok bool) {
	for i := range x.pending {
		if p := &x.pending[i]; p.token == waits {
			return p.patience(), true
		}
	}
	return 0, false
}

func (p *pendingCall) patience() moment { return p.since.add(tokenPatience) }

// losePatience tells of the token requests that have waited for tokenPatience.
func (x *exchange) losePatience(f *flow, now time.Time) {
	for i := range x.pending {
		if p := &x.pending[i]; p.token == waits && p.patience().isDue(now) {
			p.token = waitsOn
			f.tellUnanswered(p)
		}
	}
}

// closing tells of all token requests that wait, as one side closes the connection.
func (x *exchange) closing(f *flow) {
	for i := range x.pending {
		if p := &x.pending[i]; p.token == waits || p.token == waitsOn {
			f.tellUnanswered(p)
		}
	}
}

// tellUnanswered tells the handler of a token request, unless there may be an answer.
func (f *flow) tellUnanswered(p *pendingCall) {
	if f.mayBeAnswered() {
		return
	}
	p.token = waitedInVain
	f.reported = true // now its Call has to follow
	f.tell()
	f.analyzer.handler.Unanswered(imds.Call{
		Conn:       f.conn(),
		Request:    p.request,
		Reset:      f.exchange.reset,
		Unanswered: true,
	})
}

// mayBeAnswered reports whether there may be an answer that was not read: the service's
// packets are not in the capture, some of them are missing or come later, or an answer
// has begun.
func (f *flow) mayBeAnswered() bool {
	st := &f.streams[down]
	unread := st.holds() || st.hasAcked && before(st.next, st.acked)
	return !st.heard || unread || f.exchange.hidden || !f.responses.betweenHeads()
}

// betweenHeads reports whether it is known that no head has begun: neither is one being
// read, nor is the place in the stream lost.
func (r *messageReader) betweenHeads() bool {
	switch r.state {
	case stateHead, stateUntilClose, stateLost, stateIgnore:
		return false
	}
	return true
}
