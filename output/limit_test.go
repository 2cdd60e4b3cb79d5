package output

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
)

// floodEntry is the entry of a call of version 1, so long after testTime.
func floodEntry(sequence uint64, after time.Duration, edits ...func(*Record)) *Entry {
	r := testRecord(edits...)
	r.Call.Request.Time = testTime.Add(after)
	r.Call.Response.Time = r.Call.Request.Time.Add(time.Millisecond)
	r.Sequence = sequence
	e := NewEntry(r, testHost)
	return &e
}

// numberedProgram is another one of the same caller.
func numberedProgram(n int) func(*Record) {
	return func(r *Record) {
		p := *testProcess()
		p.PID, p.Executable, p.Args = 5000+n, fmt.Sprintf("/tmp/program-%d", n), []string{"x"}
		r.Answer.Process = &p
	}
}

func ofUnit(unit string) func(*Record) {
	return func(r *Record) { r.Identity.Unit, r.Identity.UserUnit = unit, "" }
}

// inContainerOf is in the container of that number, which bounds holds, in a pod that it names.
func inContainerOf(n int, bounds string) func(*Record) {
	return func(r *Record) {
		r.Identity.Container.ID, r.Identity.Pod.UID = fmt.Sprintf("%064x", n), fmt.Sprintf("%032x", n)
		r.Identity.Bounds = bounds
	}
}

func numberedPath(n int) func(*Record) { return target(fmt.Sprintf("/latest/meta-data/%d", n)) }

// limits is Limit at the time of the call.
func (l *Limiter) limits(e *Entry) bool { return l.Limit(e, e.Timestamp) }

// limitAll limits entries, and returns the log with the most entries to come at once.
func limitAll(l *Limiter, entries ...*Entry) (log []Entry, open int) {
	written := func(due []*Entry) {
		for _, e := range due {
			log = append(log, *e)
		}
	}
	for _, e := range entries {
		written(l.Due(e.Timestamp))
		if !l.Limit(e, e.Timestamp) {
			log = append(log, *e)
		}
		open = max(open, len(l.Open()))
	}
	written(l.Flush())
	return log, open
}

// flood is n calls, a millisecond from one to the next.
func flood(n int, edits func(i int) []func(*Record)) (entries []*Entry) {
	for i := range n {
		entries = append(entries, floodEntry(uint64(i+1), time.Duration(i)*time.Millisecond, edits(i)...))
	}
	return entries
}

func callsIn(log []Entry) (calls uint64) {
	for i := range log {
		calls += log[i].Calls()
	}
	return calls
}

// Each call is told, once; the log has a bound whatever the calls are.
func TestLimit(t *testing.T) {
	const calls, burst = 5000, 10 * limitBurst
	tests := []struct {
		name    string
		edits   func(i int) []func(*Record)
		entries int // beyond the burst, and the 50 of 5 s
	}{
		{"one kind", func(int) []func(*Record) { return nil }, 2},
		{"version 2", func(int) []func(*Record) { return []func(*Record){token} }, 2},
		{"two kinds", func(i int) []func(*Record) { return []func(*Record){numberedPath(i % 2)} }, 4},
		{"paths without end", func(i int) []func(*Record) { return []func(*Record){numberedPath(i)} }, maxKindsPaths + maxCallerFolds},
		{"programs without end", func(i int) []func(*Record) { return []func(*Record){numberedProgram(i)} }, maxTold + maxCallerFolds + 1},
		{"both", func(i int) []func(*Record) { return []func(*Record){numberedProgram(i / 40), numberedPath(i)} }, maxFirsts + calls/40 + maxCallerFolds + 1},
	}
	schema := compileSchema(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log, open := limitAll(NewLimiter(10), flood(calls, tt.edits)...)
			if got := callsIn(log); got != calls {
				t.Errorf("the log tells of %d calls", got)
			}
			if most := burst + 51 + tt.entries; len(log) > most || len(log) < burst {
				t.Errorf("%d entries, want %d at most", len(log), most)
			}
			if open > maxCallerFolds+4 {
				t.Errorf("%d entries are to come", open)
			}
			for i := max(0, len(log)-20); i < len(log); i++ {
				if err := validate(t, schema, string(appendEntry(nil, &log[i]))); err != nil {
					t.Fatalf("%s: %v", appendEntry(nil, &log[i]), err)
				}
			}
		})
	}
}

