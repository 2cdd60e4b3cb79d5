package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// errCounts: the log has other calls than the file.
var errCounts = errors.New("the log is not as the file")

// entries counts the calls in a log of the program.
type entries struct{ calls, v1, v2 int }

// countEntries reads a log line by line, so that this process stays small.
func countEntries(log io.Reader) (counted entries, err error) {
	lines := bufio.NewScanner(log)
	lines.Buffer(make([]byte, 64<<10), 1<<20)
	for lines.Scan() {
		var line struct {
			Event struct{ Dataset string }
			IMDS  struct{ Version string }
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return entries{}, fmt.Errorf("the log has a line that is no entry: %w", err)
		}
		if line.Event.Dataset == "imds.call" {
			counted.add(line.IMDS.Version)
		}
	}
	return counted, lines.Err()
}

func (e *entries) add(version string) {
	e.calls++
	switch version {
	case "v1":
		e.v1++
	case "v2":
		e.v2++
	}
}

// check holds the counts against the truth.
func (e entries) check(known truth) error {
	if want := (entries{known.Calls, known.V1, known.V2}); e != want {
		return fmt.Errorf("%w: %d calls, %d v1 and %d v2, but there are %d, %d and %d", errCounts, e.calls, e.v1, e.v2, want.calls, want.v1, want.v2)
	}
	return nil
}

// countLines counts the lines of what tshark printed, one for each request.
func countLines(printed io.Reader) (lines int, err error) {
	scanner := bufio.NewScanner(printed)
	for scanner.Scan() {
		lines++
	}
	return lines, scanner.Err()
}
