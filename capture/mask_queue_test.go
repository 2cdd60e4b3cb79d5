package capture

import "testing"

// Of a long queue not all is moved up for each packet that is saved: where thousands wait for
// their second to be over, that takes 40 times as long as all else.
func TestMaskQueueTakes(t *testing.T) {
	for _, test := range []struct {
		name          string
		waiting, take int
		moved         bool
	}{
		{"one of many", 1000, 1, false},
		{"nearly half", 1000, 499, false},
		{"most", 1000, 600, true},
		{"all", 3, 3, true},
		{"the only one", 1, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &masker{queue: make([]masking, test.waiting)}
			for i := range m.queue {
				m.queue[i].seq = uint32(1 + i)
			}
			whole := m.queue
			m.take(test.take)
			if len(m.queue) != test.waiting-test.take {
				t.Fatalf("%d wait", len(m.queue))
			}
			for i := range m.queue {
				if m.queue[i].seq != uint32(1+test.take+i) {
					t.Fatalf("packet %d is in place %d", m.queue[i].seq, i)
				}
			}
			if moved := &m.queue[:1][0] == &whole[0]; moved != test.moved {
				t.Errorf("moved up: %v", moved)
			}
			if gone := whole[0].seq; !test.moved && gone != 0 || test.moved && whole[test.waiting-1].seq != 0 {
				t.Error("what was taken is kept")
			}
		})
	}
}
