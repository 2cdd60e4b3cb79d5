package instances

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

const (
	// maxInstances bounds how many are read, also of the same ids.
	maxInstances = 100_000
	// maxText bounds in bytes what is kept of an instance: of tags, which are longest,
	// AWS takes 256 characters, of 4 bytes at most.
	maxText = 4 * 256
)

// List is instances by their ids. Its size is bounded by their number.
type List struct {
	by        Grouping
	instances map[string]Instance
	texts     map[string]string // that many have in common, each once
	read      int
	open      map[listing]int // pages with a NextToken of which the next one was not read
}

// New returns a List that is empty.
func New(by Grouping) *List {
	return &List{by: by, instances: map[string]Instance{}, texts: map[string]string{}, open: map[listing]int{}}
}

// By is how the instances are grouped.
func (l *List) By() Grouping { return l.by }

// Unfinished is how many of the pages that were read go on with one that was not.
func (l *List) Unfinished() (pages int) {
	for _, n := range l.open {
		pages += n
	}
	return pages
}

// Get returns the instance with this id, if it is in the list.
func (l *List) Get(id string) (Instance, bool) {
	i, ok := l.instances[id]
	return i, ok
}

// All goes through the instances in the order of their ids.
func (l *List) All() iter.Seq2[string, Instance] {
	return func(yield func(string, Instance) bool) {
		for _, id := range slices.Sorted(maps.Keys(l.instances)) {
			if !yield(id, l.instances[id]) {
				return
			}
		}
	}
}

// add takes in an instance. Of one that is listed twice the latter holds.
func (l *List) add(d *described) error {
	if l.read++; l.read > maxInstances {
		return fmt.Errorf("there are more than %d instances: make several reports", maxInstances)
	}
	group := l.by.of(d)
	texts := []*string{&d.ID, &d.Placement.Zone, &d.State.Name, &d.Options.State, &d.Options.HTTPTokens, &d.Options.HTTPEndpoint, &group.Name}
	for n, text := range texts {
		if len(*text) > maxText {
			return fmt.Errorf("an instance's id, state, zone or group has more than %d bytes", maxText)
		}
		if n > 0 {
			*text = l.once(*text)
		}
	}
	l.instances[d.ID] = Instance{d.Placement.Zone, d.State.Name, Options(d.Options), group}
	return nil
}

// once is a text without another copy of it.
func (l *List) once(text string) string {
	kept, ok := l.texts[text]
	if !ok {
		kept, l.texts[text] = text, text
	}
	return kept
}
