package output

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

func summaryOf(records ...Record) *Summary {
	s := NewSummary()
	for _, r := range records {
		e := NewEntry(r, testHost)
		s.Add(&e)
	}
	return s
}

func printed(t *testing.T, s *Summary, c CaptureStats) string {
	t.Helper()
	var out strings.Builder
	if err := s.Print(&out, c); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestSummaryTellsWhatIsNotWritten(t *testing.T) {
	for _, c := range []struct {
		entries uint64
		want    string
	}{{1, "\nNot written: 1 entry of the log\n"}, {12, "\nNot written: 12 entries of the log\n"}} {
		var b strings.Builder
		if err := NewSummary().Print(&b, CaptureStats{Segments: 9, EntriesNotWritten: c.entries}); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%v, there is no %q: %s", err, c.want, &b)
		}
		if strings.Contains(b.String(), "Nothing was lost") || !strings.Contains(b.String(), "\nThe log lacks entries, but every call") {
			t.Errorf("it says %s", &b)
		}
	}
}

func TestSummaryGolden(t *testing.T) {
	var all []Record
	records := testRecords()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		all = append(all, records[name])
	}
	live := CaptureStats{Live: true, PacketsReceived: 5000, Segments: 420, DroppedByKernel: 3, NotHTTP: 1, SegmentsIgnored: 2}
	checkGolden(t, "summary.golden.txt", printed(t, summaryOf(all...), live))
	calm := CaptureStats{PacketsReceived: 20, Segments: 20}
	checkGolden(t, "summary_v2.golden.txt", printed(t, summaryOf(testRecord(token), testRecord(tokenRequest6)), calm))
	checkGolden(t, "summary_empty.golden.txt", printed(t, summaryOf(), CaptureStats{Live: true, PacketsReceived: 7}))
}

