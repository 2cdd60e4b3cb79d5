package cli

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"imds-analyzer/output"
)

// disk is a place that has room or has not.
type disk struct {
	bytes.Buffer
	full bool
}

func (d *disk) Write(lines []byte) (int, error) {
	if d.full {
		return 0, syscall.ENOSPC
	}
	return d.Buffer.Write(lines)
}

func (*disk) Close() error { return nil }

// twoLogs is a journal with a log in each place.
func twoLogs(t *testing.T, a, b *disk) *journal {
	t.Helper()
	var said bytes.Buffer
	j, err := openJournal(options{format: formatNone}, Streams{Out: &said, Err: &said}, &said, func() {})
	if err != nil {
		t.Fatal(err)
	}
	j.session = output.Session{Started: foldTime, BootID: "b1", Filter: "port 80"}
	for _, place := range []*disk{a, b} {
		j.addLasting(newLastingLog(j, "log", place, 0))
	}
	return j
}

// Which of two logs a report will read is not known: a state says that it has counted what
// both lack, and people are told of the one that lacks most.
func TestMissingOfTwoLogs(t *testing.T) {
	for name, missing := range map[string][2]uint64{"the first": {5, 2}, "the second": {2, 5}} {
		t.Run(name, func(t *testing.T) {
			j := twoLogs(t, &disk{}, &disk{})
			file := filepath.Join(t.TempDir(), "state")
			j.state = kept(t, file)
			for i, n := range missing {
				j.lasting[i].spool.Lacks(n)
			}
			j.saveState(output.CaptureStats{Live: true})
			if state := stateText(t, file); !strings.Contains(state, `"entries_not_written":2`) || j.notWritten() != 5 {
				t.Errorf("%d are missing, and the state is %s", j.notWritten(), state)
			}
		})
	}
}

func stateText(t *testing.T, file string) string {
	t.Helper()
	state, err := readState(file)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := state.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// A gap has the numbers of calls so far, and no others: nobody knows those there.
func TestGapCountsCalls(t *testing.T) {
	var log disk
	j := twoLogs(t, &log, &disk{})
	j.record(tokenCall(1, 0))
	j.lasting[0].spool.Lacks(1)
	j.flush()
	var gap struct {
		IMDS struct{ Capture map[string]any }
	}
	line, _, _ := strings.Cut(log.String(), "\n")
	if err := json.Unmarshal([]byte(line), &gap); err != nil {
		t.Fatal(err)
	}
	c := gap.IMDS.Capture
	if _, found := c["packets_received"]; found || c["calls_v2"] != 1.0 || c["calls_v1"] != 0.0 || c["calls_unknown"] != 0.0 || c["entries_not_written"] != 1.0 {
		t.Errorf("the gap is %s", line)
	}
}
