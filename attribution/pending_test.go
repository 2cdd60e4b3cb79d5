package attribution

import "testing"

// Whoever wants to be told of an answer is, whether it is there already or not, once,
// and never holds it up.
func TestPendingTells(t *testing.T) {
	for _, test := range []struct {
		name   string
		before bool // the answer is there first
		room   int
		want   int
	}{
		{"before", true, 1, 1},
		{"later", false, 1, 1},
		{"before, without room", true, 0, 0},
		{"later, without room", false, 0, 0},
	} {
		p := &Pending{done: make(chan struct{})}
		told := make(chan *Pending, test.room)
		if test.before {
			p.settle(Answer{Status: NotFound})
		}
		p.Tell(told)
		if first := p.settle(Answer{Status: NotFound}); first == test.before {
			t.Errorf("%s: first is %v", test.name, first)
		}
		if p.settle(Answer{Status: Resolved}) || p.Answer().Status != NotFound {
			t.Errorf("%s: the answer is %s", test.name, p.Answer().Status)
		}
		if len(told) != test.want || test.want > 0 && <-told != p {
			t.Errorf("%s: it is told %d times", test.name, len(told))
		}
	}
}
