package output

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
)

// foldEntry is the entry of a call of version 2, so long after testTime.
func foldEntry(sequence uint64, after time.Duration, edits ...func(*Record)) *Entry {
	r := testRecord(append([]func(*Record){token}, edits...)...)
	r.Call.Request.Time = testTime.Add(after)
	r.Call.Response.Time = r.Call.Request.Time.Add(time.Millisecond)
	r.Sequence = sequence
	e := NewEntry(r, testHost)
	return &e
}

// foldAll folds entries, and returns the log.
func foldAll(f *Folder, entries ...*Entry) (log []Entry) {
	written := func(due []*Entry) {
		for _, e := range due {
			log = append(log, *e)
		}
	}
	for _, e := range entries {
		written(f.Due(e.Timestamp))
		if !f.Fold(e) {
			log = append(log, *e)
		}
	}
	written(f.Flush())
	return log
}

// numbers are "sequence×calls" of a log.
func numbers(log []Entry) string {
	var all []string
	for i := range log {
		all = append(all, fmt.Sprintf("%d×%d", log[i].Event.Sequence, log[i].Calls()))
	}
	return strings.Join(all, " ")
}

func TestFold(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name    string
		entries []*Entry
		want    string
	}{
		{"one", []*Entry{foldEntry(1, 0)}, "1×1"},
		{"two", []*Entry{foldEntry(1, 0), foldEntry(2, s)}, "1×1 2×1"},
		{"the first at once, the others together", []*Entry{foldEntry(1, 0), foldEntry(2, s), foldEntry(3, 2*s), foldEntry(4, 59*s)}, "1×1 4×3"},
		{"the next period", []*Entry{foldEntry(1, 0), foldEntry(2, s), foldEntry(3, 2*s), foldEntry(4, 60*s), foldEntry(5, 61*s)}, "1×1 3×2 4×1 5×1"},
		{"out of order", []*Entry{foldEntry(1, s), foldEntry(2, 3*s), foldEntry(3, 2*s), foldEntry(4, 0)}, "1×1 4×3"},
		{"a clock that is set back", []*Entry{foldEntry(1, time.Hour), foldEntry(2, 0), foldEntry(3, s)}, "1×1 2×1 3×1"},
		{"a clock that is set back within a period", []*Entry{
			foldEntry(1, time.Hour), foldEntry(2, time.Hour), foldEntry(3, time.Hour), foldEntry(4, 0, inPod), foldEntry(5, s)}, "1×1 3×2 4×1 5×1"},
		{"two programs in turn", []*Entry{
			foldEntry(1, 0), foldEntry(2, 0, inPod), foldEntry(3, s), foldEntry(4, s, inPod), foldEntry(5, 2*s), foldEntry(6, 2*s, inPod)}, "1×1 2×1 5×2 6×2"},
		{"several paths and processes", []*Entry{
			foldEntry(1, 0), foldEntry(2, s, target("/latest/meta-data/placement/region")), foldEntry(3, s, otherProcess)}, "1×1 3×2"},
		{"periods end in the order of their beginnings", []*Entry{
			foldEntry(1, 2*s, inPod), foldEntry(2, s), foldEntry(3, 3*s), foldEntry(4, 3*s, inPod), foldEntry(5, 4*s), foldEntry(6, 4*s, inPod)}, "1×1 2×1 5×2 6×2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFolder(time.Minute)
			if got := numbers(foldAll(f, tt.entries...)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if len(f.open) != 0 || len(f.order) != 0 || !f.Next().IsZero() {
				t.Error("something is left")
			}
		})
	}
}

func otherProcess(r *Record) {
	p := testProcess()
	p.PID, p.Args, p.Start = 4343, []string{"python3", "/opt/app/sync.py", "--region", "us-east-1"}, p.Start.Add(time.Minute)
	r.Answer.Process = p
}

