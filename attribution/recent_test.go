package attribution

import (
	"fmt"
	"testing"
	"time"
)

func TestRecentForgets(t *testing.T) {
	r := newRecent()
	remote := "10.0.0.2:80"
	at := func(i int) time.Time { return noon().Add(time.Duration(i) * time.Second) }
	port := func(i int) Tuple { return tuple(fmt.Sprintf("10.0.0.1:%d", 1+i%100), remote) }
	const seen = 3 * maxRecent
	for i := range seen {
		r.remember(sighting{port(i), at(i), answered(Answer{Process: &Process{PID: i}})})
	}
	for i := range seen {
		p := r.find(port(i), at(i))
		if remembered := i >= seen-maxRecent; (p != nil) != remembered {
			t.Fatalf("sighting %d of %d remembered: %v", i, seen, p != nil)
		}
		if p != nil && p.Answer().Process.PID != i {
			t.Fatalf("sighting %d gets the answer of %d", i, p.Answer().Process.PID)
		}
	}
	if len(r.byTuple) != 100 || len(r.ring) != maxRecent {
		t.Errorf("%d tuples, %d sightings", len(r.byTuple), len(r.ring))
	}
}

func TestRecentForgetsTuples(t *testing.T) {
	r := newRecent()
	for i := range 2 * maxRecent {
		r.remember(sighting{tuple(fmt.Sprintf("10.0.0.1:%d", 1+i), "10.0.0.2:80"), noon(), answered(Answer{})})
	}
	if len(r.byTuple) != maxRecent {
		t.Errorf("%d tuples are remembered, want %d", len(r.byTuple), maxRecent)
	}
}
