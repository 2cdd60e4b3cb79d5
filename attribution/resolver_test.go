package attribution

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// fakeWay answers what it is told to.
type fakeWay struct {
	name   Method
	answer func() Answer
	closed chan struct{}
}

func newFakeWay(name Method, answer func() Answer) *fakeWay {
	return &fakeWay{name, answer, make(chan struct{})}
}

func (w *fakeWay) method() Method { return w.name }
func (w *fakeWay) close() error   { close(w.closed); return nil }

func (w *fakeWay) find(queries []query) (answers []Answer) {
	for range queries {
		answers = append(answers, w.answer())
	}
	return answers
}

func unknown() Answer  { return Answer{} }
func found() Answer    { return Answer{Status: Resolved, Process: &Process{PID: 7}} }
func notFound() Answer { return Answer{Status: NotFound} }

func noon() time.Time        { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }
func wait(p *Pending) Answer { <-p.Done(); return p.Answer() }

// atNoon has what was seen at noon be of now.
func atNoon(r *resolver) *resolver {
	r.now = noon
	return r
}

func (w *fakeWay) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}

func TestWaysInOrder(t *testing.T) {
	for _, test := range []struct {
		name          string
		first, second func() Answer
		status        Status
		method        Method
	}{
		{"the first knows", found, unknown, Resolved, SockDiag},
		{"the second knows", unknown, found, Resolved, Proc},
		{"the first settles it", notFound, found, NotFound, ""},
		{"none knows", unknown, unknown, NotFound, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			first, second := newFakeWay(SockDiag, test.first), newFakeWay(Proc, test.second)
			r := atNoon(newResolver([]way{first, second}, []string{"a limit"}))
			a := wait(r.Seen(tuple("10.0.0.1:1", "10.0.0.2:80"), noon()))
			if a.Status != test.status || a.Method != test.method {
				t.Errorf("%s by %q, want %s by %q", a.Status, a.Method, test.status, test.method)
			}
			if !slices.Equal(r.Methods(), []Method{SockDiag, Proc}) || !slices.Equal(r.Limits(), []string{"a limit"}) {
				t.Errorf("methods %v, limits %v", r.Methods(), r.Limits())
			}
			if err := errors.Join(r.Close(), r.Close()); err != nil || !first.isClosed() || !second.isClosed() {
				t.Errorf("close: %v, %v, %v", err, first.isClosed(), second.isClosed())
			}
		})
	}
}

func TestSeenAgain(t *testing.T) {
	r := atNoon(newResolver([]way{newFakeWay(Proc, found)}, nil))
	defer r.Close()
	one := tuple("10.0.0.1:1", "10.0.0.2:80")
	p := r.Seen(one, noon())
	for _, test := range []struct {
		name  string
		tuple Tuple
		at    time.Time
		same  bool
	}{
		{"the same packet", one, noon(), true},
		{"with an earlier stamp", one, noon().Add(-samePacket), true},
		{"mapped", tuple("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:80"), noon(), true},
		{"another port", tuple("10.0.0.1:2", "10.0.0.2:80"), noon(), false},
		{"the same tuple later", one, noon().Add(samePacket + 1), false},
	} {
		if same := r.Seen(test.tuple, test.at) == p; same != test.same {
			t.Errorf("%s: the same answer: %v", test.name, same)
		}
	}
	if r.SeenOpen(one, noon()) != p {
		t.Error("a connection that is seen open after its opening is another one")
	}
}

// A tuple comes back before it is looked for: what is found then is the later
// connection's.
func TestSeenAgainBeforeItIsFound(t *testing.T) {
	inOwnTime(t, "two connections", func(t *testing.T) {
		first := time.Now()
		release := make(chan struct{})
		r := newResolver([]way{newFakeWay(SockDiag, func() Answer {
			<-release
			a := found()
			a.looked = first.Add(20 * time.Millisecond)
			return a
		})}, nil)
		one := tuple("10.0.0.1:1", "10.0.0.2:80")
		old, young := r.Seen(one, first), r.Seen(one, first.Add(10*time.Millisecond))
		close(release)
		if a := wait(old); a.Status != NotFound || a.Process != nil {
			t.Errorf("the first: %s %d", a.Status, pidOf(a.Process))
		}
		if a := wait(young); a.Status != Resolved {
			t.Errorf("the second: %s", a.Status)
		}
		r.Close()
	})
}

