package main

import (
	"io"

	"imds-analyzer/scripts/testbed"
)

// entry is what the benchmark reads of a line of the log (docs/log-entry.md).
type entry struct {
	Event struct {
		Action, Dataset string
	}
	URL struct {
		Original string
	}
	IMDS struct {
		Attribution struct {
			Status, Method string
			Candidates     []struct{ PID int }
		}
		Capture struct {
			Methods []string `json:"attribution_methods"`
			Dropped int      `json:"packets_dropped_kernel"`
		}
	}
	Process struct {
		PID, VPID  int
		Args       []string
		Executable string
	}
	User, Container struct {
		ID string
	}
	line string
}

// The words of the log that are read here.
const (
	callDataset    = "imds.call"
	captureStarted = "capture-started"
	captureStopped = "capture-stopped"
	resolved       = "resolved"
	shared         = "shared"
	inferred       = "inferred"
)

// readLog hands over the lines of a log.
func readLog(log io.Reader, take func(entry)) error {
	return testbed.ReadLog(log, func(e entry, line string) {
		e.line = line
		take(e)
	})
}
