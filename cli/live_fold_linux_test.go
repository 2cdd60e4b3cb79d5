package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// foldedCalls are the calls that the lines of a log stand for, and how many lines do.
func foldedCalls(t *testing.T, log []string) (of counts, lines int) {
	t.Helper()
	for _, text := range log {
		var l struct {
			Event struct{ Dataset string }
			IMDS  struct {
				Version string
				Folded  struct{ Calls int }
			}
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if l.Event.Dataset != "imds.call" {
			continue
		}
		lines++
		switch l.IMDS.Version {
		case "v1":
			of.v1 += max(1, l.IMDS.Folded.Calls)
		case "v2":
			of.v2 += max(1, l.IMDS.Folded.Calls)
		}
	}
	return of, lines
}

// What is folded is written when its time has come though no more calls do, and the
// numbers are right in the log, in the report on it, and in one on the log with the state.
func TestLiveFold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	state, log := filepath.Join(dir, "state"), filepath.Join(dir, "log")
	p := s.host.watch(t, "--fold", "10s", "--state", state) // three rounds of calls take 2 s, and longer on a busy machine
	var calls []made
	for range 3 {
		calls = append(calls, s.visits(t, curlOf(t))...)
	}
	var want counts
	for _, m := range calls {
		if m.version == "v1" {
			want.v1++
		} else {
			want.v2++
		}
	}
	p.out.wait(t, "lines for all calls", func(lines []string) bool {
		got, _ := foldedCalls(t, lines)
		return got == want
	})
	text := p.stop(t, syscall.SIGTERM)
	readLog(t, text)
	if got, lines := foldedCalls(t, strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")); got != want || lines == len(calls) {
		t.Errorf("%d lines stand for %v calls, want %v", lines, got, want)
	}
	if got := summarised(t, p.errors()); got != want {
		t.Errorf("the summary has %v, want %v", got, want)
	}
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{log}, {state}, {log, state}} {
		if got := reportOn(t, files...); got.Calls.V1 != uint64(want.v1) || got.Calls.V2 != uint64(want.v2) {
			t.Errorf("a report on %q has %+v, want %v", files, got.Calls, want)
		}
	}
}

// A program that floods the log has its calls told together, and each is counted: in the
// log, the summary, the state, and a report on both.
func TestLiveFlood(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	state, log := filepath.Join(dir, "state"), filepath.Join(dir, "log")
	p := s.host.watch(t, "--max-entry-rate", "1", "--state", state)
	want := counts{v1: len(s.load(t, 300))}
	text := p.stop(t, syscall.SIGTERM)
	readLog(t, text)
	got, lines := foldedCalls(t, strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n"))
	if got != want || lines >= 200 {
		t.Errorf("%d lines stand for %v calls, want %v", lines, got, want)
	}
	if got := summarised(t, p.errors()); got != want {
		t.Errorf("the summary has %v, want %v", got, want)
	}
	if !strings.Contains(text, `"calls_over_rate":`) || !strings.Contains(p.errors(), "told together in the log") {
		t.Error("it is not said that calls are told together")
	}
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{log}, {state}, {log, state}} {
		if got := reportOn(t, files...); got.Calls.V1 != uint64(want.v1) {
			t.Errorf("a report on %q has %+v, want %v", files, got.Calls, want)
		}
	}
}
