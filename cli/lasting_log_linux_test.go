package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/metrics"
	"imds-analyzer/output"
	"imds-analyzer/output/spool"
)

// A disk that has stalled holds up the log, and not what the state has counted until then.
func TestStateOutlastsStall(t *testing.T) {
	stalled, release := make(chan struct{}), make(chan struct{})
	j := twoLogs(t, &disk{}, &disk{})
	j.addLasting(newLastingLog(j, "log", stall{stalled, release}, 0))
	file := filepath.Join(t.TempDir(), "state")
	j.state = kept(t, file)
	signals, signal := context.WithCancel(t.Context())
	defer atStall(signals, 0, j.state.save)()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		call := tokenCall(1, 0)
		call.Call.Request.TokenHeader = false
		j.record(call)
		j.flush()
	}()
	<-stalled
	if n := j.notWritten(); n != 0 { // the capture asks, and must not wait
		t.Errorf("%d are missing", n)
	}
	signal()
	for end := time.Now().Add(30 * time.Second); stateCalls(t, file) != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the state has %d calls", stateCalls(t, file))
		}
	}
	close(release)
	<-ended
	if err := errors.Join(j.close()...); err != nil {
		t.Error(err)
	}
}

// Neither does it hold up the capture, which looks at its counts all the time.
func TestCaptureOutlastsStall(t *testing.T) {
	stalled, release, written := make(chan struct{}), make(chan struct{}), make(chan struct{})
	j := twoLogs(t, &disk{}, &disk{})
	j.addLasting(newLastingLog(j, "log", stall{stalled, release}, 0))
	go func() {
		defer close(written)
		j.record(tokenCall(1, 0))
		j.flush()
	}()
	<-stalled
	s := &session{log: j, resolver: attribution.NewOffline()}
	s.analyzer = capture.NewAnalyzer(nil, capture.LiveLimits(), newJoin(s.resolver, nil))
	counted := make(chan output.CaptureStats)
	go func() { counted <- s.stats() }()
	select {
	case stats := <-counted:
		if stats.EndedEarly || stats.EntriesNotWritten > 0 {
			t.Errorf("%+v", stats)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for the disk")
		defer func() { <-counted }()
	}
	close(release)
	<-written
}

// stall is a place that tells when something is written, which takes until it is released.
type stall struct{ stalled, release chan struct{} }

func (s stall) Write(lines []byte) (int, error) {
	close(s.stalled)
	<-s.release
	return len(lines), nil
}

func (stall) Close() error { return nil }

// What ends later than the state is closed does not save it: another process may keep it.
func TestStateIsNotSavedAfterItsEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	k := kept(t, file)
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	k.call(v1Call(1, foldTime))
	k.save()
	if n := stateCalls(t, file); n != 0 {
		t.Errorf("it has %d calls", n)
	}
}

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
	j, err := openJournal(t.Context(), options{format: formatNone}, Streams{Out: &said, Err: &said}, &said, func() {})
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

// Entries that were dropped while lines about the capture waited to be written are told to CloudWatch
// by these, once.
func TestEmbeddedTellsWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name string
		line func(*journal, output.CaptureStats)
	}{
		{"at an interval", (*journal).embedded},
		{"at the end", func(j *journal, stats output.CaptureStats) { j.progress(output.CaptureStopped, stats) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log disk
			j := twoLogs(t, &log, &disk{})
			j.options.emf, j.metrics = true, metrics.New()
			asked := output.CaptureStats{Live: true, EntriesNotWritten: j.notWritten()}
			j.lasting[0].spool.Lacks(3)
			j.flush()
			for _, want := range []string{`"EntriesNotWritten":3`, `"EntriesNotWritten":0`} {
				log.Reset()
				if tt.line(j, asked); !strings.Contains(log.String(), want) {
					t.Errorf("want %s: %s", want, log.String())
				}
			}
		})
	}
}

// A log tells of a gap when the enricher gives an entry back, and meanwhile a way to find
// processes may end: for the race detector.
func TestGapWhileMethodsChange(t *testing.T) {
	j := twoLogs(t, &disk{}, &disk{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		e := output.NewEntry(*tokenCall(1, 0), output.Host{})
		for range 100 {
			j.mu.Lock()
			j.lasting[0].spool.Lacks(1)
			j.mu.Unlock()
			j.enriched(&e, nil)
		}
	}()
	for range 100 {
		j.methodFailed([]attribution.Method{attribution.SockDiag}, "it ended", output.CaptureStats{Live: true})
	}
	<-done
}

// What waits is tried again, though nothing comes, and though lines that were folded are
// due later.
func TestWaitsBeTriedAgain(t *testing.T) {
	for name, o := range map[string]options{
		"alone":            {format: formatNone},
		"behind the limit": {format: formatNone, maxEntryRate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			place := &disk{full: true}
			var said bytes.Buffer
			j, err := openJournal(t.Context(), o, Streams{Out: &said, Err: &said}, &said, func() {})
			if err != nil {
				t.Fatal(err)
			}
			j.addLasting(newLastingLog(j, "log", place, 0))
			for n := range uint64(100) {
				call := tokenCall(n+1, time.Duration(n)*time.Millisecond)
				call.Call.Request.TokenHeader = false
				j.record(call)
			}
			if wait := j.idle(time.Now()); wait <= 0 || wait > spool.RetryEvery {
				t.Errorf("it is tried again in %v", wait)
			}
		})
	}
}
