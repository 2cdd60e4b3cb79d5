package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A stall has calls on both sides, however short the rows are.
func TestNewStall(t *testing.T) {
	for seconds, want := range map[int]time.Duration{1: 2500 * time.Millisecond, 5: 2500 * time.Millisecond, 60: 30 * time.Second} {
		s := newStall(stallBar, seconds)
		if s.beside != want || s.calls(stallRate) != int((2*want+stallBar).Milliseconds()) {
			t.Errorf("%d s: %+v, %d calls", seconds, s, s.calls(stallRate))
		}
	}
}

func TestStallFaults(t *testing.T) {
	begin := time.Unix(1000, 0)
	const rate = 100
	// made are calls from 0 to 5 s, with a gap from the one time to the other.
	made := func(from, to time.Duration) map[string]access {
		calls := make(map[string]access)
		for n := range 5 * rate {
			if at := time.Duration(n) * time.Second / rate; at < from || at >= to {
				calls[fmt.Sprint(n)] = access{"v1", 1, begin.Add(at)}
			}
		}
		return calls
	}
	for name, test := range map[string]struct {
		calls   map[string]access
		stopped time.Duration // for half a second
		within  int
		want    string
	}{
		"in the middle":        {made(0, 0), 2250 * time.Millisecond, 50, ""},
		"soon":                 {made(0, 0), 1900 * time.Millisecond, 50, "calls were made for 1.9s before the stall"},
		"late":                 {made(0, 0), 2600 * time.Millisecond, 50, "calls were made for 2.6s before the stall and 1.89s after"},
		"clients stand still":  {made(2300*time.Millisecond, 2700*time.Millisecond), 2250 * time.Millisecond, 10, "10 calls were made in the stall, of 50"},
		"some are a bit later": {made(2300*time.Millisecond, 2350*time.Millisecond), 2250 * time.Millisecond, 45, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stall{stopped: begin.Add(test.stopped), continued: begin.Add(test.stopped + time.Second/2)}
			if n := s.within(test.calls); n != test.within {
				t.Errorf("%d calls in it", n)
			}
			all := s.faults(test.calls, rate)
			if test.want == "" && len(all) > 0 || test.want != "" && (len(all) != 1 || !strings.HasPrefix(all[0], test.want)) {
				t.Errorf("%q", all)
			}
		})
	}
	if all := (&stall{}).faults(nil, rate); len(all) == 0 {
		t.Error("no calls, and no fault")
	}
}
