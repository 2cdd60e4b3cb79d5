//go:build soak

package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// harvest rotates the log as others do, takes away all files of it that are complete, and holds
// them against what was called.
func (s *soak) harvest(t *testing.T) {
	s.times(t, 8*time.Second, &s.count.hangups, func(t *testing.T, i int) {
		s.harvested.Lock()
		defer s.harvested.Unlock()
		moved := filepath.Join(s.dir, "kept", fmt.Sprintf("moved-%d", i))
		if i == 0 {
			moved = s.log() + ".first" // stays, for a report on the directory when the log is new and empty
		}
		// For a moment there can be none: the program rotates it, too.
		eventually(t, "a log to rotate", func() bool { return !errors.Is(os.Rename(s.log(), moved), fs.ErrNotExist) })
		if err := s.program.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a new log", func() bool { _, err := os.Stat(s.log()); return err == nil })
		s.read(t, append(s.takeRotated(t), moved)...)
		if len(s.late) == 0 {
			s.late = s.reckoning.off(time.Minute)
		}
	})
}

// takeRotated takes away what the program itself has rotated.
func (s *soak) takeRotated(t *testing.T) (taken []string) {
	t.Helper()
	for n := 1; ; n++ {
		name := filepath.Join(s.dir, "kept", fmt.Sprintf("rotated-%d", s.count.rotations))
		err := os.Rename(fmt.Sprintf("%s.%d", s.log(), n), name)
		if errors.Is(err, fs.ErrNotExist) {
			return taken
		}
		if err != nil {
			t.Fatal(err)
		}
		s.count.rotations++
		taken = append(taken, name)
	}
}

// read reads complete files of the log.
func (s *soak) read(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		text := readFile(t, name)
		checkNoSecrets(t, "the log", text)
		s.others = append(s.others, s.reckoning.logged(t, text)...)
	}
	s.kept = append(s.kept, names...)
}

func (s *soak) log() string { return filepath.Join(s.dir, "log", "imds.log") }

func (s *soak) state() string { return filepath.Join(s.dir, "state") }

// soakReport is what is read of a report.
type soakReport struct {
	Calls    soakCalls
	Programs []struct {
		Name  string
		Calls soakCalls
	}
	Inputs struct{ Malformed uint64 }
}

type soakCalls struct{ V1, V2, Unknown int }

func (c soakCalls) sum() int { return c.V1 + c.V2 + c.Unknown }

// programs are the calls of each program.
func (r *soakReport) programs() map[string]soakCalls {
	programs := map[string]soakCalls{}
	for _, p := range r.Programs {
		programs[p.Name] = p.Calls
	}
	return programs
}

// report has the program report on files.
func (s *soak) report(t *testing.T, files ...string) (r soakReport) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, append([]string{"report", "--format", "json"}, files...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("a report on %d files, the first %s: %v: %s", len(files), files[0], err, errs.String())
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %.300s", err, out)
	}
	s.reported++
	if r.Inputs.Malformed > 0 {
		t.Errorf("a report on %q has %d malformed lines: %s", files[0], r.Inputs.Malformed, errs.String())
	}
	return r
}

// reports has reports made of the log, the state and the metrics meanwhile.
func (s *soak) reports(t *testing.T) {
	before := 0
	s.times(t, 20*time.Second, &s.count.reports, func(t *testing.T, _ int) {
		s.harvested.Lock()
		files, entries := slices.Clone(s.kept), s.reckoning.entries
		s.harvested.Unlock()
		if len(files) > 0 {
			if got := s.report(t, files...).Calls.sum(); got != entries {
				t.Errorf("a report on %d files has %d calls, and %d are in them", len(files), got, entries)
			}
		}
		s.report(t, filepath.Dir(s.log())) // while it is written
		counted := s.report(t, s.state()).Calls.sum()
		if counted < before || counted > s.called() {
			t.Errorf("the state has %d calls, after %d, of %d", counted, before, s.called())
		}
		before = counted
	})
}

// scrapes has the metrics read meanwhile, by whole texts in which no count goes down.
func (s *soak) scrapes(t *testing.T) {
	before := 0
	s.times(t, time.Second, &s.count.scrapes, func(t *testing.T, _ int) {
		got := soakMetrics(t, s.host.scrape(t, s.program, "localhost", 200))
		if got.sum() < before || got.sum() > s.called() {
			t.Errorf("the metrics have %d calls, after %d, of %d", got.sum(), before, s.called())
		}
		before = got.sum()
	})
}

// called is how many calls have begun, of which there can be some that are not told yet.
func (s *soak) called() int {
	const underWay = 1000
	return s.reckoning.total() + underWay
}

// metrics are calls by version and status.
type metrics map[[2]string]int

func (m metrics) sum() (sum int) {
	for _, n := range m {
		sum += n
	}
	return sum
}

// soakMetrics reads calls by version and status from a text of metrics.
func soakMetrics(t *testing.T, text string) metrics {
	t.Helper()
	calls := metrics{}
	for series, value := range samplesOf(t, text) {
		var version, status string
		var n int
		labels := strings.NewReplacer(`calls_total{version="`, "", `",status="`, " ", `"}`, "").Replace(series)
		if !strings.HasPrefix(series, "calls_total{") {
			continue
		}
		if _, err := fmt.Sscan(labels+" "+value, &version, &status, &n); err != nil {
			t.Fatalf("%s: %v", series, err)
		}
		if n > 0 {
			calls[[2]string{version, status}] = n
		}
	}
	return calls
}
