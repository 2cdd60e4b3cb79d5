package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"imds-analyzer/output"
)

// some is a log of two hosts with something of everything in it.
func some() []any {
	one := capture{host: "web-1", boot: "b1", started: at(0), uptime: 20, counts: output.Counts{PacketsDroppedKernel: 4, CallsV1: 3}}
	two := capture{host: "web-1", boot: "b2", started: at(4), uptime: 31}
	three := capture{host: "db-1", boot: "c1", started: at(1), uptime: 400}
	curl := process("/usr/bin/curl")
	return []any{
		one.start(),
		call(sequence(1), curl, unit("backup.service"), when(at(0.5)), credentials, pathTo("/latest/meta-data/iam/security-credentials/app"), findings("credentials-over-v1")),
		call(sequence(2), userAgent("Boto3/1.9.0 Botocore/1.12.0"), when(at(0.75)), findings("old-software")),
		call(sequence(3), tokenRequest, curl, status(403), when(at(0.8)), findings("token-refused")),
		call(sequence(4), curl, fallback("refused", 403, "process"), when(at(0.9)), commandLine("curl -s http://169.254.169.254/")),
		one.stop(at(3)),
		two.start(),
		call(sequence(1), unknownCall, curl, when(at(4.5))),
		call(sequence(2), status(401), userAgent("aws-sdk-go/1.20.0"), when(at(5)), ipv6),
		two.runs(at(6)),
		three.start(),
		call(sequence(1), from("db-1"), curl, unit("backup.service"), when(at(1.5)), packaged("curl", "7.88.1"), status(404)),
		call(sequence(2), from("db-1"), tokenRequest, process("/usr/bin/java"), hops(1, 2), when(at(1.75))),
		call(sequence(3), from("db-1"), findings("local-responder"), server("kiam"), process("/usr/bin/java"), when(at(2))),
		three.stop(at(9)),
	}
}

