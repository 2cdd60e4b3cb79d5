package attribution

import "sync"

// Pending is an answer that may still be on its way.
type Pending struct {
	once    sync.Once
	done    chan struct{}
	answer  Answer
	settled func() // called once the answer is there; may be nil
}

// Done is closed when the answer is there. That takes a bounded time.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Answer returns the answer; it is to be called after Done only.
func (p *Pending) Answer() Answer { return p.answer }

// settle gives the answer, and reports whether it is the first.
func (p *Pending) settle(a Answer) (first bool) {
	p.once.Do(func() {
		p.answer = a
		close(p.done)
		if p.settled != nil {
			p.settled()
			p.settled = nil // what it holds is not kept as long as the answer
		}
		first = true
	})
	return first
}

// isSettled reports whether the answer is there.
func (p *Pending) isSettled() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// answered returns a Pending whose answer is there.
func answered(a Answer) *Pending {
	p := &Pending{done: make(chan struct{})}
	p.settle(a)
	return p
}