func TestVerdict(t *testing.T) {
	none, v1, v2 := summaryOf(), summaryOf(testRecord()), summaryOf(testRecord(token))
	unknown := summaryOf(testRecord(cutHead(imds.Snaplen)))
	seen := CaptureStats{Segments: 10}
	with := func(edit func(*CaptureStats)) CaptureStats { c := seen; edit(&c); return c }
	tests := []struct {
		name    string
		summary *Summary
		stats   CaptureStats
		want    string
	}{
		{"nothing in a file", none, CaptureStats{}, "No packet to or from the metadata service was seen, so there is nothing to judge."},
		{"packets of others in a file", none, CaptureStats{PacketsReceived: 9},
			"No packet to or from the metadata service was seen, so there is nothing to judge. If the service has another address there, --endpoint names it."},
		{"nothing seen live", none, CaptureStats{Live: true}, "No packet to or from the metadata service was seen, so there is nothing to judge. " +
			"In a container that does not have the host's network only its own calls pass; imds-analyzer selftest says whether the capture works here."},
		{"no v1", v2, seen, "Nothing was lost and every call was classified: no IMDSv1 call was made where and while this capture ran."},
		{"packets without calls", none, seen, "Nothing was lost and every call was classified: no IMDSv1 call was made where and while this capture ran."},
		{"v1", v1, seen, "Nothing was lost and every call was classified: these are all IMDSv1 calls made where and while this capture ran."},
		{"drop", v2, with(func(c *CaptureStats) { c.DroppedByKernel = 1 }), "That no IMDSv1 call is listed proves nothing: 1 packet was dropped."},
		{"drops, nothing seen", none, CaptureStats{DroppedByInterface: 4}, "That no IMDSv1 call is listed proves nothing: 4 packets were dropped."},
		{"ended at once", none, CaptureStats{EndedEarly: true}, "That no IMDSv1 call is listed proves nothing: reading ended before the input did."},
		{"not read, nothing seen", none, CaptureStats{NotRead: 4}, "That no IMDSv1 call is listed proves nothing: 4 packets have a link type that is not read."},
		{"not read", v1, with(func(c *CaptureStats) { c.NotRead = 1 }), "There may be more IMDSv1 calls than these: 1 packet has a link type that is not read."},
		{"more drops than can be, and one not read, nothing seen", none, CaptureStats{DroppedByKernel: math.MaxUint64, NotRead: 1},
			"That no IMDSv1 call is listed proves nothing: 18446744073709551615 packets were dropped and 1 packet has a link type that is not read."},
		{"cut off, nothing seen", none, CaptureStats{Truncated: true}, "That no IMDSv1 call is listed proves nothing: not all of the input could be read."},
		{"a fragment is missing, nothing seen", none, CaptureStats{RequestsPartial: 1}, "That no IMDSv1 call is listed proves nothing: 1 fragmented packet to the service lacks a fragment."},
		{"a hole, nothing seen", none, CaptureStats{RequestGaps: 1}, "That no IMDSv1 call is listed proves nothing: 1 gap in what a client sent may hide requests."},
		{"cut packets, nothing seen", none, CaptureStats{RequestsCut: 1, SnaplenNeeded: 90}, "That no IMDSv1 call is listed proves nothing: 1 packet of a request was cut by the snaplen."},
		{"files read late", v1, with(func(c *CaptureStats) { c.FilesLate = 2 }), "There may be more IMDSv1 calls than these: 2 files were read behind others of their time."},
		{"unknown", unknown, seen, "That no IMDSv1 call is listed proves nothing: 1 call could not be classified."},
		{"v1 and drops", v1, with(func(c *CaptureStats) { c.DroppedByKernel, c.Evicted, c.ResponsesUnmatched = 2, 1, 3 }),
			"There may be more IMDSv1 calls than these: 2 packets were dropped, 1 connection was given up for lack of room and 3 answers belong to requests that were not captured."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.stats.verdict(tt.summary); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSummaryCounts(t *testing.T) {
	s := summaryOf(testRecord(), testRecord(token), testRecord(tokenRequest6), testRecord(cutHead(imds.LostSegment)),
		testRecord(nothingSeen), testRecord(offline))
	got := s.Counts(CaptureStats{PacketsReceived: 9, DroppedByKernel: 2, DroppedByInterface: 1, NotRead: 4, NotHTTP: 3, EventsLost: 5, Truncated: true, Segments: 6})
	want := Counts{
		PacketsReceived: 9, PacketsDroppedKernel: 2, PacketsDroppedInterface: 1, PacketsNotRead: 4, CallsV1: 2, CallsV2: 2, CallsUnknown: 2,
		StreamsNotHTTP: 3, AttributionResolved: 4, AttributionMissed: 1, EventsLost: 5, Truncated: true,
		Segments: new(uint64(6)),
	}
	if !reflect.DeepEqual(got, want) || s.Calls() != 6 {
		t.Errorf("got %+v, %d calls, want %+v", got, s.Calls(), want)
	}
}

// Packets that are not read are told wherever counts are.
func TestNotReadIsTold(t *testing.T) {
	none := summaryOf()
	for _, tt := range []struct {
		stats         CaptureStats
		summary, line string
		level         string
	}{
		{CaptureStats{PacketsReceived: 9}, "", "9 packets received, 0 dropped\"", levelInfo},
		{CaptureStats{PacketsReceived: 9, NotRead: 1}, "\nNot read: 1 packet by its link type\n", "0 dropped, 1 not read\"", levelWarning},
		{CaptureStats{PacketsReceived: 9, NotRead: 8, NotHTTP: 1},
			"\nNot read: 8 packets by their link types, 1 connection with something other than HTTP/1\n", "0 dropped, 8 not read\"", levelWarning},
	} {
		text := printed(t, none, tt.stats)
		if !strings.Contains(text, tt.summary) || tt.summary == "" && strings.Contains(text, "Not read") {
			t.Errorf("%+v: %s", tt.stats, text)
		}
		l := (&Session{Started: testTime}).Progress(CaptureRuns, testTime, none.Counts(tt.stats))
		line := string(appendLifecycle(nil, &l))
		if !strings.Contains(line, tt.line) || l.LogLevel != tt.level {
			t.Errorf("%+v: %s", tt.stats, line)
		}
		if err := validate(t, compileSchema(t), line); err != nil {
			t.Error(err)
		}
		if told := strings.Contains(line, fmt.Sprintf(`"packets_not_read":%d,`, tt.stats.NotRead)); told != (tt.stats.NotRead > 0) {
			t.Errorf("%+v: %s", tt.stats, line)
		}
	}
}

// Calls without labels are counted and told by reason, but only where there was a
// command that could give some.
func TestSummaryOfEnriching(t *testing.T) {
	s := summaryOf(testRecord())
	if got := s.Counts(CaptureStats{}).EnrichFailed; got != nil {
		t.Errorf("%d without a command", *got)
	}
	s.Enriching()
	if got := s.Counts(CaptureStats{}).EnrichFailed; got == nil || *got != 0 {
		t.Errorf("%v at first", got)
	}
	if text := printed(t, s, CaptureStats{}); strings.Contains(text, "Not enriched") {
		t.Errorf("nothing failed: %s", text)
	}
	v2 := IMDS{Version: imds.V2.String(), Folded: Folded{Calls: 40}}
	flood := IMDS{Version: imds.V1.String(), Folded: Folded{Calls: 500, Reason: ReasonRate}}
	for _, failed := range []struct {
		of     IMDS
		reason NotEnriched
	}{{IMDS{}, TookTooLong}, {IMDS{}, CommandFailed}, {v2, CommandFailed}, {IMDS{}, EndedFirst}, {flood, EndedFirst}} {
		s.NotEnriched(&Entry{IMDS: failed.of}, failed.reason)
	}
	if got := s.Counts(CaptureStats{}).EnrichFailed; got == nil || *got != 543 {
		t.Errorf("%v of 543", got)
	}
	want := "\nNot enriched: the command failed (41), the command took too long (1), the program was ended first (501)\n"
	if text := printed(t, s, CaptureStats{}); !strings.Contains(text, want) {
		t.Errorf("there is no %q in %s", want, text)
	}
}

// However many programs, paths and pids there are, the summary stays small
// and says how many calls it leaves out.
func TestSummaryIsBounded(t *testing.T) {
	s := NewSummary()
	const programs, calls = 2 * maxPrograms, 50
	for i := range programs {
		for j := range calls {
			e := NewEntry(testRecord(target(fmt.Sprintf("/%d", j)), func(r *Record) {
				r.Answer.Process.Executable = fmt.Sprintf("/bin/%d", i)
				r.Answer.Process.PID = j + 1
				r.Call.Request.UserAgent = strings.Repeat("u", 10_000)
			}), testHost)
			s.Add(&e)
		}
	}
	if len(s.programs) != maxPrograms || s.others.v1 != (programs-maxPrograms)*calls {
		t.Errorf("%d programs, %d calls of others", len(s.programs), s.others.v1)
	}
	p := s.sorted()[0]
	if len(p.paths.counts) != maxPaths || p.paths.others != calls-maxPaths || len(p.pids.counts) != maxOfEach {
		t.Errorf("%d paths, %d others, %d pids", len(p.paths.counts), p.paths.others, len(p.pids.counts))
	}
	text := printed(t, s, CaptureStats{Segments: 1})
	want := fmt.Sprintf("other programs: %d v1", (programs-shownPrograms)*calls)
	if !strings.Contains(text, want) || len(text) > 40_000 {
		t.Errorf("%d bytes without %q", len(text), want)
	}
}

func TestProgramsAreToldApart(t *testing.T) {
	script := func(name string) func(*Record) {
		return func(r *Record) { r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: name} }
	}
	agent := func(ua string) func(*Record) { return func(r *Record) { r.Call.Request.UserAgent = ua } }
	s := summaryOf(
		testRecord(script("/a.py")), testRecord(script("/a.py")), testRecord(script("/b.py")),
		testRecord(offline, agent("curl/8")), testRecord(offline, agent("curl/8")), testRecord(offline, agent("")),
	)
	var titles []string
	for _, p := range s.sorted() {
		titles = append(titles, fmt.Sprintf("%s: %s", p.title(), p.calls()))
	}
	want := []string{
		"/usr/bin/python3.11 /a.py: 2 v1", "process not known, User-Agent curl/8: 2 v1",
		"/usr/bin/python3.11 /b.py: 1 v1", "process not known, no User-Agent: 1 v1",
	}
	if !slices.Equal(titles, want) {
		t.Errorf("got %q", titles)
	}
}

// One executable in two places is two programs, also where both are called
// alike; the containers of a task's family are one.
func TestOwnersAreToldApart(t *testing.T) {
	in := func(w identity.Workload) Record { return testRecord(func(r *Record) { r.Identity.Workload = w }) }
	named := func(name string) identity.Workload {
		return identity.Workload{Container: identity.Container{ID: testContainer, Runtime: identity.Docker, Name: name}}
	}
	sync := func(pod string) identity.Workload {
		w := named("sync")
		w.Pod = identity.Pod{UID: pod, Name: pod, Namespace: "jobs"}
		return w
	}
	ecs := func(hex string) identity.Workload {
		w := named("ecs-web-7-web-" + hex)
		w.Task = identity.Task{ID: hex, Family: "web:7"}
		return w
	}
	s := summaryOf(in(ecs("0a")), in(ecs("0b")), in(named("web-1")), in(named("web-2")), in(sync("b")), in(sync("a")),
		in(identity.Workload{Unit: "sync.service"}), in(identity.Workload{}))
	var got []string
	for _, p := range s.sorted() {
		got = append(got, JoinKnown("; ", p.place, p.pod, p.calls()))
	}
	want := []string{
		"web (docker); 2 v1", "1 v1", "sync (docker); jobs/a; 1 v1", "sync (docker); jobs/b; 1 v1", "sync.service; 1 v1",
		"web-1 (docker); 1 v1", "web-2 (docker); 1 v1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestScriptTitle(t *testing.T) {
	for want, s := range map[string]Script{
		"":                {},
		"/opt/a/sync.py":  {Kind: "file", Name: "sync.py", Path: "/opt/a/sync.py"},
		"sync.py":         {Kind: "file", Name: "sync.py"},
		"-m http.server":  {Kind: "module", Name: "http.server"},
		"-jar /y.jar":     {Kind: "jar", Name: "y.jar", Path: "/y.jar"},
		"com.example.Run": {Kind: "class", Name: "com.example.Run"},
		"with commands":   {Kind: "commands"},
	} {
		if got := s.Title(); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}

func TestSummaryErrors(t *testing.T) {
	if err := NewSummary().Print(&full{err: syscall.EPIPE}, CaptureStats{}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v", err)
	}
}

// Every reason and status has words of its own.
func TestReasonsHaveWords(t *testing.T) {
	for reason := imds.Whole + 1; reason < imds.OtherReason; reason++ {
		if text := reasonText(reason.String()); text == reason.String() {
			t.Errorf("%s has no words", reason)
		}
	}
	for _, status := range []attribution.Status{
		attribution.Shared, attribution.Inferred, attribution.NotFound, attribution.Unavailable, attribution.Offline,
	} {
		if text := statusText(status); text == string(status) {
			t.Errorf("%s has no words", status)
		}
	}
}
