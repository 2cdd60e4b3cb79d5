package attribution

import (
	"slices"
	"testing"
	"time"
)

func forked(at int64, parent, child int) traceEvent {
	return traceEvent{kind: forkEvent, at: at, pid: parent, child: child}
}

func execed(at int64, pid int) traceEvent { return traceEvent{kind: execEvent, at: at, pid: pid} }
func exited(at int64, pid int) traceEvent { return traceEvent{kind: exitEvent, at: at, pid: pid} }

func youngAfter(events ...traceEvent) *young {
	y := &young{from: 1}
	for _, e := range events {
		y.take(e)
	}
	return y
}

func TestYoungest(t *testing.T) {
	y := youngAfter(forked(10, 1, 100), forked(20, 100, 101), forked(30, 100, 102), exited(40, 101), execed(45, 77), forked(50, 1, 103))
	for _, test := range []struct {
		at   int64
		want []int
		all  bool
	}{
		{10, []int{103, 102, 100}, true},
		{30, []int{103, 102}, true},
		{51, nil, true},
		{0, []int{103, 102, 100}, false}, // who was forked before the first event is not known
	} {
		if pids, all := y.after(test.at); !slices.Equal(pids, test.want) || all != test.all {
			t.Errorf("after %d: %v, %v, want %v, %v", test.at, pids, all, test.want, test.all)
		}
	}
	if got := y.children(100); !slices.Equal(got, []int{102}) {
		t.Errorf("children %v", got)
	}
}

// A pid that is given out again is another process.
func TestYoungPIDAgain(t *testing.T) {
	y := youngAfter(forked(10, 1, 100), execed(20, 100), forked(30, 2, 100))
	p := y.find(100)
	if p == nil || p.parent != 2 || p.since != 30 || p.exec != 0 || len(y.list) != 1 {
		t.Errorf("%+v of %v", p, y.list)
	}
}

// What they run is learnt after each execve(2) again; until then they run what
// their parent runs.
func TestYoungLearnt(t *testing.T) {
	y := youngAfter(forked(10, 1, 100))
	if !y.find(100).learnt {
		t.Error("a child runs what its parent runs")
	}
	y.take(execed(20, 100))
	if p := y.find(100); p.learnt || p.exec != 20 {
		t.Errorf("%+v", p)
	}
	y.learn(execed(20, 100), 3)
	y.learn(execed(20, 4711), 3)
	y.learn(execed(19, 100), 5) // of the program before
	if p := y.find(100); !p.learnt || p.free != 3 {
		t.Errorf("not learnt: %+v", p)
	}
	y.take(execed(30, 100))
	if p := y.find(100); p.learnt || p.free != 0 {
		t.Errorf("another program passes for known: %+v", p)
	}
}

// More than fit are forgotten, the eldest first, and so is who may have come and
// gone unseen.
func TestYoungForget(t *testing.T) {
	y := youngAfter()
	for i := range maxYoung + 10 {
		y.take(forked(int64(100+i), 1, 1000+i))
	}
	if len(y.list) != maxYoung || y.find(1009) != nil || y.find(1010) == nil {
		t.Errorf("%d are known, the eldest is %+v", len(y.list), y.list[0])
	}
	if _, all := y.after(109); all {
		t.Error("one that was forgotten passes for known")
	}
	if _, all := y.after(110); !all {
		t.Error("all are known since the last that was forgotten")
	}
	y.take(traceEvent{kind: blindEvent, at: 200, until: 300})
	if _, all := y.after(250); all || len(y.list) != 0 {
		t.Errorf("after a gap %d are known", len(y.list))
	}
	if _, all := y.after(300); !all {
		t.Error("after the gap all are known")
	}
}

func TestCandidates(t *testing.T) {
	const ms = int64(time.Millisecond)
	y := youngAfter(
		forked(1*ms, 1, 1), execed(2*ms, 1), // long ago
		forked(3*ms, 1, 2), // the same without another program
		forked(900*ms, 1, 3), execed(950*ms, 3),
		forked(910*ms, 1, 4), execed(940*ms, 4),
		forked(920*ms, 1, 5),                    // is still what it was
		forked(930*ms, 1, 6), execed(990*ms, 6), // has called
		forked(935*ms, 1, 7), execed(970*ms, 7), forked(975*ms, 7, 8), // the latter is the former's child
	)
	y.call(6)
	y.call(4711)
	if got, want := y.candidates(1000*ms), []int{3, 4, 5, 8, 6, 7, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
