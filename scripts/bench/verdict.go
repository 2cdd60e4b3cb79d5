package main

// problem is a call of which the log does not say the truth.
type problem struct {
	what string // "wrong", "missing" or "none"
	call callID
	by   pids // 0 if they are not known
	of   *client
	line string // of the log
}

// verdict compares the log of one run of the program with the truth.
type verdict struct {
	tallies  []tally // by the number of the cell
	clients  map[clientID]*client
	seen     map[callID]bool
	problems []problem
	strays   int // entries for calls that no client made
}

func newVerdict(m made) *verdict {
	v := &verdict{
		tallies: make([]tally, len(m.cells)),
		clients: make(map[clientID]*client, len(m.clients)),
		seen:    make(map[callID]bool),
	}
	for i := range m.clients {
		c := &m.clients[i]
		v.clients[c.id] = c
		v.tallies[c.id.cell].Calls += m.each[c.id.cell]
	}
	return v
}

// take compares one entry of the log.
func (v *verdict) take(e entry) {
	if e.Event.Dataset != callDataset {
		return
	}
	id, by, ok := parseTarget(e.URL.Original)
	c := v.clients[id.clientID]
	if !ok || c == nil {
		v.strays++
		return
	}
	t := &v.tallies[id.cell]
	if v.seen[id] {
		t.Twice++
		return
	}
	v.seen[id] = true
	if by == (pids{}) {
		by = c.pids
	}
	if what := t.compare(&e, c, by); what != "" {
		v.problems = append(v.problems, problem{what, id, by, c, e.line})
	}
}

// end counts the calls that the log does not have.
func (v *verdict) end(m made) {
	for id, c := range v.clients {
		for n := range m.each[id.cell] {
			if call := (callID{id, n}); !v.seen[call] {
				v.tallies[id.cell].Missing++
				v.problems = append(v.problems, problem{"missing", call, pids{}, c, ""})
			}
		}
	}
}
