package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// stateReport is what a report in JSON says of calls and hosts.
type stateReport struct {
	Calls struct {
		V1 uint64 `json:"v1"`
		V2 uint64 `json:"v2"`
	} `json:"calls"`
	Inputs struct {
		Malformed uint64 `json:"malformed"`
	} `json:"inputs"`
	Hosts []struct {
		Observed struct {
			Sessions uint64 `json:"sessions"`
		} `json:"observed"`
	} `json:"hosts"`
}

// reportOn reports on files.
func reportOn(t *testing.T, files ...string) (r stateReport) {
	t.Helper()
	out := succeeded(t, append([]string{"report", "--format", "json"}, files...)...).out
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

// The state has what was counted in all runs, whatever becomes of their logs. A log of
// the same time adds nothing to it.
func TestLiveState(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	logs := []string{filepath.Join(dir, "first.log"), filepath.Join(dir, "second.log")}
	for run, log := range logs {
		p := s.host.watch(t, "--state", state, "--only", "v1")
		s.visits(t, curlOf(t))
		if err := os.WriteFile(log, []byte(p.stop(t, syscall.SIGTERM)), 0o600); err != nil {
			t.Fatal(err)
		}
		got := reportOn(t, state)
		if n := uint64(run + 1); got.Calls.V1 != 4*n || got.Calls.V2 != 6*n || len(got.Hosts) != 1 || got.Hosts[0].Observed.Sessions != n {
			t.Errorf("after %d runs the state has %+v", run+1, got)
		}
	}
	if got := reportOn(t, logs[0], state, logs[1]); got.Calls.V1 != 8 || got.Calls.V2 != 12 || got.Hosts[0].Observed.Sessions != 2 {
		t.Errorf("with the logs of both runs: %+v", got)
	}
	if got := reportOn(t, logs...); got.Calls.V1 != 8 || got.Calls.V2 != 0 {
		t.Errorf("of the logs alone: %+v", got)
	}
}
