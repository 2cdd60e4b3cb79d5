package report

import (
	"cmp"
	"slices"
	"time"
)

// maxBuckets bounds the buckets of a timeline: in a plot of 1,000 columns each has
// eight. At 40 bytes each they take 5 KiB a host.
const maxBuckets = 128

// maxDoublings are those with which all slots there are lie within maxBuckets:
// maxSlot is below 2^30, and 128 is 2^7.
const maxDoublings = 30 - 7

// timeline are the calls by buckets of time, in order. All have the same width: that
// of a period, doubled as often as it takes for all to lie within maxBuckets. Buckets
// begin at multiples of their width since 1970, so that two become one when the width
// doubles, and what comes out does not depend on the order in which calls come in.
type timeline struct {
	Doublings uint8    `json:"doublings,omitempty"`
	Buckets   []bucket `json:"buckets,omitempty"`
}

// bucket are the calls in a part of a timeline: as many buckets since 1970 as its
// Slot says are before it.
type bucket struct {
	Slot uint32 `json:"slot"`
	calls
}

// call takes in calls of one time. If that is not known they are left out: the sum of
// all calls tells how many are.
func (t *timeline) call(at time.Time, n calls) {
	if slot := slotOf(at); slot != 0 {
		t.add(bucket{slot, n}, 0)
	}
}

// add takes in a bucket whose width was doubled that many times.
func (t *timeline) add(b bucket, doublings uint8) {
	t.widen(doublings)
	b.Slot >>= t.Doublings - doublings
	for !t.fits(b.Slot) {
		t.widen(t.Doublings + 1)
		b.Slot >>= 1
	}
	at, known := slices.BinarySearchFunc(t.Buckets, b.Slot, func(b bucket, slot uint32) int { return cmp.Compare(b.Slot, slot) })
	if !known {
		t.Buckets = slices.Insert(t.Buckets, at, bucket{Slot: b.Slot})
	}
	t.Buckets[at].merge(b.calls)
}

func (t *timeline) fits(slot uint32) bool {
	n := len(t.Buckets)
	return n == 0 || max(slot, t.Buckets[n-1].Slot)-min(slot, t.Buckets[0].Slot) < maxBuckets
}

// widen makes buckets at least as wide as with that many doublings.
func (t *timeline) widen(doublings uint8) {
	if doublings <= t.Doublings {
		return
	}
	by := doublings - t.Doublings
	t.Doublings = doublings
	wide := t.Buckets[:0]
	for _, b := range t.Buckets {
		b.Slot >>= by
		if n := len(wide); n > 0 && wide[n-1].Slot == b.Slot {
			wide[n-1].merge(b.calls)
		} else {
			wide = append(wide, b)
		}
	}
	t.Buckets = wide
}

func (t *timeline) merge(o *timeline) {
	for _, b := range o.Buckets {
		t.add(b, o.Doublings)
	}
}

// within are the calls in the buckets that a time has a part in.
func (t *timeline) within(s span) (n calls) {
	first, last := slotOf(s.First)>>t.Doublings, slotOf(s.Last)>>t.Doublings
	for _, b := range t.Buckets {
		if first <= b.Slot && b.Slot <= last {
			n.merge(b.calls)
		}
	}
	return n
}

// untimed are those of all calls that are in no bucket.
func (t *timeline) untimed(all calls) calls {
	for _, b := range t.Buckets {
		all = all.without(b.calls)
	}
	return all
}

// tidy leaves out what no calls can have made.
func (t *timeline) tidy() {
	if t.Doublings > maxDoublings {
		*t = timeline{}
	}
	t.Buckets = slices.DeleteFunc(t.Buckets, func(b bucket) bool {
		return b.all() == 0 || uint64(b.Slot)<<t.Doublings > maxSlot
	})
}

// width is that of a bucket.
func (t *timeline) width() time.Duration { return periodLength << t.Doublings }

// marks are what a plot of calls is marked with, each in no order.
type marks struct {
	boots, starts, stops []time.Time
}

func (m *marks) merge(o marks) {
	m.boots = append(m.boots, o.boots...)
	m.starts = append(m.starts, o.starts...)
	m.stops = append(m.stops, o.stops...)
}

// marks are the starts and stops of those sessions that are kept apart. Of captures in
// files they are the first and the last packet.
func (s *sessions) marks() (m marks) {
	for i := range s.Latest {
		one := &s.Latest[i]
		if one.Live {
			m.starts, m.stops = append(m.starts, believed(one.began())), append(m.stops, believed(one.Stopped))
		} else {
			m.starts, m.stops = append(m.starts, one.Packets.First), append(m.stops, one.Packets.Last)
		}
	}
	return m
}