// What is not too much is as it was, and so is all of it without a limit.
func TestLimitLeavesAlone(t *testing.T) {
	l := NewLimiter(10)
	for i := range 10 * limitBurst {
		if l.limits(floodEntry(uint64(i), 0)) {
			t.Fatalf("call %d is folded", i)
		}
	}
	if !l.Next().IsZero() || len(l.Due(testTime)) > 0 {
		t.Error("entries are to come")
	}
	for i := range 100 { // at the rate
		if l.limits(floodEntry(uint64(i), time.Duration(i)*100*time.Millisecond, numberedPath(i))) {
			t.Fatalf("call %d at the rate is folded", i)
		}
	}
	log, _ := limitAll(NewLimiter(0), flood(5000, func(int) []func(*Record) { return nil })...)
	if len(log) != 5000 {
		t.Errorf("%d entries without a limit", len(log))
	}
}

// In another's flood, the calls of a caller have entries as ever.
func TestLimitOfOthers(t *testing.T) {
	tests := []struct {
		name   string
		others func(i int) []func(*Record)
	}{
		{"one unit", func(i int) []func(*Record) { return []func(*Record){ofUnit("bad.service"), numberedProgram(i)} }},
		{"a user's units", func(i int) []func(*Record) {
			return []func(*Record){func(r *Record) {
				r.Identity.Unit, r.Identity.UserUnit = "user@1000.service", fmt.Sprint("u", i, ".service")
			}}
		}},
		{"sessions of a user", func(i int) []func(*Record) { return []func(*Record){ofUnit(fmt.Sprintf("session-%d.scope", i))} }},
		{"containers in a container", func(i int) []func(*Record) { return []func(*Record){inContainerOf(i, "outer")} }},
		{"containers in a unit of anyone's", func(i int) []func(*Record) {
			return []func(*Record){ofUnit("bad.service"), inContainerOf(i, "bad.service")}
		}},
		{"users that a session may have", func(i int) []func(*Record) {
			return []func(*Record){ofUnit("session-3.scope"), func(r *Record) {
				r.Answer.Process.User, r.Identity.Bounds = &attribution.User{ID: uint32(100000 + i)}, "user-1000.slice"
			}}
		}},
		{"no process", func(int) []func(*Record) {
			return []func(*Record){func(r *Record) { r.Answer = attribution.Answer{Status: attribution.NotFound} }}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := NewLimiter(10)
			for i := range 4000 {
				l.limits(floodEntry(uint64(i), time.Duration(i)*time.Millisecond, tt.others(i)...))
				if i%10 == 0 && l.limits(floodEntry(uint64(i), time.Duration(i)*time.Millisecond, ofUnit("good.service"))) {
					t.Fatalf("call %d is folded", i)
				}
			}
			if len(l.callers) != 2 {
				t.Errorf("%d callers", len(l.callers))
			}
		})
	}
}

// The first call of each kind has an entry in the middle of a flood, with all that it tells.
func TestFirstCallsInAFlood(t *testing.T) {
	firsts := []func(*Record){token, target("/latest/user-data"), numberedProgram(1), target("/latest/meta-data/iam/security-credentials/r"),
		func(r *Record) { r.Call.Response.Status = 404 }, func(r *Record) { r.Call.Response.Status = 401 }}
	for i, first := range firsts {
		l := NewLimiter(10)
		for n := range 3000 {
			l.limits(floodEntry(uint64(n), 0))
		}
		if l.limits(floodEntry(4000, 0, first)) {
			t.Errorf("the first call of kind %d is folded", i)
		}
		if !l.limits(floodEntry(4001, 0, first)) {
			t.Errorf("the second call of kind %d has an entry", i)
		}
	}
}

