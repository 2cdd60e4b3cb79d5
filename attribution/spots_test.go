package attribution

import "testing"

func TestSpots(t *testing.T) {
	var s spots
	if at, ok := s.take(7); ok {
		t.Errorf("%+v", at)
	}
	s.put(7, spot{100, 3})
	s.put(7, spot{101, 4})
	if at, ok := s.take(7); !ok || at != (spot{101, 4}) {
		t.Errorf("%+v, %v", at, ok)
	}
	if at, ok := s.take(7); ok {
		t.Errorf("twice: %+v", at)
	}
}

func TestSpotsAreBounded(t *testing.T) {
	var s spots
	for i := range uint64(3 * maxSpots) {
		s.put(i, spot{1, 3})
	}
	if len(s.byInode) > maxSpots {
		t.Errorf("%d", len(s.byInode))
	}
	if _, ok := s.take(3*maxSpots - 1); !ok {
		t.Error("the latest is not known")
	}
}
