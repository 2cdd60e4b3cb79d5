package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

var foldTime = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// tokenCall is a call with a token, so long after foldTime.
func tokenCall(sequence uint64, after time.Duration) *output.Record {
	at := foldTime.Add(after)
	return &output.Record{Evidence: diagnosis.Evidence{
		Call: imds.Call{
			Conn:     imds.Conn{Client: netip.MustParseAddrPort("10.0.0.1:4000"), Service: netip.MustParseAddrPort("169.254.169.254:80")},
			Request:  imds.Request{Time: at, Method: "GET", Target: "/latest/meta-data/", Proto: "1.1", TokenHeader: true},
			Response: &imds.Response{Time: at.Add(time.Millisecond), Status: 200},
		},
		Answer: attribution.Answer{Status: attribution.Resolved, Method: attribution.Tracepoint, Process: &attribution.Process{PID: 42, Name: "agent"}},
	}, Sequence: sequence}
}

// folding is a journal with periods of a minute that writes to out.
func folding(t *testing.T, out *bytes.Buffer, o options) *journal {
	t.Helper()
	o.fold = time.Minute
	j, err := openJournal(t.Context(), o, Streams{Out: out, Err: out}, out, func() {})
	if err != nil {
		t.Fatal(err)
	}
	j.now = nil // the calls move the clock
	return j
}

// toldBy is "sequence×calls" of the lines of calls that were written since the last time.
func toldBy(t *testing.T, out *bytes.Buffer) string {
	t.Helper()
	var all []string
	for line := range strings.Lines(out.String()) {
		var e output.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Event.Dataset == output.DatasetCall {
			all = append(all, fmt.Sprintf("%d×%d", e.Event.Sequence, e.Calls()))
		}
	}
	out.Reset()
	return strings.Join(all, " ")
}

// Entries come when their periods end, by calls or by the clock alone, or with the
// capture.
func TestFoldInTime(t *testing.T) {
	var out bytes.Buffer
	j := folding(t, &out, options{format: formatJSON})
	if wait := j.idle(foldTime); wait != 0 {
		t.Errorf("with nothing to write it waits for %v", wait)
	}
	for n := range uint64(4) {
		j.record(tokenCall(n+1, time.Duration(n)*time.Second))
	}
	if wait := j.idle(foldTime.Add(10 * time.Second)); wait != 50*time.Second {
		t.Errorf("it waits for %v", wait)
	}
	if got := toldBy(t, &out); got != "1×1" {
		t.Errorf("at once: %s", got)
	}
	if wait := j.idle(foldTime.Add(time.Minute)); wait != 0 {
		t.Errorf("with nothing left it waits for %v", wait)
	}
	if got := toldBy(t, &out); got != "4×3" {
		t.Errorf("by the clock: %s", got)
	}
	j.record(tokenCall(5, 2*time.Minute))
	j.record(tokenCall(6, 2*time.Minute))
	j.record(tokenCall(7, 3*time.Minute))
	j.flush()
	if got := toldBy(t, &out); got != "5×1 6×1 7×1" {
		t.Errorf("by a call: %s", got)
	}
	j.record(tokenCall(8, 3*time.Minute))
	j.record(tokenCall(9, 3*time.Minute))
	j.finish()
	if err := errors.Join(j.close()...); err != nil {
		t.Fatal(err)
	}
	if got := toldBy(t, &out); got != "9×2" {
		t.Errorf("at the end: %s", got)
	}
	if calls := j.summary.Calls(); calls != 9 {
		t.Errorf("the summary has %d calls", calls)
	}
}

// After so many calls it ends, whether they are told together or not.
func TestFoldWithCount(t *testing.T) {
	var out bytes.Buffer
	j := folding(t, &out, options{format: formatJSON, count: 3})
	for n := range uint64(6) {
		j.record(tokenCall(n+1, time.Second))
	}
	j.finish()
	j.flush()
	if got := toldBy(t, &out); got != "1×1 3×2" {
		t.Errorf("it tells of %s", got)
	}
}

