package capture

import (
	"container/heap"
	"time"
)

// deadlines is a heap of all flows, ordered by when each is to be looked at: not
// later than when it has something to do. Nearly every segment moves that to a
// later time, of which no note is taken until the flow is looked at.
type deadlines []deadline

// deadline is when a flow is to be looked at. It stands here, so that no flow has to be
// looked at to order them.
type deadline struct {
	at   moment
	flow *flow
}

// schedule has a flow looked at no later than when it is due.
func (d *deadlines) schedule(f *flow, due moment) {
	switch {
	case f.index < 0:
		f.index = int32(len(*d))
		*d = append(*d, deadline{due, f})
		heap.Fix(d, int(f.index))
	case due < (*d)[f.index].at:
		d.postpone(f, due)
	}
}

// postpone has a flow that was looked at looked at again at t.
func (d *deadlines) postpone(f *flow, t moment) {
	(*d)[f.index].at = t
	heap.Fix(d, int(f.index))
}

// again has a flow that has done at now what was due looked at again at next. If that is
// not later than the last time, there is no end to it at now: it is its turn behind that.
func (d *deadlines) again(f *flow, next moment, now time.Time) {
	if next <= (*d)[f.index].at {
		next = momentOf(now) + 1
	}
	d.postpone(f, next)
}

func (d *deadlines) remove(f *flow) {
	if f.index >= 0 {
		heap.Remove(d, int(f.index))
	}
}

// Len, Less, Swap, Push and Pop are heap.Interface.

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at < d[j].at }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].flow.index, d[j].flow.index = int32(i), int32(j)
}

// Push appends a deadline. schedule does so by itself: what heap.Push takes is allocated.
func (d *deadlines) Push(x any) { *d = append(*d, x.(deadline)) }

// Pop takes the last deadline, and returns its flow.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	f := (*d)[last].flow
	(*d)[last] = deadline{}
	*d = (*d)[:last]
	f.index = -1
	return f
}
