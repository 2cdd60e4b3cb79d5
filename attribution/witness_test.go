package attribution

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// fakeWitness knows what it is told to.
type fakeWitness struct {
	known      *Answer // nil if it does not know
	blind      bool
	forgot     chan struct{}
	unexpected bool   // it will not know
	name       Method // Tracepoint if empty
	// tells is when it knows, zero if at once, and reads when it has read all, zero if
	// always.
	tells, reads time.Time
	// answers is when what it knows arrives after that.
	answers time.Duration
	asked   int // how often what it knows, since it was closed if it is
}

func (w *fakeWitness) method() Method          { return cmp.Or(w.name, Tracepoint) }
func (w *fakeWitness) expects(*query) bool     { return !w.unexpected }
func (w *fakeWitness) impaired() bool          { return w.blind }
func (w *fakeWitness) failed() <-chan struct{} { return nil }

func (w *fakeWitness) knownUntil() time.Time {
	w.asked++
	if time.Now().Before(w.reads) {
		return time.Time{}
	}
	return noon().Add(24 * time.Hour)
}

func (w *fakeWitness) lost() uint64    { return 3 }
func (w *fakeWitness) close() error    { w.asked = 0; return errors.New("closed") }
func (w *fakeWitness) runFirst() error { return nil }

func (w *fakeWitness) watch(_ query, known func(Answer)) func() bool {
	if w.known != nil {
		time.AfterFunc(time.Until(w.tells)+w.answers, func() { known(*w.known) })
	}
	return func() bool {
		select {
		case w.forgot <- struct{}{}:
		default: // that is known
		}
		return w.known == nil || time.Now().Before(w.tells)
	}
}

func exact() *Answer {
	return &Answer{Status: Resolved, Method: Tracepoint, Process: &Process{PID: 9}}
}

func TestWitnessComesFirst(t *testing.T) {
	for _, test := range []struct {
		name   string
		known  *Answer
		blind  bool
		other  func() Answer
		open   bool
		method Method
		pid    int
	}{
		{"it knows", exact(), false, found, false, Tracepoint, 9},
		{"it knows, although it missed something", exact(), true, unknown, false, Tracepoint, 9},
		{"it does not know", nil, false, found, false, SockDiag, 7},
		{"it missed something", nil, true, found, false, SockDiag, 7},
		{"nobody knows", nil, false, unknown, false, "", 0},
		{"opened before", exact(), false, found, true, SockDiag, 7},
	} {
		inOwnTime(t, test.name, func(t *testing.T) {
			w := &fakeWitness{known: test.known, blind: test.blind, forgot: make(chan struct{}, 1)}
			r := atNoon(newExactResolver(w, []way{newFakeWay(SockDiag, test.other)}, nil))
			seen := r.Seen
			if test.open {
				seen = r.SeenOpen
			}
			a := wait(seen(tuple("10.0.0.1:1", "10.0.0.2:80"), noon()))
			if a.Method != test.method || pidOf(a.Process) != test.pid {
				t.Errorf("%s by %s: %d", a.Status, a.Method, pidOf(a.Process))
			}
			if !test.open {
				<-w.forgot
			}
			if err := r.Close(); err == nil {
				t.Error("the witness is not closed")
			}
			if s := r.Stats(); s.EventsLost != 3 || s.OutOfTime != 0 || s.Answers[a.Status] != 1 {
				t.Errorf("%+v", s)
			}
			if len(r.fallbacks) != 0 {
				t.Error("an answer is kept that nobody waits for")
			}
		})
	}
}

// Where the witness will not know, nobody waits for it.
func TestWitnessDoesNotExpect(t *testing.T) {
	inOwnTime(t, "the other way is asked at once", func(t *testing.T) {
		w := &fakeWitness{known: exact(), unexpected: true}
		r := atNoon(newExactResolver(w, []way{newFakeWay(SockDiag, found)}, nil))
		start := time.Now()
		a := wait(r.Seen(Tuple{}, noon()))
		if a.Method != SockDiag || pidOf(a.Process) != 7 || time.Since(start) != 0 {
			t.Errorf("%s by %s after %v", a.Status, a.Method, time.Since(start))
		}
		r.Close()
	})
}

