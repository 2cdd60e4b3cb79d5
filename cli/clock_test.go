package cli

import (
	"testing"
	"time"
)

// Steps of the clock: only one back is one that something would wait for.
func TestWallClock(t *testing.T) {
	noon := time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name string
		to   time.Time
		back bool
	}{
		{"it goes on", noon.Add(time.Second), false},
		{"adjusted by a little", noon.Add(-clockStep), false},
		{"forward by hours", noon.Add(5 * time.Hour), false},
		{"back by hours", noon.Add(-5 * time.Hour), true},
		{"to 1970", time.Unix(0, 0), true},
	} {
		var w wallClock
		if w.setBack(noon) {
			t.Errorf("%s: set back at the first look", test.name)
		}
		if got := w.setBack(test.to); got != test.back {
			t.Errorf("%s: %v", test.name, got)
		}
		if w.setBack(test.to) {
			t.Errorf("%s: set back twice", test.name)
		}
	}
}
