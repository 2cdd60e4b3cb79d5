package attribution

import (
	"os"
	"slices"
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

// Events that a ring had no room for are missing, whether it was nearly full when it was
// read, or only while it was.
func TestReaderMissesEvents(t *testing.T) {
	sample := recordOf(perfRecordSample, sampleOf(7, 8, 2_000_000, make([]byte, 8)))
	for _, test := range []struct {
		name          string
		records       []byte
		size          int
		misses        bool
		losses, since uint64
	}{
		{"room", sample, len(sample) + maxEvent, false, 0, 0},
		{"nearly full", sample, len(sample) + maxEvent - 1, true, 0, 2_000_000},
		{"lost", slices.Concat(sample, recordOf(perfRecordLost, lossOf(5)), sample), minRing, true, 5, 1_000_001},
		{"lost, and nearly full by then", slices.Concat(sample, recordOf(perfRecordLost, lossOf(5))), len(sample), true, 5, 1_000_001},
		{"cut off", sample[:len(sample)-1], minRing, true, 0, 1_000_001},
	} {
		r := newReader(&tracepoint{tracker: newTracker(true), decode: &decoder{}})
		r.tracker.advance(1_000_000)
		r.drain(test.records, test.size)
		held := r.tracker.order.held
		if misses := len(held) == 1 && held[0].kind == blindEvent; misses != test.misses || r.impaired() != misses {
			t.Errorf("%s: it misses events: %v", test.name, misses)
		}
		if misses := len(held) == 1; misses && held[0].at != int64(test.since) || r.losses.Load() != test.losses {
			t.Errorf("%s: %d, %+v", test.name, r.losses.Load(), held)
		}
	}
}
