package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// span is when something began and ended, since the machine was started.
type span struct{ began, ended time.Duration }

// readStarts reads what the service manager says of a unit in its journal (journalctl
// -o short-monotonic), and returns its starts. One that did not end has no end.
func readStarts(r io.Reader) (starts []span, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		at, message, ok := journalLine(lines.Text())
		if !ok {
			return nil, fmt.Errorf("no line of a journal: %q", lines.Text())
		}
		open := len(starts) > 0 && starts[len(starts)-1].ended == 0
		switch word, _, _ := strings.Cut(message, " "); {
		case word == "Starting":
			starts = append(starts, span{began: at})
		case open && (word == "Started" || strings.HasPrefix(message, "Failed to start")):
			starts[len(starts)-1].ended = at
		}
	}
	return starts, lines.Err()
}

// journalLine splits a line such as "[   12.345678] host systemd[1]: message".
func journalLine(line string) (at time.Duration, message string, ok bool) {
	stamp, rest, found := strings.Cut(strings.TrimPrefix(line, "["), "] ")
	_, message, named := strings.Cut(rest, "]: ")
	seconds, err := strconv.ParseFloat(strings.TrimSpace(stamp), 64)
	return time.Duration(seconds * float64(time.Second)), message, found && named && err == nil
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

// judgeStarts says how long the unit can have held up the boot, and whether that is
// too long.
func judgeStarts(out io.Writer, name string, limit time.Duration) error {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	starts, err := readStarts(f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	held, err := heldUp(starts)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-28s started %d time(s) within %.3f s\n", "the service", len(starts), held.Seconds())
	if held > limit {
		return fmt.Errorf("%w: the boot was held up for %v, more than %v", errOrder, held, limit)
	}
	return nil
}
