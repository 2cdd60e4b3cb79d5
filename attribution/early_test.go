package attribution

import "testing"

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
