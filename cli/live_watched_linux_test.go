package cli_test

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// patience is how long the tests wait for what takes no second on an idle
// machine.
const patience = time.Minute

// watched is a list that grows meanwhile, and that can be waited for. It is
// safe for concurrent use.
type watched[T any] struct {
	mu     sync.Mutex
	list   []T
	whole  bool
	change chan struct{} // closed at the next change
}

// alter changes the list, and wakes those who wait.
func (w *watched[T]) alter(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	if w.change != nil {
		close(w.change)
		w.change = nil
	}
}

// add appends to the list and returns the index of what it has added.
func (w *watched[T]) add(item T) (index int) {
	w.alter(func() {
		index = len(w.list)
		w.list = append(w.list, item)
	})
	return index
}

// end says that nothing will be added any more.
func (w *watched[T]) end() { w.alter(func() { w.whole = true }) }

// state returns the list so far, whether that is all there will be, and a
// channel that is closed when that changes.
func (w *watched[T]) state() ([]T, bool, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change == nil {
		w.change = make(chan struct{})
	}
	return slices.Clone(w.list), w.whole, w.change
}

// soFar returns the list as it is.
func (w *watched[T]) soFar() []T {
	list, _, _ := w.state()
	return list
}

// wait returns the list as soon as it is enough.
func (w *watched[T]) wait(t *testing.T, what string, enough func([]T) bool) []T {
	t.Helper()
	list, ok := w.until(func(list []T, _ bool) bool { return enough(list) })
	if !ok {
		t.Fatalf("%s did not come: %v", what, list)
	}
	return list
}

// all returns the list when it is whole.
func (w *watched[T]) all(t *testing.T, what string) []T {
	t.Helper()
	list, ok := w.until(func(_ []T, whole bool) bool { return whole })
	if !ok {
		t.Fatalf("%s did not end within %v: %v", what, patience, list)
	}
	return list
}

// until returns the list as soon as done is true of it. It reports false if
// that does not come within patience, or cannot come any more.
func (w *watched[T]) until(done func(list []T, whole bool) bool) ([]T, bool) {
	deadline := time.After(patience)
	for {
		list, whole, changed := w.state()
		if done(list, whole) {
			return list, true
		}
		if whole {
			return list, false
		}
		select {
		case <-changed:
		case <-deadline:
			return list, false
		}
	}
}