// What the entry for several calls says.
func TestFoldedEntry(t *testing.T) {
	log := foldAll(NewFolder(time.Minute), foldEntry(7, 0), foldEntry(9, 3*time.Second), foldEntry(12, 2*time.Second), foldEntry(15, time.Second, target("/latest/user-data")))
	e := log[len(log)-1]
	want := Folded{Calls: 3, First: testTime.Add(time.Second), Last: testTime.Add(3 * time.Second), FirstSequence: 9}
	if e.IMDS.Folded != want || e.URL.Path != "/latest/user-data" || e.Event.Sequence != 15 || !strings.HasSuffix(e.Message, "; the latest of 3 such calls") {
		t.Errorf("%+v, %s, number %d: %s", e.IMDS.Folded, e.URL.Path, e.Event.Sequence, e.Message)
	}
	if err := validate(t, compileSchema(t), string(e.AppendLine(nil))); err != nil {
		t.Error(err)
	}
}

// What has to be looked at is never folded.
func TestNeverFolded(t *testing.T) {
	noProcess := func(r *Record) { r.Answer = attribution.Answer{Status: attribution.NotFound} }
	found := func(r *Record) { r.Diagnosis.Findings = []diagnosis.Finding{diagnosis.LocalResponder} }
	noTime := func(e *Entry) { e.Timestamp = time.Time{} }
	tests := map[string]struct {
		edits []func(*Record)
		edit  func(*Entry)
	}{
		"version 1":      {edits: []func(*Record){func(r *Record) { r.Call.Request.TokenHeader = false }}},
		"unknown":        {edits: []func(*Record){func(r *Record) { r.Call.Request.TokenHeader = false }, cutHead(imds.Snaplen)}},
		"refused":        {edits: []func(*Record){status(401)}},
		"forbidden":      {edits: []func(*Record){status(403)}},
		"failed":         {edits: []func(*Record){status(503)}},
		"unanswered":     {edit: func(e *Entry) { e.HTTP.Response.StatusCode, e.Event.Outcome = 0, outcomeUnknown }},
		"reset":          {edit: func(e *Entry) { e.HTTP.Response.StatusCode, e.Event.Outcome = 0, outcomeFailure }},
		"with a finding": {edits: []func(*Record){found}},
		"fallback":       {edit: func(e *Entry) { e.IMDS.Fallback.Reason = "refused" }},
		"no process":     {edits: []func(*Record){noProcess}},
		"no time":        {edit: noTime},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewFolder(time.Minute)
			for n := range uint64(3) {
				e := foldEntry(n+1, time.Second, tt.edits...)
				if tt.edit != nil {
					tt.edit(e)
				}
				if f.Fold(e) {
					t.Error("it is folded")
				}
			}
			if len(f.open) > 0 {
				t.Error("a period is open")
			}
		})
	}
}

// Calls that differ in what the report or its reader tells apart are not told together.
func TestToldApart(t *testing.T) {
	tests := map[string]func(*Entry){
		"token request":     func(e *Entry) { e.Event.Action = actionToken },
		"answer":            func(e *Entry) { e.HTTP.Response.StatusCode, e.Event.Outcome = 404, outcomeFailure },
		"IPv6":              func(e *Entry) { e.Network.Type = "ipv6" },
		"hop limit":         func(e *Entry) { e.IMDS.ResponseTTL = 1 },
		"hop limit needed":  func(e *Entry) { e.IMDS.ResponseTTLNeeded = 2 },
		"credentials":       func(e *Entry) { e.IMDS.Credentials = new(true) },
		"proxy":             func(e *Entry) { e.IMDS.ForwardedFor = new(true) },
		"certainty":         func(e *Entry) { e.IMDS.Attribution.Status = "inferred" },
		"executable":        func(e *Entry) { e.Process.Executable = "/usr/bin/python3.12" },
		"deleted":           func(e *Entry) { e.IMDS.ExecutableDeleted = true },
		"elsewhere":         func(e *Entry) { e.IMDS.ExecutableElsewhere = true },
		"script":            func(e *Entry) { e.IMDS.Script.Path = "/opt/app/other.py" },
		"script that calls": func(e *Entry) { e.IMDS.Ancestors = []Relative{{PID: 7, Script: "/opt/app/run"}} },
		"User-Agent":        func(e *Entry) { e.UserAgent.Original = "curl/8" },
		"user":              func(e *Entry) { e.User.ID = "0" },
		"unit":              func(e *Entry) { e.Systemd.Unit = "other.service" },
		"container":         func(e *Entry) { e.Container.ID = testContainer },
		"package":           func(e *Entry) { e.Package.Version = "3" },
		"whom it is for":    func(e *Entry) { e.IMDS.OnBehalfOf.Name = "app" },
	}
	for name, differ := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewFolder(time.Minute)
			other := foldEntry(2, time.Second)
			differ(other)
			if f.Fold(foldEntry(1, 0)) || f.Fold(other) || len(f.open) != 2 {
				t.Errorf("%d periods", len(f.open))
			}
			if !f.Fold(foldEntry(3, time.Second)) || !f.Fold(other) {
				t.Error("they are not folded by themselves")
			}
		})
	}
}

