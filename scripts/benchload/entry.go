package main

import (
	"io"
	"time"

	"imds-analyzer/scripts/testbed"
)

// entry is what is read of a line of the log (docs/log-entry.md).
type entry struct {
	Time  time.Time `json:"@timestamp"`
	Event struct {
		Action, Dataset string
		Duration        time.Duration
	}
	URL struct {
		Original string
	}
	IMDS struct {
		Version     string
		Attribution struct {
			Status, Method string
			Candidates     []struct {
				PID int
			}
		}
		Folded struct {
			Calls int
		}
		Capture counts
	}
	Process struct {
		PID int
	}
}

// counts are those of the line at a capture's end.
type counts struct {
	Dropped        int `json:"packets_dropped_kernel"`
	Evicted        int `json:"connections_evicted"`
	HalfOpen       int `json:"half_open_dropped"`
	EventsLost     int `json:"events_lost"`
	NotWritten     int `json:"entries_not_written"`
	WithoutPackets int `json:"connections_without_packets"`
	V1             int `json:"calls_v1"`
	V2             int `json:"calls_v2"`
	Unknown        int `json:"calls_unknown"`
}

// The words of the log that are read here.
const (
	callDataset    = "imds.call"
	captureStopped = "capture-stopped"
)

// readLog hands over the lines of a log, each of which has to be whole.
func readLog(log io.Reader, take func(entry)) error {
	return testbed.ReadLog(log, func(e entry, _ string) { take(e) })
}
