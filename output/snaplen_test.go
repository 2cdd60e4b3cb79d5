package output

import (
	"strings"
	"testing"

	"imds-analyzer/imds"
)

// What a snaplen has cut is told, with what to do about it. Only of packets that
// left no call behind does the verdict speak.
func TestCutRequests(t *testing.T) {
	unknown := testRecord(cutHead(imds.Snaplen))
	const (
		noCalls = "That no IMDSv1 call is listed proves nothing: "
		one     = "Cut by the snaplen: 1 packet of a request; capture with tcpdump -s 308 or more, or with -s 0 (262144), which takes any packet whole\n"
	)
	for _, tt := range []struct {
		name    string
		summary *Summary
		stats   CaptureStats
		says    string // of the packets
		verdict string
	}{
		{"none", summaryOf(testRecord(token)), CaptureStats{Segments: 10}, "", "Nothing was lost and every call was classified"},
		{"one, of a call", summaryOf(unknown), CaptureStats{RequestsCut: 1, SnaplenNeeded: 308}, one, noCalls + "1 call could not be classified.\n"},
		{"one, without a call", summaryOf(), CaptureStats{RequestsCut: 1, SnaplenNeeded: 308}, one, noCalls + "1 packet of a request was cut by the snaplen.\n"},
		{"more than calls", summaryOf(unknown), CaptureStats{RequestsCut: 3, SnaplenNeeded: 262144},
			"Cut by the snaplen: 3 packets of requests; capture with tcpdump -s 262144 or more, or", noCalls + "1 call could not be classified and 3 packets of requests were cut by the snaplen.\n"},
		{"longer than all snaplens", summaryOf(unknown), CaptureStats{RequestsCut: 1, SnaplenNeeded: 262145},
			"Cut by the snaplen: 1 packet of a request; capture with tcpdump -s 0, which takes any packet whole\n", noCalls},
		{"live, where there is nothing to choose", summaryOf(unknown), CaptureStats{Live: true, RequestsCut: 1, SnaplenNeeded: 70000},
			"Cut by the snaplen: 1 packet of a request\n", noCalls},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := printed(t, tt.summary, tt.stats)
			if !strings.Contains(text, tt.says) || strings.Contains(text, "Cut by the snaplen") != (tt.says != "") {
				t.Errorf("it does not say %q: %s", tt.says, text)
			}
			if !strings.Contains(text, tt.verdict) {
				t.Errorf("the verdict is not %q: %s", tt.verdict, text)
			}
		})
	}
}

func TestCutRequestsAreLogged(t *testing.T) {
	s := summaryOf()
	if got := s.Counts(CaptureStats{}); got.RequestsCut != nil || got.SnaplenNeeded != nil {
		t.Errorf("%v, %v where nothing was cut", got.RequestsCut, got.SnaplenNeeded)
	}
	got := s.Counts(CaptureStats{RequestsCut: 2, SnaplenNeeded: 308})
	if got.RequestsCut == nil || *got.RequestsCut != 2 || got.SnaplenNeeded == nil || *got.SnaplenNeeded != 308 {
		t.Errorf("%v, %v", got.RequestsCut, got.SnaplenNeeded)
	}
	l := (&Session{Started: testTime}).Progress(CaptureStopped, testTime, got)
	if l.LogLevel != levelWarning || !strings.HasSuffix(l.Message, ", 0 dropped, 2 cut by the snaplen") {
		t.Errorf("%s: %s", l.LogLevel, l.Message)
	}
}
