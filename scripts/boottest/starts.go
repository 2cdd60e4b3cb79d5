package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// span is when something began and ended, since the machine was started.
type span struct{ began, ended time.Duration }

// journalEntry is what is read of an entry in the JSON of journalctl: a message, and the
// microseconds at which it was sent and received (systemd.journal-fields(7)), as texts.
type journalEntry struct {
	Message string `json:"MESSAGE"`
	Sent    int64  `json:"_SOURCE_REALTIME_TIMESTAMP,string"`
	// Received by the clock and since the machine was started.
	Received int64 `json:"__REALTIME_TIMESTAMP,string"`
	Uptime   int64 `json:"__MONOTONIC_TIMESTAMP,string"`
}

// at is when the message was sent, since the machine was started. At boot that can be
// much earlier than it was received: what is sent waits until the journal runs.
func (e journalEntry) at() time.Duration {
	return time.Duration(e.Uptime-(e.Received-e.Sent)) * time.Microsecond
}

// readJournal reads what the service manager says of a unit (journalctl -o json).
func readJournal(r io.Reader) (entries []journalEntry, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e journalEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("no line of a journal: %q: %w", lines.Text(), err)
		}
		if e.Sent == 0 || e.Received == 0 || e.Uptime == 0 {
			return nil, fmt.Errorf("a message without its times: %q", lines.Text())
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}

// startsOf are the starts of which a journal tells. One that did not end has no end. The
// journal can have been too late for the beginning of the first, or for all of it: that
// one began when the unit can have at the earliest.
func startsOf(entries []journalEntry, earliest time.Duration) (starts []span) {
	for i, e := range entries {
		begins := strings.HasPrefix(e.Message, "Starting ")
		switch {
		case i == 0:
			starts = append(starts, span{began: earliest})
		case begins:
			starts = append(starts, span{began: e.at()})
		}
		last := &starts[len(starts)-1]
		if last.ended == 0 && (strings.HasPrefix(e.Message, "Started ") || strings.HasPrefix(e.Message, "Failed to start ")) {
			last.ended = e.at()
		}
	}
	return starts
}

// journalSocket is what services wait for that write to the journal, with which they
// are After= it (systemd.exec(5)).
const journalSocket = "systemd-journald.socket"

// earliestStart is when a unit first began to start, or a time before that: the manager
// knows when it last did. If the journal has something of before that, it is the time
// at which the journal's socket was there, or else the manager itself was started.
func (b *boot) earliestStart(unit string, entries []journalEntry) time.Duration {
	if began := b.units[unit].began; began > 0 && len(entries) > 0 && began <= entries[0].at() {
		return began
	}
	return max(b.userspace, b.units[journalSocket].ready)
}

// heldUp is how long a boot can have waited for the unit: from its first start to the
// end of the last one, with what is between them. What comes after the boot does not
// count: the journal ends there.
func heldUp(starts []span) (time.Duration, error) {
	if len(starts) == 0 {
		return 0, fmt.Errorf("%w: the unit has never been started", errOrder)
	}
	last := starts[len(starts)-1]
	if last.ended == 0 {
		return 0, fmt.Errorf("%w: a start of the unit has not ended", errOrder)
	}
	return last.ended - starts[0].began, nil
}

// judgeStarts says how long a unit can have held up the boot, and whether that is too
// long.
func (b *boot) judgeStarts(out io.Writer, unit, name string, limit time.Duration) error {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	entries, err := readJournal(f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	starts := startsOf(entries, b.earliestStart(unit, entries))
	held, err := heldUp(starts)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-28s started %d time(s) within %.3f s\n", unit, len(starts), held.Seconds())
	if held > limit {
		return fmt.Errorf("%w: the boot was held up for %v, more than %v", errOrder, held, limit)
	}
	return nil
}
