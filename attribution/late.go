package attribution

import (
	"slices"
	"time"
)

// lookAgain is how often it is looked whether a witness that is late has read what the
// kernel told.
const lookAgain = AnswerWithin / 20

// lateAnswer is one whose time is up, but that waits for the witness to read what
// happened in the time.
type lateAnswer struct {
	pending *Pending
	happens time.Time // by then all has happened that it may tell of, capture time
	longest time.Time // until when to wait
}

// timeIsUp answers for a connection that was seen then, unless the witness is expected to
// know and has not learnt yet what happened in the time.
func (r *resolver) timeIsUp(p *Pending, seen time.Time, expected bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !expected {
		r.giveUp(p)
		return
	}
	r.late = append(r.late, lateAnswer{p, seen.Add(AnswerWithin), time.Now().Add(AnswerAtMost - AnswerWithin)})
	if len(r.late) == 1 {
		r.lookWhatIsKnown()
	}
}

// lookWhatIsKnown gives up those that the witness would know of by now, and looks again
// later while there are others: for thousands once, as it wakes the witness each time.
// What the witness knows may be on its way still: who is to settle it needs a processor,
// too. The caller holds mu.
func (r *resolver) lookWhatIsKnown() {
	isAnswered := func(l lateAnswer) bool { return l.pending.HasAnswer() }
	if r.late = slices.DeleteFunc(r.late, isAnswered); len(r.late) == 0 {
		return // the witness may be closed
	}
	now, known := time.Now(), r.witness.knownUntil()
	r.late = slices.DeleteFunc(r.late, func(l lateAnswer) bool {
		if now.Before(l.longest) && (known.Before(l.happens) || !l.pending.forget()) {
			return false
		}
		r.giveUp(l.pending)
		return true
	})
	if len(r.late) > 0 {
		time.AfterFunc(lookAgain, r.lookAgain)
	}
}

func (r *resolver) lookAgain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookWhatIsKnown()
}

// giveUp answers with the best there is. The caller holds mu.
func (r *resolver) giveUp(p *Pending) {
	if f, ok := r.fallbacks[p]; ok {
		r.settle(p, r.fallBack(f))
		return
	}
	if r.settle(p, Answer{Status: NotFound}) {
		r.stats.OutOfTime++
	}
}