// A witness that has not come to read what the kernel told is waited for, and what the
// others found as long, but not for ever.
func TestWitnessIsLate(t *testing.T) {
	for _, test := range []struct {
		name         string
		known        *Answer
		tells, reads time.Duration
		answers      time.Duration
		other        func() Answer
		method       Method
		takes        time.Duration
	}{
		{"it knows when it has read", exact(), 699 * time.Millisecond, 700 * time.Millisecond, 0, found, Tracepoint, 699 * time.Millisecond},
		{"it has read all, and does not know", nil, 0, 500 * time.Millisecond, 0, found, SockDiag, 500 * time.Millisecond},
		{"it has read all at once", nil, 0, 0, 0, unknown, "", AnswerWithin},
		{"it never reads", nil, 0, time.Hour, 0, found, SockDiag, AnswerAtMost},
		{"it never reads, and nobody knows", nil, 0, time.Hour, 0, unknown, "", AnswerAtMost},
		{"what it knows is on its way", exact(), 0, 0, 300 * time.Millisecond, unknown, Tracepoint, 300 * time.Millisecond},
		{"what it has read late is on its way", exact(), 400 * time.Millisecond, 400 * time.Millisecond, 100 * time.Millisecond, unknown, Tracepoint, 500 * time.Millisecond},
		{"what it knows never comes", exact(), 0, 0, time.Hour, found, SockDiag, AnswerAtMost},
	} {
		inOwnTime(t, test.name, func(t *testing.T) {
			began := time.Now()
			w := &fakeWitness{known: test.known, tells: began.Add(test.tells), reads: began.Add(test.reads), answers: test.answers, forgot: make(chan struct{}, 1)}
			r := atNoon(newExactResolver(w, []way{newFakeWay(SockDiag, test.other)}, nil))
			a := wait(r.Seen(tuple("10.0.0.1:1", "10.0.0.2:80"), noon()))
			if took := time.Since(began); a.Method != test.method || took < test.takes || took > test.takes+lookAgain {
				t.Errorf("%s by %s after %v", a.Status, a.Method, took)
			}
			<-w.forgot
			r.Close()
			if s := r.Stats(); s.Answers[a.Status] != 1 || len(r.fallbacks) != 0 {
				t.Errorf("%+v, %d fallbacks", s, len(r.fallbacks))
			}
		})
	}
}

// What the ways found is not told where a later connection with the tuple is read
// meanwhile, as after a stall: it is that one's.
func TestFallbackIsDoubtedAtItsEnd(t *testing.T) {
	inOwnTime(t, "two connections", func(t *testing.T) {
		r := atNoon(newExactResolver(&fakeWitness{forgot: make(chan struct{}, 2)}, []way{newFakeWay(SockDiag, func() Answer {
			a := found()
			a.looked = noon().Add(time.Second)
			return a
		})}, nil))
		one := tuple("10.0.0.1:1", "10.0.0.2:80")
		first := r.Seen(one, noon())
		time.Sleep(2 * headStart) // it is found
		second := r.Seen(one, noon().Add(time.Millisecond))
		if a := wait(first); a.Status != NotFound || a.Process != nil {
			t.Errorf("the first: %s %d", a.Status, pidOf(a.Process))
		}
		if a := wait(second); a.Status != Resolved || pidOf(a.Process) != 7 {
			t.Errorf("the second: %s %d", a.Status, pidOf(a.Process))
		}
		r.Close()
	})
}

// A later connection that so many came after that it may be forgotten is no less one.
func TestFallbackIsForgotten(t *testing.T) {
	inOwnTime(t, "connections", func(t *testing.T) {
		r := atNoon(newExactResolver(&fakeWitness{forgot: make(chan struct{}, maxRecent+1)}, []way{newFakeWay(SockDiag, found)}, nil))
		first := r.Seen(tuple("10.0.0.1:1", "10.0.0.2:80"), noon())
		time.Sleep(2 * headStart)
		for i := range maxRecent {
			r.Seen(tuple("10.0.0.3:1", "10.0.0.2:80"), noon().Add(time.Duration(i)*time.Second))
		}
		if a := wait(first); a.Status != NotFound {
			t.Errorf("%s %d", a.Status, pidOf(a.Process))
		}
		r.Close()
	})
}

