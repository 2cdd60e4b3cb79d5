package cli

import (
	"errors"
	"fmt"
	"strings"

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

// interfaceChanged says what has become of an interface, and has the log tell it: until
// it is back nothing passes there, but for the moment in which it comes.
func (s *session) interfaceChanged(c interfaceChange) {
	if c.gone == nil {
		say(s.streams.Err, "%s is there again, and captured", c.name)
	} else {
		say(s.streams.Err, "capture on %s is interrupted: %s; it goes on when there is an interface of that name again", c.name, causeOf(c.gone))
		s.truncated = true
		s.problems = append(s.problems, errors.Join(c.gone, errPartial))
	}
	s.lifecycle(output.CaptureRuns)
}

// causeOf is the innermost error, in libpcap's words if it has some.
func causeOf(err error) string {
	text := fmt.Sprint(err)
	return strings.TrimSpace(text[strings.LastIndex(text, ":")+1:])
}
