package metrics

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"imds-analyzer/output"
)

var update = flag.Bool("update", false, "write the golden file")

// full is a capture with everything that can be told.
func full() (*Counters, *Capture) {
	c := New()
	for _, e := range []*output.Entry{
		call("v1", 200, "/usr/bin/curl"), call("v1", 200, "/usr/bin/curl"), call("v1", 401, `/opt/my "app"\bin`), call("v1", 0, ""),
		call("v2", 200, "/usr/bin/java"), call("v2", 417, "/usr/bin/java"), call("unknown", 0, ""), call("v1", 404, "/opt/\x1b[31m\n\u202e\xff"),
	} {
		c.Call(e)
	}
	started := time.Unix(1_790_000_000, 123_456_789)
	return c, &Capture{
		Up: true, Version: "1.2.3", GoVersion: "go1.26.0", Started: started, LastPacket: started.Add(time.Hour).Truncate(time.Second), ResidentMemory: 22 << 20,
		Counts: output.Counts{
			PacketsReceived: 240, PacketsDroppedKernel: 1, PacketsDroppedInterface: 2, PacketsNotRead: 3, CallsV1: 5, CallsV2: 2, CallsUnknown: 1,
			StreamsNotHTTP: 4, AttributionResolved: 6, AttributionMissed: 2, EventsLost: 5, Truncated: true, ResponsesUnmatched: 6, ConnectionsEvicted: 7, RequestGaps: 14, RequestsPartial: 15,
			PacketsNotSaved: 14, CallsProgramNotTold: 15,
			EnrichFailed: new(uint64(8)), NetworkNamespaces: new(uint64(9)), ConnectionsWithoutPackets: new(uint64(10)),
		},
		EntriesNotWritten: 11, LogErrors: 12, CallsFolded: 13,
	}
}

func TestTextGolden(t *testing.T) {
	const golden = "testdata/full.prom"
	c, now := full()
	got := c.AppendText(nil, now)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (-update writes it)\ngot:\n%s", golden, got)
	}
	counts(t, got)
}

// sampleLine is a line of the format: a name, labels whose values have nothing unescaped
// in them, and a number. helpLine and typeLine stand before the samples of a family.
var (
	sampleLine = regexp.MustCompile(`^([a-z_:][a-z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)+\})? (-?[0-9]+(\.[0-9]+)?)$`)
	helpLine   = regexp.MustCompile(`^# HELP ([a-z0-9_]+) [^\\]+\.$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-z0-9_]+) (counter|gauge)$`)
)

// counts checks a text, and returns its samples that are whole numbers.
func counts(t *testing.T, text []byte) map[string]uint64 {
	t.Helper()
	family, samples := "", map[string]uint64{}
	if !utf8.Valid(text) || !strings.HasSuffix(string(text), "\n") {
		t.Errorf("no whole lines of UTF-8: %q", text)
	}
	families := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := helpLine.FindStringSubmatch(line); m != nil {
			if family = m[1]; families[family] {
				t.Errorf("%s is there twice", family)
			}
			families[family] = true
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil {
			if counts := strings.HasSuffix(family, "_total"); m[1] != family || counts != (m[2] == "counter") {
				t.Errorf("behind the help of %s: %s", family, line)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || m[1] != family {
			t.Errorf("in the family %s: %q", family, line)
			continue
		}
		series := m[1] + m[2]
		if _, twice := samples[series]; twice {
			t.Errorf("%s is there twice", series)
		}
		value, _ := strconv.ParseFloat(m[5], 64)
		samples[series] = uint64(value)
	}
	return samples
}

// What is not known is left out, and is no 0.
func TestTextOfUnknown(t *testing.T) {
	text := string(New().AppendText(nil, &Capture{}))
	for _, family := range []string{"last_packet_time_seconds", "resident_memory_bytes", "connections_without_packets_total", "network_namespaces_total", "enrich_failed_total"} {
		if strings.Contains(text, family) {
			t.Errorf("there is %s", family)
		}
	}
	if !strings.Contains(text, "\nimds_analyzer_up 0\n") {
		t.Errorf("it is not said that the capture has ended: %s", text)
	}
}

// The page tells how many series there are at most.
func TestPageHasNumberOfSeries(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	c, now := full()
	others := 0
	for series := range counts(t, c.AppendText(nil, now)) {
		if !regexp.MustCompile(`^imds_analyzer_(calls|attribution|v1_calls_by_program)_total`).MatchString(series) {
			others++
		}
	}
	bounded := 3*14 + 6*5 + 64 + 2
	if want := fmt.Sprintf("and %d others: %d,", others, bounded+others); !strings.Contains(string(page), want) {
		t.Errorf("the page has no %q", want)
	}
}

// The page has each family, and no other.
func TestPageHasFamilies(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	c, now := full()
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(string(c.AppendText(nil, now)), -1) {
		have[m[1]] = true
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(imds_analyzer_[a-z0-9_]+)").FindAllStringSubmatch(string(page), -1) {
		told[m[1]] = true
	}
	if !maps.Equal(have, told) {
		t.Errorf("the program has %q, the page %q", slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(told)))
	}
}