// However many wait for it, it is asked once each time.
func TestWitnessIsAskedForAll(t *testing.T) {
	inOwnTime(t, "3,000 answers", func(t *testing.T) {
		w := &fakeWitness{reads: time.Now().Add(time.Hour), forgot: make(chan struct{}, 3000)}
		r := atNoon(newExactResolver(w, nil, nil))
		var all []*Pending
		for i := range 3000 {
			all = append(all, r.Seen(Tuple{}, noon().Add(time.Duration(i)*time.Second)))
		}
		for _, p := range all {
			if a := wait(p); a.Status != NotFound {
				t.Fatalf("%s", a.Status)
			}
		}
		if most := int((AnswerAtMost-AnswerWithin)/lookAgain) + 1; w.asked > most {
			t.Errorf("it is asked %d times, and %d would do", w.asked, most)
		}
		if s := r.Stats(); s.Answers[NotFound] != 3000 || len(r.late) != 0 {
			t.Errorf("%+v, and %d wait", s, len(r.late))
		}
		r.Close()
	})
}

// What it knows is asked of no witness that is closed: it may have the descriptors of others.
func TestWitnessIsNotAskedOnceClosed(t *testing.T) {
	inOwnTime(t, "it tells between two looks", func(t *testing.T) {
		began := time.Now()
		w := &fakeWitness{known: exact(), tells: began.Add(AnswerWithin + lookAgain/2), reads: began.Add(time.Hour), forgot: make(chan struct{}, 1)}
		r := atNoon(newExactResolver(w, nil, nil))
		r.Seen(Tuple{}, noon())
		r.Close()
		if took := time.Since(began); took != AnswerWithin+lookAgain/2 {
			t.Errorf("closed after %v", took)
		}
		time.Sleep(AnswerAtMost) // no more than the clock
		synctest.Wait()
		if w.asked != 0 {
			t.Errorf("it is asked %d times", w.asked)
		}
	})
}

// A witness can be the first part of a way.
func TestMethodsOnce(t *testing.T) {
	w := &fakeWitness{name: SockDiag}
	r := atNoon(newExactResolver(w, []way{newFakeWay(SockDiag, found), newFakeWay(Proc, found)}, nil))
	if m := r.Methods(); !slices.Equal(m, []Method{SockDiag, Proc}) {
		t.Errorf("%v", m)
	}
	r.Close()
}

func TestWitnessAlone(t *testing.T) {
	w := &fakeWitness{forgot: make(chan struct{}, 1)}
	r := atNoon(newExactResolver(w, nil, nil))
	if m := r.Methods(); !slices.Equal(m, []Method{Tracepoint}) {
		t.Errorf("%v", m)
	}
	if a := wait(r.Seen(Tuple{}, noon())); a.Status != NotFound {
		t.Errorf("%s", a.Status)
	}
}

// inOwnTime runs a test whose clock stands still while anything has something
// to do, so that a busy machine cannot use up the time for an answer.
func inOwnTime(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// Close waits for what the witness may still say.
func TestWitnessIsWaitedForAtClose(t *testing.T) {
	inOwnTime(t, "64 answers", waitedForAtClose)
}

func waitedForAtClose(t *testing.T) {
	w := &fakeWitness{forgot: make(chan struct{}, 64)}
	r := atNoon(newExactResolver(w, []way{newFakeWay(SockDiag, found)}, nil))
	var all []*Pending
	for i := range 64 {
		all = append(all, r.Seen(Tuple{}, noon().Add(time.Duration(i)*time.Second)))
	}
	r.Close()
	for _, p := range all {
		if !p.HasAnswer() || p.Answer().Status != Resolved {
			t.Fatal("no answer after Close")
		}
	}
}