// Callers without end have a bound, too, and each call is told.
func TestLimitOfCallersWithoutEnd(t *testing.T) {
	l := NewLimiter(1)
	var entries []*Entry
	for i := range 40 * limitBurst * 10 {
		unit := ofUnit(fmt.Sprintf("u%d.service", i%300))
		entries = append(entries, floodEntry(uint64(i+1), 0, unit, numberedProgram(i), target(fmt.Sprintf("/%d", i))))
	}
	log, open := limitAll(l, entries...)
	if callsIn(log) != uint64(len(entries)) {
		t.Errorf("%d calls of %d", callsIn(log), len(entries))
	}
	if len(l.callers) > maxLimited+1 || open > maxLimitFolds+28*maxLimited {
		t.Errorf("%d callers, %d entries to come", len(l.callers), open)
	}
	if l.folds != 0 {
		t.Errorf("%d folds are left", l.folds)
	}
}

// What a report, metrics and CloudWatch tell calls apart by is the same by their lines,
// whatever the answers are and whoever has answered.
func TestLimitTellsAnswersApart(t *testing.T) {
	type counts struct {
		tokenless                          map[Tokenless]uint64
		credentials, unanswered, elsewhere uint64
	}
	count := func(c *counts, e *Entry) {
		if c.tokenless == nil {
			c.tokenless = map[Tokenless]uint64{}
		}
		c.tokenless[e.Tokenless()] += e.Calls()
		if e.GotCredentials() {
			c.credentials += e.Calls()
		}
		if e.Status() == 0 {
			c.unanswered += e.Calls()
		}
		if slices.Contains(e.IMDS.Findings, string(diagnosis.LocalResponder)) {
			c.elsewhere += e.Calls()
		}
	}
	var want, got counts
	entries := flood(6000, func(i int) []func(*Record) {
		edits := []func(*Record){numberedProgram(i), numberedPath(i), func(r *Record) { r.Call.Response.Status = 100 + i*7%900 }}
		if i%3 == 0 {
			edits = append(edits, func(r *Record) {
				r.Diagnosis.Findings = []diagnosis.Finding{diagnosis.LocalResponder, diagnosis.HopLimit}
			})
		}
		if i%5 == 0 {
			edits = append(edits, func(r *Record) { r.Diagnosis.Findings = append(r.Diagnosis.Findings, diagnosis.OtherCloud) })
		}
		return edits
	})
	for i, e := range entries {
		if e.IMDS.Credentials = new(i%2 == 0); i%11 == 0 {
			e.HTTP.Response.StatusCode, e.Event.Outcome = 0, outcomeUnknown
		}
		count(&want, e)
	}
	log, _ := limitAll(NewLimiter(1), entries...)
	several, schema := 0, compileSchema(t)
	for i := range log {
		e := &log[i]
		count(&got, e)
		if e.IMDS.Folded.Statuses != "" {
			if several++; !strings.Contains(e.Message, "several statuses ("+e.IMDS.Folded.Statuses+")") {
				t.Errorf("message %q", e.Message)
			}
			if err := validate(t, schema, string(appendEntry(nil, e))); err != nil {
				t.Error(err)
			}
		}
	}
	if !reflect.DeepEqual(got, want) || several < 5 {
		t.Errorf("%d lines with several statuses, %+v, want %+v", several, got, want)
	}
}

