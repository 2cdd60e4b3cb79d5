package capture_test

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// truthLine is what the metadata service itself logged of a request.
type truthLine struct {
	SrcIP        string `json:"src_ip"`
	SrcPort      uint16 `json:"src_port"`
	Method       string `json:"method"`
	Path         string `json:"path"`
	Version      string `json:"version"`
	TokenRequest bool   `json:"token_request"`
	Status       *int   `json:"status"`
	UserAgent    string `json:"user_agent"`
	ForwardedFor bool   `json:"xff"`
	InCapture    bool   `json:"in_capture"`
	Client       string `json:"client"`
}

// observed is what is compared of a call.
type observed struct {
	Client                             netip.AddrPort
	Method, Target, Version, UserAgent string
	TokenRequest, ForwardedFor         bool
	Status                             int
	Incomplete                         imds.Incomplete
}

// snapped is the capture whose packets are cut off: its calls cannot equal
// the truth.
const snapped = "ec2-tools-snap120"

func TestRealCaptures(t *testing.T) {
	files, err := filepath.Glob("../testdata/captures/*.truth.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".truth.jsonl")
		if name == snapped {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want := readTruth(t, file)
			got := observe(analyze(t, captureOf(t, name)))
			compare(t, got, want)
		})
	}
}

// TestSnappedCapture holds what a short snaplen allows: nothing is v1 or v2
// unless the bytes prove it, and then it is what was sent.
func TestSnappedCapture(t *testing.T) {
	want := make(map[observed]int)
	for _, o := range readTruth(t, "../testdata/captures/"+snapped+".truth.jsonl") {
		want[observed{Client: o.Client, Method: o.Method, Target: o.Target, Status: o.Status}]++
	}
	unknown := 0
	for _, call := range analyze(t, captureOf(t, snapped)) {
		o := observe([]imds.Call{call})[0]
		switch {
		case o.Version == "v1":
			t.Errorf("%+v: named v1 without proof", o)
		case o.Version == "unknown":
			unknown++
			if o.Incomplete != imds.Snaplen {
				t.Errorf("%+v: incomplete because of %q", o, o.Incomplete)
			}
		}
		if o.Target == "" {
			continue // the cut is in the request line
		}
		key := observed{Client: o.Client, Method: o.Method, Target: o.Target, Status: o.Status}
		if want[key] == 0 {
			t.Errorf("%+v: not sent", o)
		}
		want[key]--
	}
	if unknown == 0 {
		t.Error("no unknown call")
	}
}

// readTruthLines reads what is in the capture.
func readTruthLines(t *testing.T, file string) []truthLine {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []truthLine
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l truthLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.InCapture {
			list = append(list, l)
		}
	}
	return list
}

func readTruth(t *testing.T, file string) []observed {
	t.Helper()
	var truth []observed
	for _, l := range readTruthLines(t, file) {
		o := observed{
			Client: netip.AddrPortFrom(netip.MustParseAddr(l.SrcIP), l.SrcPort), Method: l.Method, Target: l.Path,
			Version: l.Version, UserAgent: l.UserAgent, TokenRequest: l.TokenRequest, ForwardedFor: l.ForwardedFor,
		}
		if l.Status != nil {
			o.Status = *l.Status
		}
		truth = append(truth, o)
	}
	return truth
}

func captureOf(t *testing.T, name string) string {
	t.Helper()
	for _, ending := range []string{".pcap", ".pcapng", ".pcap.gz"} {
		if file := "../testdata/captures/" + name + ending; exists(file) {
			return file
		}
	}
	t.Fatalf("no capture file for %s", name)
	return ""
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

// collector is a Handler that keeps the calls.
type collector struct {
	opened, closed int
	calls          []imds.Call
}

func (c *collector) Unanswered(imds.Call) {}
func (c *collector) Opened(imds.Conn)     { c.opened++ }
func (c *collector) Call(call imds.Call)  { c.calls = append(c.calls, kept(call)) }
func (c *collector) Closed(imds.Conn)     { c.closed++ }

func analyze(t *testing.T, file string) []imds.Call {
	t.Helper()
	source := packettest.Open(file)
	defer source.Close()
	calls, _ := analyzeSource(t, source, nil)
	return calls
}

func observe(calls []imds.Call) []observed {
	var list []observed
	for _, c := range calls {
		o := observed{
			Client: c.Conn.Client, Method: c.Request.Method, Target: c.Request.Target,
			Version: c.Request.Version().String(), UserAgent: c.Request.UserAgent,
			TokenRequest: c.Request.IsTokenRequest(), ForwardedFor: c.Request.ForwardedFor,
			Incomplete: c.Request.Incomplete,
		}
		if c.Response != nil {
			o.Status = c.Response.Status
		}
		list = append(list, o)
	}
	return list
}

// compare reports what is in one list and not in the other, in whatever order.
func compare(t *testing.T, got, want []observed) {
	t.Helper()
	balance := make(map[observed]int)
	for _, o := range want {
		balance[o]++
	}
	for _, o := range got {
		balance[o]--
	}
	for o, n := range balance {
		switch {
		case n > 0:
			t.Errorf("missing %d times: %+v", n, o)
		case n < 0:
			t.Errorf("too many, %d times: %+v", -n, o)
		}
	}
}
