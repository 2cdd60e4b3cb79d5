package cli_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/output"
)

// made is a call that a client made, as the service saw it.
type made struct {
	call
	client string
	pid    int
}

// liveEntry is what is compared of a log entry: what the service can know, and
// what only the client's host can.
type liveEntry struct {
	call
	liveDetails
}

type liveDetails struct {
	Process struct {
		PID              int
		Name, Executable string
		Args             []string
		WorkingDirectory string `json:"working_directory"`
		Parent           struct{ PID int }
	}
	User struct{ ID string }
	Host struct{ Uptime uint64 }
	IMDS struct {
		Attribution struct {
			Status, Method string
			Candidates     []struct{ PID int }
		}
		Capture struct {
			DroppedByKernel    uint64   `json:"packets_dropped_kernel"`
			DroppedByInterface uint64   `json:"packets_dropped_interface"`
			Methods            []string `json:"attribution_methods"`
			Capabilities       []string
			Confined           []string

			NetworkNamespaces         *uint64 `json:"network_namespaces"`
			ConnectionsWithoutPackets *uint64 `json:"connections_without_packets"`
			WithoutPackets            []struct {
				Process     struct{ Name, Executable string }
				Connections uint64
			} `json:"without_packets"`
		}
	}
	Observer struct {
		Ingress struct{ Interface struct{ Name string } }
	}
}

// entriesOf returns the calls of a whole log, in which no packets were lost.
func entriesOf(t *testing.T, log string) []liveEntry {
	t.Helper()
	calls := callsOf(t, log)
	lines := slices.Collect(strings.Lines(log))
	var entries []liveEntry
	for i, c := range calls {
		entries = append(entries, liveEntry{c, detailsOf(t, lines[1+i])})
	}
	if end := detailsOf(t, lines[len(lines)-1]).IMDS.Capture; end.DroppedByKernel+end.DroppedByInterface > 0 {
		t.Errorf("packets were dropped: %+v", end)
	}
	return entries
}

// checkUptime makes sure that the line of the start tells how long the host has been up,
// and no other does.
func checkUptime(t *testing.T, log string) {
	t.Helper()
	lines := slices.Collect(strings.Lines(log))
	now := output.ReadUptime(os.DirFS("/"))
	if up := detailsOf(t, lines[0]).Host.Uptime; up == 0 || up > now {
		t.Errorf("up for %d s at the start, %d s now", up, now)
	}
	for _, line := range lines[1:] {
		if strings.Contains(line, `"uptime"`) {
			t.Errorf("not at the start: %s", line)
		}
	}
}

func detailsOf(t *testing.T, line string) liveDetails {
	t.Helper()
	var d liveDetails
	if err := json.Unmarshal([]byte(line), &d); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return d
}

// checkSeen compares the entries with the service's access log.
func checkSeen(t *testing.T, entries []liveEntry, calls []made) {
	t.Helper()
	var got, want []call
	for _, e := range entries {
		got = append(got, e.call)
	}
	for _, m := range calls {
		want = append(want, m.call)
	}
	checkSame(t, got, want)
}

// checkCallers makes sure that no call is attributed to a process that did not
// make it and, where all have to be known, that each is attributed.
func checkCallers(t *testing.T, entries []liveEntry, calls []made, all bool) {
	t.Helper()
	found := 0
	for _, m := range calls {
		i := slices.IndexFunc(entries, func(e liveEntry) bool { return e.call == m.call })
		if i < 0 {
			continue // checkSeen tells
		}
		e := entries[i]
		switch {
		case e.Process.PID == m.pid:
			found++
		case e.Process.PID != 0:
			t.Errorf("%s: %s %s of process %d is attributed to %d: %+v", m.client, m.method, m.target, m.pid, e.Process.PID, e.liveDetails)
		case all:
			t.Errorf("%s: %s %s of process %d is not attributed: %s", m.client, m.method, m.target, m.pid, e.IMDS.Attribution.Status)
		}
	}
	t.Logf("the processes of %d of %d calls were found", found, len(calls))
}
