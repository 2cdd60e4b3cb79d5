package attribution

import "sync"

// Pending is an answer that may still be on its way. That of a connection in a capture file is
// nil: nobody is asked, and the answer is Offline.
type Pending struct {
	done    chan struct{}
	answer  Answer
	settled func() // called once the answer is there; may be nil
	// forget is that of the witness's watch, nil if none is asked.
	forget func() bool

	mu   sync.Mutex      // guards what follows, and who closes done
	tell chan<- *Pending // who waits for the answer beside those of Done; may be nil
}

// Done is closed when the answer is there. That takes a bounded time. It is to be called only
// if HasAnswer has reported false.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Answer returns the answer; it is to be called after Done only, or if HasAnswer reports true.
func (p *Pending) Answer() Answer {
	if p == nil {
		return Answer{Status: Offline}
	}
	return p.answer
}

// Tell sends p to a channel once the answer is there and names a process, unless that is
// full then: a goroutine for each answer takes stacks of megabytes where thousands come at
// once. It is for one channel.
func (p *Pending) Tell(to chan<- *Pending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell = to
	if p.HasAnswer() {
		p.told()
	}
}

// told tells who waits of a process: to wake it takes as long as to read several packets.
// The caller holds mu.
func (p *Pending) told() {
	if p.answer.Process != nil {
		select {
		case p.tell <- p: // never if it is nil
		default:
		}
	}
	p.tell = nil
}

// settle gives the answer, and reports whether it is the first.
func (p *Pending) settle(a Answer) (first bool) {
	if !p.take(a) {
		return false
	}
	if p.settled != nil {
		p.settled()
		p.settled, p.forget = nil, nil // what they hold is not kept as long as the answer
	}
	return true
}

func (p *Pending) take(a Answer) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.HasAnswer() {
		return false
	}
	p.answer = a
	close(p.done)
	p.told()
	return true
}

// HasAnswer reports whether the answer is there.
func (p *Pending) HasAnswer() bool {
	if p == nil {
		return true
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
