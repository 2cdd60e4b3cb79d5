// Package journald writes the log to the journal of systemd, by its native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
package journald

import (
	"bytes"
	"encoding/binary"
)

// Socket is where the journal takes entries.
const Socket = "/run/systemd/journal/socket"

// identifier is by which the journal and its readers know the program.
const identifier = "imds-analyzer"

// The priorities of entries, as in syslog(3).
const (
	warning = "4"
	info    = "6"
)

// levelWithin is how far into a line its level stands: behind the time.
const levelWithin = 80

// fields are those of the journal's entry for a line of the log.
func fields(line []byte) []byte {
	priority := info
	if bytes.Contains(line[:min(levelWithin, len(line))], []byte(`"log.level":"warning"`)) {
		priority = warning
	}
	entry := make([]byte, 0, len(line)+64)
	entry = appendField(entry, "PRIORITY", []byte(priority))
	entry = appendField(entry, "SYSLOG_IDENTIFIER", []byte(identifier))
	return appendField(entry, "MESSAGE", line)
}

// appendField writes the value with its length before it, as 64 bits, little-endian,
// which suits any value.
func appendField(entry []byte, name string, value []byte) []byte {
	entry = append(append(entry, name...), '\n')
	entry = binary.LittleEndian.AppendUint64(entry, uint64(len(value)))
	return append(append(entry, value...), '\n')
}
