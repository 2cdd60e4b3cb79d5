package cli

import (
	"testing"
	"testing/synctest"
)

// What has no room waits until as much was given back, and one thing has room
// however large.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(10)
		r.take(6)
		taken := 0
		go func() {
			r.take(5)
			taken++
			r.take(100)
			taken++
		}()
		for _, step := range []struct{ give, taken int }{{0, 0}, {1, 1}, {5, 1}, {4, 1}, {1, 2}} {
			r.give(step.give)
			synctest.Wait()
			if taken != step.taken {
				t.Fatalf("after %d more it has taken %d times, not %d", step.give, taken, step.taken)
			}
		}
	})
}
