package output

import "github.com/sirupsen/logrus"

// formatter is the logrus.Formatter of our entries. They are structs whose
// fields have their order, so they do not travel as a map in the logger's
// entry but beside it. It keeps one buffer, for one line at a time.
type formatter struct {
	call      *Entry
	lifecycle *Lifecycle
	buffer    []byte
}

// Format returns the lifecycle entry if there is one, else that of the call,
// as JSON with its line feed.
func (f *formatter) Format(*logrus.Entry) ([]byte, error) {
	if f.lifecycle != nil {
		f.buffer = f.lifecycle.AppendLine(f.buffer[:0])
	} else {
		f.buffer = f.call.AppendLine(f.buffer[:0])
	}
	return f.buffer, nil
}

// AppendLine appends the entry's line of the log, with its line feed.
func (e *Entry) AppendLine(line []byte) []byte { return append(appendEntry(line, e), '\n') }
