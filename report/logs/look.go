package logs

import (
	"bytes"
	"time"

	"imds-analyzer/output"
)

// HeadBytes is how much of the beginning of a file Look wants to see: an entry that is
// very long, or a hundred usual lines of others.
const HeadBytes = 128 << 10

// Look finds out whether what begins with head is a log of this program, and the time
// of its first entry, zero if that does not tell. A log that holds other things first
// is not known for one.
func Look(head []byte) (begins time.Time, isLog bool) {
	for line := range bytes.Lines(head) {
		var e output.Entry
		switch kind, lifecycle, _ := parse(line, &e); kind {
		case call:
			return e.Timestamp, true
		case capture:
			return lifecycle.Timestamp, true
		}
		// A line that is cut, the last one of head or of all.
		if bytes.HasPrefix(bytes.TrimLeft(line, margin), []byte(`{"@timestamp":`)) {
			isLog = true
		}
	}
	return time.Time{}, isLog
}
