package capture

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Threads that read are ahead of others, and one that reads a tap most.
func TestHurry(t *testing.T) {
	for _, test := range []struct {
		name  string
		hurry func()
		nice  int32
	}{{"a reader", hurry, readerNice}, {"a tap's", hurryMost, tapNice}} {
		got := make(chan *unix.SchedAttr)
		go func() { // keeps its thread, which ends with it
			test.hurry()
			a, _ := unix.SchedGetAttr(0, 0)
			got <- a
		}()
		if a := <-got; a == nil || a.Nice != test.nice || a.Policy != unix.SCHED_NORMAL {
			t.Errorf("%s: %+v, want nice %d", test.name, a, test.nice)
		}
	}
}
