package metrics

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"imds-analyzer/diagnosis"
	"imds-analyzer/output"
)

// call is an entry of a version and status by a program, which is none if it has no path.
func call(version string, status int, executable string) *output.Entry {
	e := &output.Entry{}
	e.IMDS.Version, e.HTTP.Response.StatusCode = version, status
	e.IMDS.Attribution = output.Attribution{Status: "not_found"}
	if executable != "" {
		e.IMDS.Attribution = output.Attribution{Status: "resolved", Method: "tracepoint"}
		e.Process.PID, e.Process.Executable = 4242, executable
	}
	return e
}

func TestStatusOf(t *testing.T) {
	for status, want := range map[int]string{
		0: "none", 99: "other", 100: "1xx", 200: "200", 204: "2xx", 301: "3xx", 400: "400", 401: "401", 403: "403",
		404: "404", 405: "405", 417: "4xx", 500: "5xx", 503: "503", 599: "5xx", 600: "other", 999: "other", -1: "other",
	} {
		if got := statusOf(status); got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

// Whatever servers answer, there is a bounded number of series.
func TestStatusesAreBounded(t *testing.T) {
	c := New()
	for status := range 1000 {
		for _, version := range versions() {
			c.Call(call(version, status, "/bin/x"))
		}
	}
	if want := 3 * 14; len(c.calls) != want {
		t.Errorf("%d kinds of calls, want %d", len(c.calls), want)
	}
}

func TestTokenlessCounts(t *testing.T) {
	c := New()
	for status, n := range map[int]int{200: 5, 301: 1, 401: 4, 404: 3, 403: 2, 0: 1} {
		for range n {
			c.Call(call("v1", status, "/bin/x"))
		}
	}
	other := call("v1", 200, "/bin/x") // answered by another program than the service
	other.IMDS.Findings = []string{string(diagnosis.LocalResponder)}
	c.Call(other)
	c.Call(call("v2", 200, "/bin/x"))
	c.Call(call("unknown", 401, "/bin/x"))
	text := string(c.AppendText(nil, &Capture{}))
	for _, want := range []string{
		"imds_analyzer_metadata_no_token_total 6\n",
		"imds_analyzer_metadata_no_token_rejected_total 4\n",
		"imds_analyzer_metadata_no_token_not_found_total 3\n",
		`imds_analyzer_v1_calls_by_program_total{program="/bin/x"} 17` + "\n",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func TestCredentials(t *testing.T) {
	c := New()
	for _, version := range versions() {
		for _, status := range []int{200, 401} {
			e := call(version, status, "/bin/x")
			e.IMDS.Credentials = new(true)
			c.Call(e)
		}
	}
	if c.credentials != 1 {
		t.Errorf("%d calls of version 1 got credentials, want 1", c.credentials)
	}
}

// Names that stand for others are not taken from a program.
func TestProgramsNames(t *testing.T) {
	c := New()
	for _, name := range []string{"", "other", "unknown", "/bin/other"} {
		e := call("v1", 200, "")
		if e.Process.PID = 1; name == "" {
			e.Process.PID = 0
		}
		e.Process.Name = name
		c.Call(e)
	}
	if p := c.programs; p.unknown != 2 || p.other != 1 || len(p.counts) != 1 || p.counts["/bin/other"] != 1 {
		t.Errorf("%+v", p)
	}
}

// A hundred thousand programs with long names take no more than the first of them, no
// count ever goes down, and no call is lost.
func TestProgramsAreBounded(t *testing.T) {
	const many, maxText, maxHeap = 100_000, 64 << 10, 1 << 20
	c := New()
	heap := heapSize()
	before := map[string]uint64{}
	for i := range many {
		c.Call(call("v1", 200, fmt.Sprintf("/opt/%d/%s", i, strings.Repeat("\u00e9", 400))))
		if i%10_000 == 0 {
			now := counts(t, c.AppendText(nil, &Capture{}))
			for series, value := range before {
				if now[series] < value {
					t.Errorf("%s went from %d to %d", series, value, now[series])
				}
			}
			before = now
		}
	}
	if grown := heapSize() - heap; grown > maxHeap {
		t.Errorf("they take %d bytes", grown)
	}
	text := c.AppendText(nil, &Capture{})
	if len(text) > maxText || len(c.programs.counts) != maxPrograms {
		t.Errorf("%d programs in %d bytes", len(c.programs.counts), len(text))
	}
	sum := uint64(0)
	for series, value := range counts(t, text) {
		if strings.HasPrefix(series, "imds_analyzer_v1_calls_by_program_total{") {
			sum += value
		}
	}
	if sum != many {
		t.Errorf("they have %d calls in all, want %d", sum, many)
	}
	runtime.KeepAlive(c)
}

func heapSize() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestEmbedded(t *testing.T) {
	c := New()
	for _, status := range []int{200, 200, 401, 404} {
		c.Call(call("v1", status, ""))
	}
	counts := output.Counts{CallsV1: 4, CallsV2: 2, CallsUnknown: 1, AttributionMissed: 4, PacketsDroppedKernel: 3, PacketsDroppedInterface: 5, EventsLost: 6, ConnectionsWithoutPackets: new(uint64(7))}
	want := output.EmbeddedCounts{
		MetadataNoToken: 2, MetadataNoTokenRejected: 1, CallsV1: 4, CallsV2: 2, CallsUnknown: 1, AttributionMissed: 4,
		PacketsDropped: 8, ConnectionsWithoutPackets: 7, EventsLost: 6, EntriesNotWritten: 9,
	}
	if got := c.Embedded(&counts, 9); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := New().Embedded(&output.Counts{}, 0); got != (output.EmbeddedCounts{}) {
		t.Errorf("of nothing it has %+v", got)
	}
}
