package main

import "time"

// stallRate is ten times what EC2 lets an instance make of short calls: 1,024 packets
// a second to all link-local services, and 10 packets a call (EC2 user guide).
const stallRate = 1000

// A stall of up to stallBar at that rate is to be survived with nothing lost.
const stallBar = 300 * time.Millisecond

// stalls are how long the program does not run. Without a stall the rate is one of the
// part rates.
func stalls() []time.Duration {
	return []time.Duration{stallBar, time.Second, 3 * time.Second, 6 * time.Second}
}

// besideStall is for how long calls are made before a stall and after it, at the least.
// What is planned is half a second more on each side, as on a busy machine nobody is on
// time.
const besideStall = 2 * time.Second

// stall is a time in the middle of the calls for which the program stands still.
type stall struct {
	lasts  time.Duration
	beside time.Duration // before it and after
	// When it was, once it is over.
	stopped, continued time.Time
}

func newStall(lasts time.Duration, seconds int) *stall {
	return &stall{lasts: lasts, beside: max(time.Duration(seconds)*time.Second/2, besideStall+time.Second/2)}
}

// calls is how many there are at a rate, with the time before and after it.
func (s *stall) calls(rate int) int { return int((2*s.beside + s.lasts).Milliseconds()) * rate / 1000 }

// within is how many of the calls were made while the program stood still.
func (s *stall) within(calls map[string]access) (n int) {
	for _, a := range calls {
		if !a.at.Before(s.stopped) && a.at.Before(s.continued) {
			n++
		}
	}
	return n
}

// faults say where a row does not show what it is to show: that so many calls a second
// were made before, in and after the stall.
func (s *stall) faults(calls map[string]access, rate int) faults {
	var first, last time.Time
	for _, a := range calls {
		if first.IsZero() || a.at.Before(first) {
			first = a.at
		}
		if a.at.After(last) {
			last = a.at
		}
	}
	var all faults
	before, after := s.stopped.Sub(first), last.Sub(s.continued)
	all.add(before < besideStall || after < besideStall, "calls were made for %v before the stall and %v after it, and that is to be %v", before, after, besideStall)
	made, due := s.within(calls), int(s.continued.Sub(s.stopped).Milliseconds())*rate/1000
	all.add(isShort(float64(made), due), "%d calls were made in the stall, of %d", made, due)
	return all
}

// isShort says whether so much less was made than was asked for that a figure says nothing.
func isShort(made float64, asked int) bool { return made < 0.9*float64(asked) }
