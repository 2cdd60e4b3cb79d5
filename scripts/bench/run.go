package main

// row is what came of one cell.
type row struct {
	cell
	Life float64 `json:"client_ms"` // of a client, on average
	tally
}

// run is what came of one way under one load, for which the program under test
// was started afresh.
type run struct {
	Way     string   `json:"way"`
	Methods []string `json:"methods"` // that worked, as the log says
	Dropped int      `json:"packets_dropped"`
	Strays  int      `json:"strays"`
	Rows    []row    `json:"cells"`

	problems []problem
}

// judge compares the log of a run with what was done in it.
func judge(way string, m made, readLog func(func(entry)) error) (*run, error) {
	v := newVerdict(m)
	r := &run{Way: way}
	err := readLog(func(e entry) {
		v.take(e)
		r.takeLifecycle(e)
	})
	v.end(m)
	for i, c := range m.cells {
		r.Rows = append(r.Rows, row{c, float64(m.lives[i].Microseconds()) / 1000, v.tallies[i]})
	}
	r.Strays, r.problems = v.strays, v.problems
	return r, err
}

// takeLifecycle takes what the log says of the capture itself.
func (r *run) takeLifecycle(e entry) {
	switch c := e.IMDS.Capture; e.Event.Action {
	case captureStarted:
		r.Methods = c.Methods
	case captureStopped:
		r.Dropped = c.Dropped
	}
}

// wrong is how many answers are worse than none.
func (r *run) wrong() int {
	sum := 0
	for i := range r.Rows {
		sum += r.Rows[i].tally.wrong()
	}
	return sum
}
