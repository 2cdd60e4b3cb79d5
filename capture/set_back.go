package capture

import (
	"container/heap"
	"time"
)

// The clock that packets have their times from can be set back while they are captured.
// All that waits then waits as long as always from there on, and not for as long besides
// as the clock was set back. Times that are told stay as they are.

// Latest says after which time no packet can have been captured, from the next one on: one
// that is later is of before the clock was set back, and does not move the Analyzer's.
func (a *Analyzer) Latest(t time.Time) { a.latest = t }

// moves reports whether a packet of that time moves the Analyzer's clock.
func (a *Analyzer) moves(at time.Time) bool {
	if !a.latest.IsZero() && at.After(a.latest) && !a.now.IsZero() {
		a.ahead = true
		return false
	}
	return at.After(a.now) || at.Before(a.now.Add(-clockSlack))
}

// Ahead reports whether packets came since the last SetBack that were captured before the
// clock was set back: then what they have begun waits for the old time.
func (a *Analyzer) Ahead() bool { return a.ahead }

// SetBack is for when the clock was set back to now: what waits does so as if it had begun
// now, and is not as late as it was before.
func (a *Analyzer) SetBack(now time.Time) {
	a.now, a.ahead = now, false
	for i := range a.due {
		f := a.due[i].flow
		f.setBack(now)
		a.due[i].at = f.nextDeadline()
	}
	heap.Init(&a.due)
	a.decoder.fragments.setBack(now)
	a.mask.setBack(now)
}

// setBack has all that waits in a flow wait since now at the earliest.
func (f *flow) setBack(now time.Time) {
	for _, since := range []*moment{&f.begun, &f.lastSeen, &f.closedAt} {
		*since = min(*since, momentOf(now))
	}
	for d := range f.streams {
		if h := f.streams[d].held; h != nil {
			h.waiting = min(h.waiting, momentOf(now))
		}
	}
	for i := range f.exchange.pending {
		p := &f.exchange.pending[i]
		p.since = min(p.since, momentOf(now))
	}
	for i := range f.delivering {
		f.delivering[i].setBack(now)
	}
}

func (d *delivering) setBack(now time.Time) {
	d.since = min(d.since, momentOf(now))
	if d.doubted.After(now) {
		d.doubted = now
	}
}

func (f *fragments) setBack(now time.Time) {
	for _, whole := range f.open {
		if whole.since.After(now) {
			whole.since = now
		}
	}
}

// setBack has what waits do so from now on, if the clock was set back to that.
func (m *masker) setBack(now time.Time) {
	if m == nil {
		return
	}
	for i := range m.queue {
		if q := &m.queue[i]; q.since.After(now) {
			q.since = now
		}
	}
}