// Calls of one program of too many kinds are told as that's.
func TestKindsOfOneProgram(t *testing.T) {
	log, _ := limitAll(NewLimiter(1), flood(2000, func(i int) []func(*Record) {
		return []func(*Record){numberedPath(i), ofUnit("bad.service"), func(r *Record) { r.Call.Request.UserAgent = fmt.Sprint("agent/", i) }}
	})...)
	last := log[len(log)-1]
	if last.IMDS.Folded.Several != SeveralKinds || last.Process.Executable == "" || last.UserAgent != (UserAgent{}) {
		t.Errorf("%s", appendEntry(nil, &last))
	}
	if !strings.Contains(last.Message, "too many kinds to be told apart") || strings.Contains(last.Message, "several programs") {
		t.Errorf("message %q", last.Message)
	}
	if err := validate(t, compileSchema(t), string(appendEntry(nil, &last))); err != nil {
		t.Error(err)
	}
}

// What an entry tells of several programs is what they have in common.
func TestEntryOfSeveralPrograms(t *testing.T) {
	log, _ := limitAll(NewLimiter(1), flood(2000, func(i int) []func(*Record) {
		return []func(*Record){numberedProgram(i), numberedPath(i), ofUnit("bad.service")}
	})...)
	last := log[len(log)-1]
	if last.IMDS.Folded.Several != SeveralPrograms || last.Process.PID != 0 || last.URL != (URL{}) || last.Systemd.Unit != "bad.service" || last.User.ID == "" {
		t.Errorf("%s", appendEntry(nil, &last))
	}
	if !strings.HasPrefix(last.Message, "IMDSv1 request by several programs of unit bad.service, status 200: ") {
		t.Errorf("message %q", last.Message)
	}
}

// What calls of several kinds are not all said to be their entry does not say, whichever comes last.
func TestEntrySaysWhatAllAre(t *testing.T) {
	yes, no := new(true), new(false)
	for _, tt := range []struct {
		name  string
		calls []*bool
		want  *bool
	}{
		{"true", []*bool{yes, yes, yes}, yes},
		{"false", []*bool{no, no, no}, no},
		{"one true", []*bool{yes, no, no}, nil},
		{"one false", []*bool{no, yes, yes}, nil},
		{"in turns", []*bool{yes, no, yes, no, yes}, nil},
		{"the last is not known", []*bool{no, no, nil}, nil},
		{"the first is not known", []*bool{nil, no, no}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := limitFold{rest: true, several: SeveralKinds}
			for i, is := range tt.calls {
				e := floodEntry(uint64(i+1), 0)
				e.IMDS.ForwardedFor, e.IMDS.Credentials = is, is
				f.add(e)
			}
			got := f.entry().IMDS
			if !reflect.DeepEqual(got.ForwardedFor, tt.want) || !reflect.DeepEqual(got.Credentials, tt.want) {
				t.Errorf("forwarded_for %v, credentials %v", got.ForwardedFor, got.Credentials)
			}
		})
	}
}

// A flood that goes on has an entry a minute, and ends; after it the caller is as it was.
func TestPeriodsOfAFlood(t *testing.T) {
	l := NewLimiter(1)
	var entries []*Entry
	for i := range 18000 { // 3 min
		entries = append(entries, floodEntry(uint64(i+1), time.Duration(i)*10*time.Millisecond))
	}
	log, _ := limitAll(l, entries...)
	folded := 0
	for i := range log {
		if log[i].Calls() > 1 {
			folded++
		}
	}
	if folded != 3 || callsIn(log) != 18000 {
		t.Errorf("%d entries tell of several calls, of %d in all", folded, callsIn(log))
	}
	if l.limits(floodEntry(1, time.Hour)) || !l.Next().IsZero() {
		t.Error("an hour later it is not forgotten")
	}
}

// What is late makes no room, however late it is: neither after it nor by itself. Nor does it
// end the periods of others.
func TestLateEntriesMakeNoRoom(t *testing.T) {
	for _, late := range []time.Duration{time.Second, 30 * time.Second, time.Hour, -time.Hour} {
		l := NewLimiter(10)
		written, ended := 0, 0
		for i := range 4000 {
			now := testTime.Add(time.Duration(i) * time.Millisecond)
			e := floodEntry(uint64(i+1), now.Sub(testTime))
			if i%20 == 19 {
				e = floodEntry(uint64(i+1), now.Sub(testTime)-late)
			}
			ended += len(l.Due(now))
			if !l.Limit(e, now) {
				written++
			}
		}
		if most := 10*limitBurst + 40 + 1; written > most || ended > 0 {
			t.Errorf("%v late: %d entries, want %d at most; %d periods have ended", late, written, most, ended)
		}
	}
}