func written(t testing.TB, s *State) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func read(t testing.TB, text string) *State {
	t.Helper()
	s, err := ReadState(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func reported(t testing.TB, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A state says the same as what it was made from, and again when it is written anew.
func TestStateRoundTrip(t *testing.T) {
	b := take(New(week), some()...)
	text := written(t, b.Snapshot())
	if !IsState([]byte(text)) || !IsState([]byte(text[:64])) {
		t.Error("it is not known for a state")
	}
	again := New(week)
	if err := again.State(read(t, text)); err != nil {
		t.Fatal(err)
	}
	if got, want := reported(t, again.Report()), reported(t, b.Report()); got != want {
		t.Errorf("from the state:\n%s\nwant:\n%s", got, want)
	}
	if got := written(t, again.Snapshot()); got != text {
		t.Errorf("written anew:\n%s\nwant:\n%s", got, text)
	}
}

// A snapshot stays as it is while the Builder goes on.
func TestSnapshotIsACopy(t *testing.T) {
	b := take(New(week), some()...)
	s := b.Snapshot()
	before := written(t, s)
	take(b, some()...)
	if written(t, s) != before {
		t.Error("the snapshot has changed")
	}
}

// Whatever part of a log a state has counted, together with the whole log it says what
// the log says, in whichever order that is read.
// Another capture on the host, such as one by hand beside the service, has numbers of its
// own: what it has told is in no state.
func TestStateOfAnotherCapture(t *testing.T) {
	service := capture{host: "web-1", boot: "b1", started: at(0), uptime: 20}
	byHand := capture{host: "web-1", boot: "b1", started: at(1), uptime: 86420}
	before := capture{host: "web-1", boot: "b1", started: at(-1), uptime: 20}
	lastBoot := capture{host: "web-1", boot: "b0", started: at(-1), uptime: 20}
	bootless := capture{host: "web-1", started: at(-1)}
	setBack := before.stop(at(1)) // it had run for longer than that
	setBack.IMDS.Capture.Elapsed = new(uint64(5 * 24 * 60 * 60))
	numbered := call(when(at(1.5)), sequence(1))
	b := take(New(week), service.start(), call(v2, when(at(2)), func(e *output.Entry) { e.Event.Sequence = 9 }), service.runs(at(8)))
	for name, tt := range map[string]struct {
		lines []any
		isNew bool
	}{
		"alone":                       {[]any{byHand.start(), numbered, byHand.stop(at(3))}, true},
		"of no time known":            {[]any{byHand.start(), call(when(at(1.5))), byHand.stop(at(3))}, true},
		"it began before the service": {[]any{before.start(), numbered, before.stop(at(3))}, true},
		"it goes on":                  {[]any{before.start(), before.runs(at(1)), numbered}, true},
		"it had ended":                {[]any{before.start(), before.stop(at(-0.5)), numbered}, false},
		"its boot had ended":          {[]any{lastBoot.start(), lastBoot.runs(at(-0.5)), numbered}, false},
		"it stopped, and has no boot": {[]any{bootless.start(), bootless.stop(at(-0.5)), numbered}, false},
		"it has no boot":              {[]any{bootless.start(), numbered}, true},
		"its clock was set":           {[]any{before.start(), setBack, numbered}, true},
		"none":                        {[]any{numbered}, false},
	} {
		reader := New(week)
		if err := reader.State(b.Snapshot()); err != nil {
			t.Fatal(err)
		}
		r := take(reader, tt.lines...).Report()
		if isNew := r.Verdict.Status == NotReady; isNew != tt.isNew || (r.Calls.V1 == 1) != tt.isNew || (r.Inputs.Repeated == 0) != tt.isNew {
			t.Errorf("%s: %s, %d calls of version 1, %d repeated", name, r.Verdict.Status, r.Calls.V1, r.Inputs.Repeated)
		}
	}
}

// What a log could not take a state has counted all the same, up to when it was saved.
func TestStateHasWhatNoLogHas(t *testing.T) {
	c := capture{host: "web-1", boot: "b1", started: day, uptime: 20}
	lines := func(stated uint64) []any {
		l := c.runs(at(6))
		l.NotWritten(stated)
		return []any{c.start(), l}
	}
	tests := []struct {
		name           string
		stated, logged uint64
		missing        string
		count          uint64
	}{
		{"nothing is missing", 0, 0, "", 0},
		{"the state has it", 3, 3, "", 0},
		{"the state has it, and the log does not tell", 3, 0, "", 0},
		{"lost since", 3, 5, "entries_not_written", 2},
		{"lost since, for the first time", 0, 2, "entries_not_written", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := New(week)
			if err := b.State(read(t, written(t, take(New(week), lines(tt.stated)...).Snapshot()))); err != nil {
				t.Fatal(err)
			}
			v := take(b, c.start(), c.gap(at(5), tt.logged), c.stop(at(7))).Report().Verdict
			if ids(v.Missing) != tt.missing || tt.count != 0 && v.Missing[0].Count != tt.count {
				t.Errorf("missing are %+v", v.Missing)
			}
		})
	}
}

// A gap says how many calls there were: those that neither the log nor the state has are
// missing, also if the state says that it has as many lines as the log lacks.
func TestGapTellsOfCalls(t *testing.T) {
	c := capture{host: "web-1", boot: "b1", started: day, uptime: 20}
	l := c.runs(at(3))
	l.NotWritten(2)
	b := New(week)
	if err := b.State(read(t, written(t, take(New(week), c.start(), l).Snapshot()))); err != nil {
		t.Fatal(err)
	}
	c.counts.CallsV1 = 1
	v := take(b, c.gap(at(9), 2)).Report().Verdict
	if v.Status == Ready || ids(v.Missing) != "calls_not_read" || v.Missing[0].Count != 1 {
		t.Errorf("%s, missing are %+v", v.Status, v.Missing)
	}
}

func TestStateAndLogCountOnce(t *testing.T) {
	log := some()
	want := reported(t, take(New(week), log...).Report())
	for n := range len(log) + 1 {
		for _, order := range []string{"forth", "back"} {
			t.Run(fmt.Sprintf("%d lines, %s", n, order), func(t *testing.T) {
				s := take(New(week), log[:n]...).Snapshot()
				b := New(week)
				if err := b.State(read(t, written(t, s))); err != nil {
					t.Fatal(err)
				}
				for i := range log {
					if order == "back" {
						i = len(log) - 1 - i
					}
					take(b, log[i])
				}
				r := b.Report()
				if counted := uint64(countCalls(log[:n])); r.Inputs.Repeated != counted {
					t.Errorf("%d calls are repeated, want %d", r.Inputs.Repeated, counted)
				}
				r.Inputs.Repeated = 0
				if got := reported(t, r); got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
			})
		}
	}
}

func countCalls(lines []any) (n int) {
	for _, line := range lines {
		if _, ok := line.(*output.Entry); ok {
			n++
		}
	}
	return n
}

// Calls without numbers are those of older logs.
func TestStateAndCallsWithoutNumbers(t *testing.T) {
	c := capture{host: "web-1", boot: "b1", started: at(1), uptime: 10}
	s := take(New(week), c.start(), call(when(at(2)), sequence(5)), c.runs(at(3))).Snapshot()
	tests := []struct {
		name     string
		call     *output.Entry
		repeated uint64
	}{
		{"within", call(when(at(2.5))), 1},
		{"before", call(when(at(0.5))), 0},
		{"after", call(when(at(3.5))), 0},
		{"of another host", call(when(at(2.5)), from("web-2")), 0},
		{"numbered, counted", call(when(at(1.5)), sequence(4)), 1},
		{"numbered, later", call(when(at(2.5)), sequence(6)), 0},
		{"numbered, begun before", call(when(at(1.5)), sequence(6)), 0},
		{"numbered, of the next capture", call(when(at(2.5)), sequence(1)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := New(week)
			if err := b.State(s); err != nil {
				t.Fatal(err)
			}
			b.Call(tt.call)
			if got := b.Report().Inputs.Repeated; got != tt.repeated {
				t.Errorf("%d repeated, want %d", got, tt.repeated)
			}
		})
	}
}

// A service goes on with its own state: what comes is new, even if its clock was set back.
func TestResume(t *testing.T) {
	first := take(New(Options{}), some()[:6]...)
	again := New(Options{})
	if err := again.Resume(read(t, written(t, first.Snapshot()))); err != nil {
		t.Fatal(err)
	}
	next := capture{host: "web-1", boot: "b9", started: at(0.1), uptime: 5}
	take(again, next.start(), call(sequence(1), when(at(0.2))))
	if r := again.Report(); r.Calls.V1 != 4 || r.Inputs.Repeated != 0 {
		t.Errorf("%d calls of version 1, %d repeated; want 4 and 0", r.Calls.V1, r.Inputs.Repeated)
	}
}

func TestStateErrors(t *testing.T) {
	s := take(New(week), some()...).Snapshot()
	late := take(New(week), call())
	if err := late.State(s); !errors.Is(err, ErrStateLate) {
		t.Errorf("a state after a call: %v", err)
	}
	twice := New(week)
	if err := twice.State(s); err != nil {
		t.Fatal(err)
	}
	before := reported(t, twice.Report())
	if err := twice.State(s); !errors.Is(err, ErrStateTwice) {
		t.Errorf("a state twice: %v", err)
	}
	if reported(t, twice.Report()) != before {
		t.Error("a state that failed has changed something")
	}

	tests := []struct {
		name, text string
		want       error
	}{
		{"nothing", "", ErrState},
		{"a log", `{"@timestamp":"2026-11-23T04:30:49Z"}`, ErrState},
		{"of another kind", `{"kind":"other","format":1}`, ErrState},
		{"kind not first", `{"format":1,"kind":"imds-analyzer-state"}`, ErrState},
		{"newer", `{"kind":"imds-analyzer-state","format":2,"hosts":7}`, ErrStateNewer},
		{"cut off", `{"kind":"imds-analyzer-state","format":1,"hosts":[`, ErrState},
		{"a host is null", `{"kind":"imds-analyzer-state","format":1,"hosts":[null]}`, ErrState},
		{"a program is null", `{"kind":"imds-analyzer-state","format":1,"programs":[null]}`, ErrState},
		{"a negative count", `{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","calls":{"v1":-1}}]}`, ErrState},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadState(strings.NewReader(tt.text)); !errors.Is(err, tt.want) {
				t.Errorf("the error is %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := ReadState(iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrState) {
		t.Errorf("what cannot be read gives %v", err)
	}
}

func TestIsState(t *testing.T) {
	tests := []struct {
		head string
		want bool
	}{
		{`{"kind":"imds-analyzer-state","for`, true},
		{"{\n  \"kind\": \"imds-analyzer-state\",\n", true},
		{`{"kind":"imds-analyzer-state`, false},
		{`{"@timestamp":"2026-11-23T04:30:49Z"`, false},
		{`[]`, false},
		{``, false},
		{"\xd4\xc3\xb2\xa1", false},
	}
	for _, tt := range tests {
		if got := IsState([]byte(tt.head)); got != tt.want {
			t.Errorf("IsState(%q) = %v", tt.head, got)
		}
	}
}

// What a state file says goes through the same limits and the same cleaning as what a
// log says.
func TestStateIsCleaned(t *testing.T) {
	text := `{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","hostname":"a\u001b[2Jb"}],
		"programs":[{"key":{"executable":"/x?token=` + strings.Repeat("s3cr3t", 8) + `"},"calls":{"v1":1},"example":{"command_line":"x\u202ey","ancestors":["z\u001b"],"at":"2026-03-02T00:00:00Z"},
		"paths":{"counts":{"/latest/\u0007":1}},"hosts":[{"host":"a","calls":1,"v1":1,"blocking":1}]}]}`
	b := New(week)
	if err := b.State(read(t, text)); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	if err := b.Report().Print(&shown); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\u202e", "\a", "s3cr3t"} {
		if strings.Contains(shown.String(), bad) || strings.Contains(reported(t, b.Report()), bad) {
			t.Errorf("%q is shown", bad)
		}
	}
}

func FuzzReadState(f *testing.F) {
	b := take(New(week), some()...)
	f.Add([]byte(written(f, b.Snapshot())))
	f.Add([]byte(`{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"","sessions":{"earlier":{"sessions":1,"boots":{"count":3}},"latest":[{"started":"0000-01-01T00:00:00+14:00"}],"hours":[-5,3]}}]}`))
	f.Add([]byte(`{"kind":"imds-analyzer-state","format":1,"other_programs":{"hosts":[{"host":" other hosts "}]},"other_hosts":{"key":"x"}}`))
	f.Add([]byte(`{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","timeline":{"doublings":3,"buckets":[{"slot":700000000,"v1":1},{"slot":5,"v2":2},{"slot":5}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadState(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, ErrState) && !errors.Is(err, ErrStateNewer) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		text := written(t, s)
		again := read(t, text)
		if second := written(t, again); second != text {
			t.Fatalf("written twice:\n%s\n%s", text, second)
		}
		b := New(week)
		if err := b.State(s); err != nil {
			t.Fatal(err)
		}
		r := b.Report()
		if err := r.Print(io.Discard); err != nil {
			t.Fatal(err)
		}
		reported(t, r)
	})
}

// The state of a busy host for a year stays below a few hundred KiB.
func TestStateIsSmall(t *testing.T) {
	b := New(week)
	for n := range 50_000 {
		e := call(when(day.Add(time.Duration(n)*10*time.Minute)), sequence(uint64(n+1)), process(fmt.Sprintf("/usr/bin/p%d", n%40)), pathTo(fmt.Sprintf("/latest/%d", n%100)), userAgent("curl/8.5.0"))
		b.Call(e)
		if n%140 == 0 {
			c := capture{host: "web-1", boot: fmt.Sprint(n), started: e.Timestamp, uptime: 10}
			take(b, c.start())
		}
	}
	if n := len(written(t, b.Snapshot())); n > 300<<10 {
		t.Errorf("the state takes %d KiB", n>>10)
	}
}
