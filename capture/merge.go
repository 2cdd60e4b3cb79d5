package capture

import (
	"bytes"
	"slices"
	"time"
)

// Merge puts the packets of several live sources into the order in which they
// were captured. Each source hands over what it has after up to PayloadDelay:
// without it a conversation on one interface could be over before the same
// conversation on another begins.
type Merge struct{ waiting []Packet }

// Add takes in a packet; its data is copied.
func (m *Merge) Add(p *Packet) {
	m.waiting = append(m.waiting, *p)
	m.waiting[len(m.waiting)-1].Data = bytes.Clone(p.Data)
}

// Release hands out the packets that were captured up to a point in time, each until visit
// returns. Those that were captured later than it is now came before the clock was set back,
// and go first: by that clock their turn would be behind packets that came after them, of the
// same connection too, and would not come for as long as it was set back.
func (m *Merge) Release(until, now time.Time, visit func(*Packet)) {
	ahead := func(p Packet) bool { return p.Time.After(now) }
	for i := range m.waiting {
		if ahead(m.waiting[i]) {
			visit(&m.waiting[i])
		}
	}
	m.waiting = slices.DeleteFunc(m.waiting, ahead)
	slices.SortStableFunc(m.waiting, func(a, b Packet) int { return a.Time.Compare(b.Time) })
	n := 0
	for n < len(m.waiting) && !m.waiting[n].Time.After(until) {
		visit(&m.waiting[n])
		n++
	}
	m.waiting = slices.Delete(m.waiting, 0, n)
}

// Flush hands out all packets, as Release does.
func (m *Merge) Flush(visit func(*Packet)) {
	if len(m.waiting) > 0 {
		last := slices.MaxFunc(m.waiting, func(a, b Packet) int { return a.Time.Compare(b.Time) }).Time
		m.Release(last, last, visit)
	}
}

// Due returns the time of the packet that waits longest; false if none does.
func (m *Merge) Due() (time.Time, bool) {
	if len(m.waiting) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(m.waiting, func(a, b Packet) int { return a.Time.Compare(b.Time) }).Time, true
}
