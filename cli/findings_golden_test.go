package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What is found out of the calls in the real captures. The lists were made from what
// the service logged, from the captures' packets and from the meaning of each finding,
// and not by this program: there is no way to write them anew from what it says.

const findingsGolden = "../testdata/findings/"

// found is what the log says of a call and why it was made.
type found struct {
	Timestamp time.Time `json:"@timestamp"`
	Event     struct{ Dataset string }
	IMDS      struct {
		Version     string
		Findings    []string
		ResponseTTL int `json:"response_ttl"`
		TTLNeeded   int `json:"response_ttl_needed"`
		Fallback    struct {
			Reason   string
			Status   int `json:"status_code"`
			Evidence string
			Since    time.Time
		}
	}
	HTTP   struct{ Request struct{ Method string } }
	URL    struct{ Original string }
	Source struct {
		IP   netip.Addr
		Port uint16
	}
	sequence int // of the call in its connection, from 1 on
}

// client is the call's connection and its place there.
func (f *found) client() string {
	return fmt.Sprintf("%s#%d", netip.AddrPortFrom(f.Source.IP, f.Source.Port), f.sequence)
}

// findings are the ids, and "-" if there are none.
func (f *found) findings() string {
	if len(f.IMDS.Findings) == 0 {
		return "-"
	}
	return strings.Join(f.IMDS.Findings, ",")
}

// fallback is "refused/403/connection", and "-" if the call is none.
func (f *found) fallback() string {
	why := &f.IMDS.Fallback
	if why.Reason == "" && why.Status == 0 && why.Evidence == "" {
		return "-"
	}
	status := "-"
	if why.Status != 0 {
		status = strconv.Itoa(why.Status)
	}
	return why.Reason + "/" + status + "/" + why.Evidence
}

// String is the call's line in the list.
func (f *found) String() string {
	return strings.Join([]string{f.client(), f.HTTP.Request.Method, f.URL.Original, f.findings(), f.fallback()}, " ")
}

// findingsOf reads what a log, which follows the schema, says of its calls. They are
// in the order of time.
func findingsOf(t *testing.T, log string) []found {
	t.Helper()
	readLog(t, log)
	var calls []found
	for text := range strings.Lines(log) {
		var f found
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if f.Event.Dataset == "imds.call" {
			calls = append(calls, f)
		}
	}
	slices.SortStableFunc(calls, func(a, b found) int { return a.Timestamp.Compare(b.Timestamp) })
	seen := map[netip.AddrPort]int{}
	for i := range calls {
		from := netip.AddrPortFrom(calls[i].Source.IP, calls[i].Source.Port)
		seen[from]++
		calls[i].sequence = seen[from]
	}
	return calls
}

// checkFallbacks holds what has to be true of all calls: one that is a fallback says
// so in one finding, which gives the reason, and was made after the token request.
func checkFallbacks(t *testing.T, calls []found) {
	t.Helper()
	for i := range calls {
		f, prefix := &calls[i], "fallback-token-"
		var reasons []string
		for _, id := range f.IMDS.Findings {
			if reason, ok := strings.CutPrefix(id, prefix); ok {
				reasons = append(reasons, reason)
			}
		}
		why := &f.IMDS.Fallback
		switch {
		case len(reasons) == 0 && f.fallback() == "-" && why.Since.IsZero():
		case len(reasons) != 1 || reasons[0] != why.Reason:
			t.Errorf("findings and fallback say two things: %v", f)
		case f.IMDS.Version != "v1":
			t.Errorf("a fallback that is %s: %v", f.IMDS.Version, f)
		case why.Since.IsZero() || !why.Since.Before(f.Timestamp):
			t.Errorf("a fallback that comes at %v, before the token request at %v: %v", f.Timestamp, why.Since, f)
		}
	}
}

// fallbacks are those calls that the truth says are made because a token request of
// their client has failed, as the lines of the list begin.
func fallbacks(t *testing.T, name string) map[string]bool {
	t.Helper()
	file, err := os.Open(captures + name + ".truth.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all, seen := map[string]bool{}, map[netip.AddrPort]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		l := struct {
			SrcIP     netip.Addr `json:"src_ip"`
			SrcPort   uint16     `json:"src_port"`
			InCapture bool       `json:"in_capture"`
			Fallback  bool
		}{}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.InCapture {
			from := netip.AddrPortFrom(l.SrcIP, l.SrcPort)
			seen[from]++
			all[fmt.Sprintf("%s#%d", from, seen[from])] = l.Fallback
		}
	}
	return all
}

// The fallbacks are those that the truth names.
func TestFallbacksEqualTheTruth(t *testing.T) {
	total := 0
	for _, name := range names(t) {
		want := fallbacks(t, name)
		r := succeeded(t, "-r", captureOf(t, name), "--format", "json")
		calls := findingsOf(t, r.out)
		checkFallbacks(t, calls)
		for i := range calls {
			c := &calls[i]
			expected, ok := want[c.client()]
			if is := c.IMDS.Fallback.Reason != ""; !ok || is != expected {
				t.Errorf("%s: %v: the truth says %v", name, c, expected)
			}
			if expected {
				total++
			}
		}
	}
	if total != 34+36 {
		t.Errorf("%d fallbacks", total)
	}
}

// The findings are those in the list.
func TestFindingsGolden(t *testing.T) {
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := succeeded(t, "-r", captureOf(t, name), "--format", "json")
			var got []string
			for _, f := range findingsOf(t, r.out) {
				got = append(got, f.String())
			}
			checkLines(t, got, strings.Split(strings.TrimSuffix(readFile(t, findingsGolden+name+".golden"), "\n"), "\n"))
		})
	}
}

// checkLines reports what is in one list and not in the other. Calls of two connections
// at the same time may be in either order.
func checkLines(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	for len(got) > 0 || len(want) > 0 {
		switch {
		case len(want) == 0 || len(got) > 0 && got[0] < want[0]:
			t.Errorf("found:    %s", got[0])
			got = got[1:]
		case len(got) == 0 || want[0] < got[0]:
			t.Errorf("expected: %s", want[0])
			want = want[1:]
		default:
			got, want = got[1:], want[1:]
		}
	}
}

// Where the capture holds the beginnings of packets only, nothing is proven and so
// nothing is found.
func TestSnappedCaptureHasNoFindings(t *testing.T) {
	r := succeeded(t, "-r", captureOf(t, snapped), "--format", "json")
	calls := findingsOf(t, r.out)
	if len(calls) == 0 {
		t.Error("no calls")
	}
	for i := range calls {
		if f := &calls[i]; f.findings() != "-" || f.fallback() != "-" {
			t.Errorf("%v", f)
		}
	}
}
