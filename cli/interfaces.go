package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"imds-analyzer/output"
)

// interfaces tells of those that are captured by their names and are gone, or back.
type interfaces chan interfaceChange

type interfaceChange struct {
	name string
	gone error // nil if it is captured again
}

// newInterfaces has room for some changes, so that who captures does not wait.
func newInterfaces() interfaces { return make(interfaces, 64) }

// changed returns what an interface's source tells of its changes.
func (i interfaces) changed(name string) func(error) {
	return func(gone error) { i <- interfaceChange{name, gone} }
}

const (
	// flapsEvery is how often at most an interface is told of that comes and goes without
	// end: a line each time would fill disks within weeks.
	flapsEvery = time.Minute
	// flapsAtOnce is how many of its changes are told at once before: that it has gone, and
	// that it is back.
	flapsAtOnce = 2
)

// flaps are the interfaces that have changed within flapsEvery.
type flaps struct {
	list []*flapping
	due  <-chan time.Time // when they are told of; nil for never
	any  bool             // one has been gone
}

// flapping is such an interface.
type flapping struct {
	interfaceChange        // the last
	told            int    // how many of its changes were told at once
	times           uint64 // how often it has gone since
	changed         bool   // and whether anything is untold
}

// note takes in a change. It returns the interface if that is to be told of at once, or nil.
func (f *flaps) note(c interfaceChange) *flapping {
	f.any = f.any || c.gone != nil
	i := slices.IndexFunc(f.list, func(one *flapping) bool { return one.name == c.name })
	if i < 0 {
		i = len(f.list)
		f.list = append(f.list, &flapping{})
	}
	one := f.list[i]
	one.interfaceChange = c
	if one.told < flapsAtOnce {
		one.told++
		return one
	}
	one.changed = true
	if c.gone != nil {
		one.times++
	}
	return nil
}

// interfaceChanged says what has become of an interface, and has the log tell it: until
// it is back nothing passes there, but for the moment in which it comes.
func (s *session) interfaceChanged(c interfaceChange) {
	if c.gone != nil && !s.flaps.any {
		s.truncated = true
		s.problems = append(s.problems, errors.Join(c.gone, errPartial))
	}
	one := s.flaps.note(c)
	if s.flaps.due == nil {
		s.flaps.due = time.After(flapsEvery)
	}
	if one != nil {
		say(s.streams.Err, "%s", one)
		s.lifecycle(output.CaptureRuns)
	}
}

// takeChanges takes in the changes of interfaces that are told by now.
func (s *session) takeChanges() {
	for {
		select {
		case change := <-s.interfaces:
			s.interfaceChanged(change)
		default:
			return
		}
	}
}

// tellFlaps tells of what was not told at once. Interfaces that have not changed since can
// be told of at once again.
func (s *session) tellFlaps() {
	s.flaps.due = nil
	s.flaps.list = slices.DeleteFunc(s.flaps.list, func(one *flapping) bool { return !one.changed })
	for _, one := range s.flaps.list {
		say(s.streams.Err, "%s", one)
		one.times, one.changed = 0, false
	}
	if len(s.flaps.list) > 0 {
		s.lifecycle(output.CaptureRuns)
		s.flaps.due = time.After(flapsEvery)
	}
}

func (f *flapping) String() string {
	const goesOn = "it goes on when there is an interface of that name again"
	switch {
	case f.times > 0 && f.gone == nil:
		return fmt.Sprintf("capture on %s was interrupted %s more; it is there again, and captured", f.name, often(f.times))
	case f.times > 0:
		return fmt.Sprintf("capture on %s was interrupted %s more; %s", f.name, often(f.times), goesOn)
	case f.gone == nil:
		return fmt.Sprintf("%s is there again, and captured", f.name)
	}
	return fmt.Sprintf("capture on %s is interrupted: %s; %s", f.name, causeOf(f.gone), goesOn)
}

func often(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// causeOf is the innermost error, in libpcap's words if it has some.
func causeOf(err error) string {
	text := fmt.Sprint(err)
	return strings.TrimSpace(text[strings.LastIndex(text, ":")+1:])
}
