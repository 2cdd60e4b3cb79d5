package capture

import (
	"bytes"
	"math/rand/v2"
)

// budget is the memory that all connections share.
type budget struct{ used, max int }

// take reserves n bytes; it reports false, and takes nothing, beyond the bound.
func (b *budget) take(n int) bool {
	if b.used+n > b.max {
		return false
	}
	b.used += n
	return true
}

func (b *budget) give(n int) { b.used -= n }

// reserve takes n bytes of the budget for the flow. Where there are none left, those
// make room that take more than it: whoever fills the memory with what never ends loses
// that, and not those who come with a few bytes.
func (f *flow) reserve(n int) bool {
	a := f.analyzer
	for !a.budget.take(n) {
		if a.relieving {
			return false
		}
		largest := a.largest(f.buffered())
		if largest == nil || largest == f {
			return false
		}
		a.relieving = true
		largest.giveWay()
		a.relieving = false
	}
	return true
}

// searches is how often as many flows as stalest compares are looked through for one
// that takes much. Of 16,384 flows 64 that take all are missed with a probability of
// 0.03 %. Who takes more than its share already is searched for once.
const searches = 32

// largest returns a flow that takes more than so much, among the ones that take most;
// nil if none is found.
func (a *Analyzer) largest(than int) (largest *flow) {
	rounds := searches
	if than > a.budget.max/max(1, len(a.due)) {
		rounds = 1
	}
	for range rounds {
		for range min(sampled, len(a.due)) {
			f := a.due[rand.IntN(len(a.due))].flow
			if buffered := f.buffered(); buffered > than {
				largest, than = f, buffered
			}
		}
		if largest != nil {
			break
		}
	}
	return largest
}

// buffered is what the flow takes of the budget.
func (f *flow) buffered() int {
	n := f.opening.buffered() + f.streams[up].cost() + f.streams[down].cost()
	for i := range f.exchange.pending {
		n += f.exchange.pending[i].cost()
	}
	return n + f.requests.buffered() + f.responses.buffered()
}

// buffered is what the reader takes of the budget.
func (r *messageReader) buffered() int {
	if r.state == stateSkipHead {
		return 0
	}
	return len(r.buffer)
}

// giveWay lets go of what the flow waits with, in a way that shows: its segments are
// read as they are, its requests are handed over without their answers, and a head that
// is not complete is unknown.
func (f *flow) giveWay() {
	now := f.analyzer.now
	f.settle(now)
	f.readOnSYN(now)
	if r := f.rival(); r != nil && len(r.payload) > 0 {
		f.analyzer.ignoreForRoom()
		f.dropRival()
	}
	for d := range f.streams {
		for f.streams[d].holds() {
			f.releaseInOrder(direction(d), now)
		}
	}
	f.requests.giveWay()
	f.responses.giveWay()
	for len(f.exchange.pending) > 0 {
		f.exchange.giveUp(f)
	}
	f.analyzer.due.schedule(f, f.nextDeadline())
}

// giveWay gives the reader's buffer back.
func (r *messageReader) giveWay() {
	switch {
	case r.buffered() == 0:
	case r.state == stateHead:
		r.giveUpHead(bytes.Clone(r.buffer))
	case r.state == stateLost: // what is known of the loss stays: the rest of a head that was told is none of its own
		r.dropBuffer()
	default:
		r.loseForRoom()
	}
}
