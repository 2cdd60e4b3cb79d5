package attribution

import (
	"testing"
	"time"
)

func TestSharedFacts(t *testing.T) {
	facts := func(pid int, args ...string) *Process { return &Process{PID: pid, Args: args} }
	var s sharedFacts
	first := s.of(facts(1, "a"))
	if s.of(facts(1, "a")) != first {
		t.Error("the same facts are kept twice")
	}
	again := facts(1, "a")
	again.Start = first.Start.Add(time.Microsecond)
	if s.of(again) != first {
		t.Error("a start read anew is another")
	}
	if again.Start = first.Start.Add(10 * time.Millisecond); s.of(again) != again {
		t.Error("another process with the pid is the same")
	}
	if other := s.of(facts(1, "b")); other == first || other.Args[0] != "b" {
		t.Errorf("other facts of the pid are given as %+v", other)
	}
	if s.of(nil) != nil {
		t.Error("facts of nobody")
	}
	for pid := range 10 * maxSharedFacts {
		if got := s.of(facts(pid, "c")); got.PID != pid {
			t.Fatalf("facts of %d are given as %+v", pid, got)
		}
	}
	if len(s.byPID) > maxSharedFacts {
		t.Errorf("%d processes are kept", len(s.byPID))
	}
}