// People see each call, once: also the only one that is told later, and none that was too much.
func TestFoldOnAConsole(t *testing.T) {
	for _, tt := range []struct {
		calls    uint64
		rate     uint
		shown    int
		notShown string
	}{
		{1, 0, 1, ""}, {2, 0, 2, ""}, {3, 0, 3, ""}, {4, 0, 4, ""},
		{62, 1, 61, "1 call was not shown"}, // the first has a line of the log, and 60 are shown besides
	} {
		var out bytes.Buffer
		j := folding(t, &out, options{format: formatText, maxEntryRate: tt.rate})
		for n := range tt.calls {
			j.record(tokenCall(n+1, time.Second))
		}
		j.finish()
		j.flush()
		if n := strings.Count(out.String(), "  GET /latest/meta-data/  "); n != tt.shown {
			t.Errorf("%d calls, of which are shown %d: %s", tt.calls, n, out.String())
		}
		out.Reset()
		if err := j.summary.Print(&out, output.CaptureStats{}); err != nil || strings.Contains(out.String(), "not shown") != (tt.notShown != "") || !strings.Contains(out.String(), tt.notShown) {
			t.Errorf("%d calls, %v: %s", tt.calls, err, out.String())
		}
	}
}

// The state knows which calls are in no entry yet.
func TestFoldInState(t *testing.T) {
	var out bytes.Buffer
	j := folding(t, &out, options{format: formatJSON})
	file := filepath.Join(t.TempDir(), "state.json")
	j.state = kept(t, file)
	j.session = output.Session{Started: foldTime, BootID: "b1", Filter: "port 80"}
	j.lifecycle(j.session.Start())
	for n := range uint64(3) {
		j.record(tokenCall(n+1, time.Second))
	}
	j.saveState(output.CaptureStats{Live: true})
	if got := foldingIn(t, file); got != `[{"first_sequence":2,"calls":2}]` {
		t.Errorf("within a period the state has %s", got)
	}
	j.finish()
	j.progress(output.CaptureStopped, output.CaptureStats{Live: true})
	j.state.save()
	if got := foldingIn(t, file); got != "" {
		t.Errorf("at the end the state has %s", got)
	}
	if err := errors.Join(j.close()...); err != nil {
		t.Fatal(err)
	}
}

// foldingIn is what the state says of calls that are in no entry.
func foldingIn(t *testing.T, file string) string {
	t.Helper()
	state, err := readState(file)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := state.Write(&text); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Hosts []struct {
			Sessions struct {
				Latest []struct{ Folding json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(text.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Hosts) != 1 || len(document.Hosts[0].Sessions.Latest) != 1 {
		t.Fatalf("the state has something else: %s", text.Bytes())
	}
	return string(document.Hosts[0].Sessions.Latest[0].Folding)
}

// In a live capture the clock is the machine's: a request that took long ends no period.
func TestFoldOfLateCalls(t *testing.T) {
	var out bytes.Buffer
	j := folding(t, &out, options{format: formatJSON})
	now := foldTime
	j.now = func() time.Time { return now }
	for n := range uint64(30) {
		call := tokenCall(n+1, now.Sub(foldTime))
		if n%3 == 2 {
			call = tokenCall(n+1, now.Sub(foldTime)-time.Hour)
			call.Answer.Process = &attribution.Process{PID: 43, Name: "slow"}
		}
		j.record(call)
		now = now.Add(time.Second)
	}
	j.finish()
	j.flush()
	if got := toldBy(t, &out); !strings.HasSuffix(got, "×19") {
		t.Errorf("it tells of %s", got)
	}
}

// What the terminal shows takes no line from the log.
func TestShownTakesNoLine(t *testing.T) {
	var out bytes.Buffer
	j := folding(t, &out, options{format: formatText, maxEntryRate: 1})
	for n := range uint64(100) { // folded, and shown
		j.record(tokenCall(n+1, time.Second))
	}
	call := tokenCall(200, time.Second)
	call.Call.Request.TokenHeader = false
	e := output.NewEntry(*call, j.session.Host)
	if j.limiter.Limit(&e, foldTime.Add(time.Second)) || !j.limiter.Next().IsZero() {
		t.Error("the log has no room for the call")
	}
}