// Whatever comes, no call is lost, and none is told twice. Next is when Due has something
// to do.
func TestFoldCountsAll(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	edits := [][]func(*Record){nil, {inPod}, {inUnit}, {status(404)}, {status(403)}, {otherProcess}, {func(r *Record) { r.Call.Request.TokenHeader = false }}}
	for range 50 {
		f := NewFolder(time.Minute)
		var log []Entry
		var at time.Duration
		const calls = 300
		for n := range uint64(calls) {
			at += time.Duration(random.IntN(20)-4) * time.Second
			e := foldEntry(n+1, at, edits[random.IntN(len(edits))]...)
			log = append(log, foldSome(t, f, e)...)
		}
		for _, e := range f.Flush() {
			log = append(log, *e)
		}
		var told uint64
		for i := range log {
			told += log[i].Calls()
		}
		if told != calls || len(log) == calls {
			t.Fatalf("%d entries tell of %d calls", len(log), told)
		}
	}
}

// foldSome folds an entry, and returns what has to be written by then.
func foldSome(t *testing.T, f *Folder, e *Entry) (log []Entry) {
	t.Helper()
	next := f.Next()
	before := len(f.order)
	for _, due := range f.Due(e.Timestamp) {
		log = append(log, *due)
	}
	if ended := len(f.order) < before; ended != (!next.IsZero() && !next.After(e.Timestamp)) {
		t.Fatalf("at %v, with the next end at %v, something ended: %v", e.Timestamp, next, ended)
	}
	if !f.Fold(e) {
		log = append(log, *e)
	}
	return log
}

// The calls of programs that there is no room for are entries of their own.
func TestFoldIsBounded(t *testing.T) {
	f := NewFolder(time.Minute)
	program := func(n int) *Entry {
		e := foldEntry(uint64(n), 0)
		e.Process.Executable = fmt.Sprintf("/usr/bin/program-%d", n)
		return e
	}
	for n := range 2 * maxFolds {
		if f.Fold(program(n)) || f.Fold(program(n)) != (n < maxFolds) {
			t.Fatalf("program %d", n)
		}
	}
	if len(f.open) != maxFolds || len(f.Open()) != maxFolds {
		t.Errorf("%d periods are open", len(f.open))
	}
	foldAll(f)
	if f.Fold(program(2*maxFolds)) || !f.Fold(program(2*maxFolds)) {
		t.Error("there is no room after all have ended")
	}
}

func TestFoldsNothing(t *testing.T) {
	f := NewFolder(0)
	if f != nil || f.Fold(foldEntry(1, 0)) || f.Fold(foldEntry(2, 0)) || f.Due(testTime) != nil || f.Flush() != nil || f.Open() != nil || !f.Next().IsZero() {
		t.Error("it folds")
	}
}

// Only calls of version 2 are told together, whatever a log says.
func TestEntryCalls(t *testing.T) {
	for version, want := range map[string]uint64{"v1": 1, "unknown": 1, "v2": 5} {
		e := Entry{IMDS: IMDS{Version: version, Folded: Folded{Calls: 5}}}
		if got := e.Calls(); got != want {
			t.Errorf("%s: %d calls", version, got)
		}
	}
}

// Folding a call takes less than making its entry, and next to no memory.
func BenchmarkFold(b *testing.B) {
	f, e := NewFolder(time.Minute), foldEntry(1, 0)
	b.ReportAllocs()
	for b.Loop() {
		f.Due(e.Timestamp)
		f.Fold(e)
	}
}