// Long arguments take the room of several entries.
func TestCostOfLongEntries(t *testing.T) {
	if got := costOf(floodEntry(1, 0)); got != 1 {
		t.Errorf("a usual entry costs %v", got)
	}
	e := floodEntry(1, 0)
	e.Process.CommandLine = strings.Repeat("x", 16<<10)
	if got := costOf(e); got < 16 {
		t.Errorf("a long one costs %v", got)
	}
}

// First calls of each kind are few bytes, however long each is.
func TestFirstsAreBounded(t *testing.T) {
	long := strings.Repeat("x", 24<<10)
	tests := map[string]func(e *Entry){
		"arguments": func(e *Entry) {
			e.Process.CommandLine, e.Process.Args = long, []string{long}
			e.Process.Parent.CommandLine, e.Process.Parent.Args = long, []string{long}
		},
		"ancestors": func(e *Entry) {
			for range 8 {
				e.IMDS.Ancestors = append(e.IMDS.Ancestors, Relative{PID: 7, CommandLine: long, Executable: long})
			}
		},
		"candidates": func(e *Entry) { e.IMDS.Attribution.Candidates = []Relative{{PID: 7, CommandLine: long}, {PID: 8}} },
		"directory":  func(e *Entry) { e.Process.WorkingDirectory = "/" + long },
		"target":     func(e *Entry) { e.URL.Original += "?" + long },
	}
	for name, lengthen := range tests {
		t.Run(name, func(t *testing.T) {
			l := NewLimiter(10)
			for n := range 700 {
				l.limits(floodEntry(uint64(n+1), 0))
			}
			lines, bytes := 0, 0
			for n := range 2000 {
				e := floodEntry(uint64(n+1000), 0, numberedProgram(n/maxKindsPaths), numberedPath(n))
				lengthen(e)
				if !l.limits(e) {
					lines++
					bytes += len(appendEntry(nil, e))
				}
			}
			if short := name != "target"; short && lines < maxFirsts-1 || lines == 0 || lines > maxFirsts+2000/maxKindsPaths || bytes > 2*maxFirsts*limitCost {
				t.Errorf("%d lines of %d bytes in all", lines, bytes)
			}
			if name == "target" && l.limits(floodEntry(5000, 0, target("/another"), numberedProgram(0))) {
				t.Error("behind them a usual one has no room")
			}
		})
	}
}

func TestSpare(t *testing.T) {
	l := NewLimiter(1)
	shown := 0
	for i := range 100 {
		if l.Spare(floodEntry(uint64(i), 0), testTime) {
			shown++
		}
	}
	if shown != limitBurst {
		t.Errorf("%d are shown", shown)
	}
	if none := (*Limiter)(nil); !none.Spare(floodEntry(1, 0), testTime) || none.Next() != (time.Time{}) || none.Open() != nil {
		t.Error("no limit limits")
	}
}

// What is held back and then told alone is not told together.
func TestTogether(t *testing.T) {
	l := NewLimiter(1)
	for i := range limitBurst + 1 + 1 { // the last is held back, behind the first of its kind
		l.limits(floodEntry(uint64(i+1), 0))
	}
	for calls, want := range []uint64{0, 2, 3} {
		if got := l.Together(); got != want {
			t.Errorf("with %d calls held back: %d", calls+1, got)
		}
		l.limits(floodEntry(uint64(calls+100), 0))
	}
	if (*Limiter)(nil).Together() != 0 || (*Folder)(nil).Together() != 0 {
		t.Error("none tells")
	}
}
