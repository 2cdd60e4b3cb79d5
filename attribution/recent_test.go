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

// What is found after a tuple was seen again is another connection's.
func TestRecentFollowed(t *testing.T) {
	r, one := newRecent(), tuple("10.0.0.1:1", "10.0.0.2:80")
	for _, after := range []time.Duration{0, samePacket, time.Second} {
		r.remember(sighting{one, noon().Add(after), answered(Answer{})})
	}
	for _, test := range []struct {
		tuple     Tuple
		at, until time.Duration
		want      bool
	}{
		{one, 0, time.Second + 1, true},
		{one, 0, time.Second, false},         // found before it came
		{one, time.Second, time.Hour, false}, // the last
		{one, 0, time.Millisecond, false},    // the same packet
		{tuple("10.0.0.1:2", "10.0.0.2:80"), 0, time.Hour, false},
	} {
		if got := r.followed(test.tuple, noon().Add(test.at), noon().Add(test.until)); got != test.want {
			t.Errorf("%v at %v until %v: %v", test.tuple, test.at, test.until, got)
		}
	}
}

// answered returns a Pending whose answer is there.
func answered(a Answer) *Pending {
	p := &Pending{done: make(chan struct{})}
	p.settle(a)
	return p
}
