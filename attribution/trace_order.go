package attribution

import (
	"cmp"
	"slices"
	"time"
)

// holdBack is how long after it happened an event is waited for. From the time
// stamp to the ring it takes microseconds; it is the hypervisor that can stop a
// processor in between. An answer comes later by as much, which nobody notices.
const holdBack = time.Millisecond

// traceOrder puts the events of all processors in the order in which they
// happened. Each processor has a ring of its own, and they are read one after
// the other.
type traceOrder struct {
	held []traceEvent
	past int64 // everything up to here has been released
	late uint64
}

// add takes an event in. One that comes after its time is none of use: what
// followed it was taken for the truth already. It is reported as false.
func (o *traceOrder) add(e traceEvent) bool {
	if e.at <= o.past {
		o.late++
		return false
	}
	o.held = append(o.held, e)
	return true
}

// release returns the events up to a time, which no other will come before.
func (o *traceOrder) release(until int64) []traceEvent {
	if until <= o.past {
		return nil
	}
	o.past = until
	slices.SortStableFunc(o.held, func(a, b traceEvent) int { return cmp.Compare(a.at, b.at) })
	n, _ := slices.BinarySearchFunc(o.held, until+1, func(e traceEvent, at int64) int { return cmp.Compare(e.at, at) })
	released := slices.Clone(o.held[:n])
	o.held = slices.Delete(o.held, 0, n)
	return released
}

// holds reports whether an event is held that want is true of.
func (o *traceOrder) holds(want func(traceEvent) bool) bool {
	return slices.ContainsFunc(o.held, want)
}
