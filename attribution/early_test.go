package attribution

import (
	"slices"
	"testing"
)

// at has a handshake begin then.
func at(began int64, h *handshake) *handshake {
	h.began = began
	return h
}

// Many are seen before it is read that they were made. Of those that there is no room for
// it is not known, and that is counted: they are not missing. Of later ones it is.
func TestEarlyIsBounded(t *testing.T) {
	const beyond = 5
	c := testClaims()
	for i := range maxEarly + beyond {
		began := int64(i)
		c.claim(tuple("10.0.0.1:1000", service1), began+1, func(h *handshake) bool { return h.began == began })
	}
	for i := range maxEarly + beyond {
		if c.await(at(int64(i), made(i, service1)), noon()) {
			t.Fatalf("%d waits", i)
		}
	}
	if c.lost != beyond || len(c.early.seen) != 0 {
		t.Errorf("%d lost, %d remembered", c.lost, len(c.early.seen))
	}
	if !c.await(at(maxEarly+beyond, made(1, service1)), noon()) || c.lost != beyond {
		t.Errorf("one that was not seen does not wait; %d lost", c.lost)
	}
}

// Those whose handshakes were read make room for others without anything being lost.
func TestEarlyMakesRoom(t *testing.T) {
	c := testClaims()
	for i := range 3 * maxEarly {
		began := int64(i)
		c.claim(tuple("10.0.0.1:1000", service1), began+1, func(h *handshake) bool { return h.began == began })
		if c.await(at(began, made(i, service1)), noon()) || c.lost > 0 {
			t.Fatalf("%d: %d lost", i, c.lost)
		}
	}
	if len(c.early.ring) != maxEarly || c.early.forgotten != 0 {
		t.Errorf("%d in the ring, forgotten up to %d", len(c.early.ring), c.early.forgotten)
	}
}

// Connections elsewhere are not remembered.
func TestEarlyIsOfServices(t *testing.T) {
	c := testClaims()
	c.claim(tuple("10.0.0.1:1000", "203.0.113.7:80"), 1, func(*handshake) bool { return true })
	if len(c.early.ring) != 0 {
		t.Errorf("%d are remembered", len(c.early.ring))
	}
}

// What was seen where its process was not is taken for the one that no other handshake is
// of: each connection that was seen is one.
func TestEarlyElsewhere(t *testing.T) {
	for _, test := range []struct {
		name    string
		seen    int64 // when a connection of the tuple was
		meant   int   // whose handshake it is going by the process, 0 for nobody's
		missing []int
	}{
		{"seen elsewhere", 50, 0, []int{2}},
		{"seen there", 50, 1, []int{2}},
		{"another's was seen", 50, 2, []int{1}},
		{"before", 50 - 3*clockSlack, 0, []int{1, 2}},
		{"after", 100 + 3*clockSlack, 0, []int{1, 2}},
	} {
		c := testClaims()
		c.claim(tuple("10.0.0.1:1000", service1), test.seen, func(h *handshake) bool { return h.pid == test.meant })
		for pid := 1; pid <= 2; pid++ { // in as many network namespaces
			h := made(pid, service1)
			h.end = 100
			c.await(h, noon())
		}
		if missing := pids(c.take(100)); !slices.Equal(missing, test.missing) {
			t.Errorf("%s: missing are %v, want %v", test.name, missing, test.missing)
		}
	}
}
