package attribution

import (
	"os"
	"testing"
)

// After a stall thousands of connections are read at once that few processes made: each
// thread is looked at once, and again for a connection that it made after that.
func TestReaderLooksOnceForWhatWasBefore(t *testing.T) {
	p := proc{root: "/proc", boot: bootTime}
	r := newReader(&tracepoint{facts: newFacts(p, "testdata/passwd"), tracker: newTracker(true)})
	pid := os.Getpid()
	connects := func(tid int, at int64) *reading {
		e := r.take(traceEvent{kind: connectEvent, pid: pid, tid: tid, at: at})
		if e.read == nil {
			t.Fatal("nothing was read")
		}
		return e.read
	}
	first := connects(pid, 1000)
	for _, test := range []struct {
		name string
		tid  int
		at   int64
		same bool
	}{
		{"before the look", pid, 2000, true},
		{"as it began", pid, first.began, true},
		{"after it began", pid, first.began + 1, false},
		{"another thread", pid + 1, 2000, false},
	} {
		if same := connects(test.tid, test.at) == first; same != test.same {
			t.Errorf("%s: the same reading: %v", test.name, same)
		}
	}
	r.settle(monotonic())
	if connects(pid, 2000) == first {
		t.Error("a reading is used again in the next round")
	}
	r.settle(monotonic())
}

// What is known until a point in time was told: handshakes that events to come can still
// put in doubt are not known yet, although they are over.
func TestKnownIsTold(t *testing.T) {
	r := newReader(&tracepoint{tracker: newTracker(true)})
	r.tracker.add(connectAt(1_000_000, 5, 77))
	r.tracker.add(endAt(2_000_000, 77, one()))
	read := readingOf(5, "curl", 1_500_000, 10_000_000)
	r.tracker.order.held[0].read = read
	for _, test := range []struct{ began, known int64 }{
		{9_000_000, 1_000_000 - 1},
		{read.sure() + holdBack.Nanoseconds(), read.sure()},
	} {
		r.settle(test.began)
		if known := r.known.Load(); known != test.known {
			t.Errorf("read at %d: all is known until %d, want %d", test.began, known, test.known)
		}
	}
}