// What was seen long before it is looked for is told by who knew of it then alone: its
// tuple may be another's by now, whose start was not captured.
func TestLookBack(t *testing.T) {
	for ago, want := range map[time.Duration]Status{lookBack: Resolved, lookBack + 1: NotFound, -time.Hour: Resolved} {
		r := atNoon(newResolver([]way{newFakeWay(SockDiag, found)}, nil))
		for i, see := range []func(Tuple, time.Time) *Pending{r.Seen, r.SeenOpen} {
			client := fmt.Sprintf("10.0.0.1:%d", 1+i)
			if a := wait(see(tuple(client, "10.0.0.2:80"), noon().Add(-ago))); a.Status != want {
				t.Errorf("%v ago: %s", ago, a.Status)
			}
		}
		r.Close()
	}
}

func TestUnavailable(t *testing.T) {
	r := newResolver(nil, nil)
	if a := wait(r.Seen(Tuple{}, noon())); a.Status != Unavailable {
		t.Errorf("%s", a.Status)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if n := r.Stats().Answers[Unavailable]; n != 1 {
		t.Errorf("%d unavailable", n)
	}
}

func TestSeenAfterClose(t *testing.T) {
	r := atNoon(newResolver([]way{newFakeWay(Proc, found)}, nil))
	r.Close()
	if a := wait(r.Seen(Tuple{}, noon())); a.Status != NotFound {
		t.Errorf("%s", a.Status)
	}
}

// What is waiting at Close still gets its answer.
func TestCloseAnswersAll(t *testing.T) {
	r := atNoon(newResolver([]way{newFakeWay(Proc, found)}, nil))
	var all []*Pending
	for i := range queueLength / 2 {
		all = append(all, r.Seen(Tuple{}, noon().Add(time.Duration(i)*time.Second)))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		select {
		case <-p.Done():
		default:
			t.Fatal("no answer after Close")
		}
	}
}

// A way that does not come back holds up neither Seen nor the answers, and what
// it finds at last is too late.
func TestStuckWay(t *testing.T) {
	release := make(chan struct{})
	r := atNoon(newResolver([]way{newFakeWay(Proc, func() Answer {
		<-release
		return found()
	})}, nil))
	const most = (workers + 1) * (queueLength + 1) // as many as can wait, and more
	var all []*Pending
	for i := range most {
		all = append(all, r.Seen(Tuple{}, noon().Add(time.Duration(i)*time.Second)))
	}
	for _, p := range all {
		if a := wait(p); a.Status != NotFound {
			t.Errorf("%s", a.Status)
		}
	}
	s := r.Stats()
	if s.Answers[NotFound] != most || s.QueueFull == 0 || s.QueueFull+s.OutOfTime != most {
		t.Errorf("%+v", s)
	}
	if err := r.Close(); err == nil {
		t.Error("a resolver with a stuck worker closes as if nothing were")
	}
	close(release)
	<-r.done
	if s := r.Stats(); s.Answers[Resolved] != 0 {
		t.Errorf("answers were counted twice: %+v", s)
	}
}

func TestSeenConcurrently(t *testing.T) {
	r := atNoon(newResolver([]way{newFakeWay(Proc, found)}, nil))
	const callers, connections = 8, 16
	var all [callers][connections]*Pending
	var calling sync.WaitGroup
	for c := range callers {
		calling.Go(func() {
			for i := range connections {
				all[c][i] = r.Seen(Tuple{}, noon().Add(time.Duration(i)*time.Second))
			}
		})
	}
	calling.Wait()
	for _, answers := range all {
		if answers != all[0] {
			t.Error("one connection, several answers")
		}
	}
	r.Close()
	if n := r.Stats().Answers[Resolved]; n != connections {
		t.Errorf("%d connections resolved, want %d", n, connections)
	}
}

func TestOffline(t *testing.T) {
	r := NewOffline()
	for _, p := range []*Pending{r.Seen(Tuple{}, noon()), r.SeenOpen(Tuple{}, noon())} {
		if !p.HasAnswer() || p.Answer().Status != Offline {
			t.Errorf("%s", p.Answer().Status)
		}
	}
	if r.Methods() != nil || r.Limits() != nil || r.Stats().Answers != nil || r.Close() != nil {
		t.Error("an offline resolver has methods, limits, stats or errors")
	}
}
