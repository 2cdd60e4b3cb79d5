package logs

import (
	"bytes"
	"time"

	"imds-analyzer/output"
)

// HeadBytes is how much of the beginning of a file Look wants to see: an entry that is
// very long, or a hundred usual lines of others.
const HeadBytes = 128 << 10

// maxText is how many lines of text may come before an entry that shows that it is a
// log: the program's own words for people. A document may have an entry as an example.
const maxText = 8

// Look finds out whether what begins with head is a log of this program, and the time
// of its first call: the lines about a capture file's reading are later than the calls
// in it, and count only where head has no call. It is zero if head does not tell. A log
// that holds other things first is not known for one.
func Look(head []byte) (begins time.Time, isLog bool) {
	text := 0
	for line := range bytes.Lines(head) {
		var e output.Entry
		switch kind, lifecycle, _ := parse(line, &e); kind {
		case call:
			return e.Timestamp, true
		case capture:
			isLog = true
			if begins.IsZero() {
				begins = lifecycle.Timestamp
			}
		}
		switch line = bytes.Trim(line, margin); {
		case bytes.HasPrefix(line, []byte(entryBegin)): // that is cut
			isLog = true
		case len(line) > 0 && line[0] != '{':
			text++
		}
		if text > maxText {
			break
		}
	}
	return begins, isLog
}
