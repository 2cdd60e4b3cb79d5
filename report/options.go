package report

import (
	"fmt"
	"time"
)

// Options are how the evidence is judged.
type Options struct {
	// MinDays is how many days each host has to be observed before silence counts
	// as evidence.
	MinDays float64
	// NoBoot waives that a boot has to be observed.
	NoBoot bool
	// Ignore names programs whose calls do not keep a host from being ready: each is
	// a part of, or with * and ? in it a pattern for the whole of, the executable,
	// the script, the unit, pod, task or image, a package or, where no process is
	// known, the User-Agent.
	Ignore []string
	// Since is the time from which on calls count, and observation; zero for all of it.
	Since time.Time
}

// DefaultMinDays is a week: what runs once a week is seen.
const DefaultMinDays = 7

// Check says whether the options can be met.
func (o Options) Check() error {
	const most = 36500 // a hundred years
	if !(o.MinDays >= 0 && o.MinDays <= most) {
		return fmt.Errorf("the number of days has to be from 0 to %d", most)
	}
	return nil
}
