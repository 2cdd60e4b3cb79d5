package attribution

import "testing"

// Whoever wants to be told of a process is, whether it is known already or not, once,
// and never holds the answer up.
func TestPendingTells(t *testing.T) {
	process := &Process{PID: 7}
	for _, test := range []struct {
		name    string
		before  bool // the answer is there first
		process *Process
		room    int
		want    int
	}{
		{"before", true, process, 1, 1},
		{"later", false, process, 1, 1},
		{"before, without room", true, process, 0, 0},
		{"later, without room", false, process, 0, 0},
		{"before, without process", true, nil, 1, 0},
		{"later, without process", false, nil, 1, 0},
	} {
		p := &Pending{done: make(chan struct{})}
		told := make(chan *Pending, test.room)
		if test.before {
			p.settle(Answer{Status: NotFound, Process: test.process})
		}
		p.Tell(told)
		if first := p.settle(Answer{Status: NotFound, Process: test.process}); first == test.before {
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
