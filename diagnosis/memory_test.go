package diagnosis

import (
	"fmt"
	"testing"
)

func keyed(n int) key { return key{SameProcess, uint64(n)} }

func TestMemoryForgetsWhatWasNotAskedFor(t *testing.T) {
	var m memory
	if !m.empty() || m.at(keyed(0)) != nil {
		t.Error("a new memory is not empty")
	}
	for n := range maxRemembered {
		m.make(keyed(n))
	}
	first := m.at(keyed(0))
	m.make(keyed(maxRemembered))
	if len(m.places) != maxRemembered || m.order.Len() != maxRemembered {
		t.Errorf("%d keys, %d in order, want %d", len(m.places), m.order.Len(), maxRemembered)
	}
	if first == nil || m.at(keyed(0)) != first {
		t.Error("what was asked for last is forgotten")
	}
	if m.at(keyed(1)) != nil {
		t.Error("what was not asked for for the longest time is still there")
	}
}

func TestPlaceKeepsTheLatest(t *testing.T) {
	var p place
	for n := range maxItems + 1 {
		p.add(item{attempt: &attempt{status: n}})
	}
	if len(p.items) != maxItems || p.items[0].status != 1 || p.items[maxItems-1].status != maxItems {
		t.Errorf("%d items, from %d", len(p.items), p.items[0].status)
	}
}

func TestMarks(t *testing.T) {
	var m marks
	m.set(5)
	if !m.has(5) || m.has(5+maxMarks) {
		t.Error("5 is not marked, or something else is")
	}
	m.set(5 + maxMarks)
	if m.has(5) || !m.has(5+maxMarks) {
		t.Error("the later of two is not there")
	}
	m.unset(5 + maxMarks)
	if m.has(5 + maxMarks) {
		t.Error("it is marked still")
	}
}

// However many clients fail, no more is remembered of them, and those that go on
// calling are still known.
func TestDiagnoserIsBounded(t *testing.T) {
	s := newScene()
	s.play(put(403).by(1, 0))
	for n := range 2 * maxRemembered {
		s.play(put(403).by(n+2, 0).agent(fmt.Sprintf("client/%d", n)))
		if n%100 == 0 {
			if got := s.play(get().by(1, 0)); got != fallback+"process" {
				t.Fatalf("after %d others: %q", n, got)
			}
		}
	}
	if n := len(s.failures.memory.places); n != maxRemembered {
		t.Errorf("%d keys, want %d", n, maxRemembered)
	}
}

// What is remembered of one client is bounded, too.
func TestRememberedTextsAreBounded(t *testing.T) {
	s := newScene()
	long := fmt.Sprintf("client/%01000d", 1)
	s.play(put(403).agent(long).via(long))
	for _, p := range s.failures.memory.places {
		for _, i := range p.Value.(*place).items {
			if len(i.agent) > maxText || len(i.product) > maxText || len(i.through) > maxText || i.conn != nil {
				t.Errorf("%d, %d and %d bytes, connection %v", len(i.agent), len(i.product), len(i.through), i.conn)
			}
		}
	}
}
