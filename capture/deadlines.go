package capture

import (
	"container/heap"
	"time"
)

// deadlines is a heap of all flows, ordered by when each is to be looked at: not
// later than when it has something to do. Nearly every segment moves that to a
// later time, of which no note is taken until the flow is looked at.
type deadlines []*flow

// schedule has a flow looked at no later than when it is due.
func (d *deadlines) schedule(f *flow, due moment) {
	switch {
	case f.index < 0:
		f.deadline = due
		heap.Push(d, f)
	case due < f.deadline:
		f.deadline = due
		heap.Fix(d, int(f.index))
	}
}

// postpone has a flow that was looked at looked at again at t.
func (d *deadlines) postpone(f *flow, t moment) {
	f.deadline = t
	heap.Fix(d, int(f.index))
}

// again has a flow that has done at now what was due looked at again at next. If that is
// not later than the last time, there is no end to it at now: it is its turn behind that.
func (d *deadlines) again(f *flow, next moment, now time.Time) {
	if next <= f.deadline {
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
func (d deadlines) Less(i, j int) bool { return d[i].deadline < d[j].deadline }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = int32(i), int32(j)
}

// Push appends a *flow.
func (d *deadlines) Push(x any) {
	f := x.(*flow)
	f.index = int32(len(*d))
	*d = append(*d, f)
}

// Pop takes the last *flow.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	f := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	f.index = -1
	return f
}
