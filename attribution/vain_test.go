package attribution

import (
	"testing"
	"time"
)

func TestVain(t *testing.T) {
	var v vain
	v.add([]uint64{7, 8}, noon())
	for _, test := range []struct {
		inode uint64
		after int // s
		want  bool
	}{{7, 0, true}, {8, 9, true}, {7, 10, false}, {9, 0, false}, {0, 0, false}} {
		if got := v.has(test.inode, noon().Add(time.Duration(test.after)*time.Second)); got != test.want {
			t.Errorf("socket %d after %d s: %v", test.inode, test.after, got)
		}
	}
}

// It never grows beyond its bound: what is over goes first.
func TestVainIsBounded(t *testing.T) {
	var v vain
	v.add([]uint64{1}, noon().Add(-vainFor))
	for i := range uint64(maxVain) {
		v.add([]uint64{100 + i}, noon())
	}
	if len(v.until) > maxVain || v.has(1, noon()) || !v.has(100, noon()) {
		t.Errorf("%d sockets", len(v.until))
	}
	v.add([]uint64{5000}, noon())
	if len(v.until) > maxVain || !v.has(5000, noon()) {
		t.Errorf("%d sockets", len(v.until))
	}
}
