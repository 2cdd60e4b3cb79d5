package capture

import "fmt"

// Unsound says what does not add up in what an Analyzer counts of its memory, of which there is
// no other sign for weeks; empty if all does.
func (a *Analyzer) Unsound() string {
	used, notes, legs, open := 0, 0, 0, 0
	for _, due := range a.due {
		f := due.flow
		used, notes, legs = used+f.buffered(), notes+f.notes.cost, legs+len(f.legs)
		if !f.told {
			open++
		}
		for _, leg := range f.legs {
			if a.flows.flows[leg.key] != f {
				return "a flow's leg is another one's"
			}
		}
	}
	switch {
	case a.budget.used != used:
		return fmt.Sprintf("%d bytes are taken of the budget, of which flows have %d", a.budget.used, used)
	case a.notes.used != notes:
		return fmt.Sprintf("notes take %d bytes, of which flows have %d", a.notes.used, notes)
	case len(a.flows.flows) != legs:
		return fmt.Sprintf("%d keys for %d legs", len(a.flows.flows), legs)
	case a.halfOpen.open != open:
		return fmt.Sprintf("%d flows are half open, of which %d are counted", open, a.halfOpen.open)
	case len(a.due) > a.limits.Connections || len(a.unused) > maxUnused || len(a.rooms) > maxRooms:
		return fmt.Sprintf("%d flows, %d to use again, %d rooms", len(a.due), len(a.unused), len(a.rooms))
	case len(a.halfOpen.order) > maxHeardOf+2*a.halfOpen.limit+1:
		return fmt.Sprintf("%d half open ones are remembered", len(a.halfOpen.order))
	case len(a.closed.younger)+len(a.closed.older) > max(2, a.limits.ClosedConnections):
		return fmt.Sprintf("%d closed ones are remembered", len(a.closed.younger)+len(a.closed.older))
	}
	return a.unsoundRest()
}

// unsoundRest looks at what is kept to be used again, and at what waits to be saved.
func (a *Analyzer) unsoundRest() string {
	flows, rooms := map[*flow]bool{}, map[*pendingCall]bool{}
	for _, due := range a.due {
		f := due.flow
		flows[f] = true
		if room := f.exchange.pending; cap(room) > 0 {
			rooms[&room[:1][0]] = true
		}
	}
	for _, f := range a.unused {
		if flows[f] || f.index >= 0 {
			return "a flow is to be used again that is used"
		}
		flows[f] = true
	}
	for _, room := range a.rooms {
		if rooms[&room[:1][0]] {
			return "a room is to be used again that is used"
		}
		rooms[&room[:1][0]] = true
	}
	if a.mask != nil {
		waiting := 0
		for i := range a.mask.queue {
			waiting += a.mask.queue[i].cost()
		}
		if waiting != a.mask.bytes {
			return fmt.Sprintf("packets to save take %d bytes, not %d", waiting, a.mask.bytes)
		}
	}
	return ""
}

// Taken is all that is taken of limits.
func (a *Analyzer) Taken() int {
	return a.budget.used + a.notes.used + a.halfOpen.open + len(a.due) + len(a.flows.flows)
}
