package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"imds-analyzer/output"
)

// What the counts have to be after visits and a load: in the file, over HTTP, and in the
// lines of the log that CloudWatch makes metrics of. Whoever reads the file meanwhile
// gets all of it.
func TestLiveMetrics(t *testing.T) {
	t.Parallel()
	const load = 1000
	s, dir := newSite(t), t.TempDir()
	file, log := filepath.Join(dir, "imds.prom"), filepath.Join(dir, "imds.log")
	p := s.host.watch(t, "--metrics-textfile", file, "--metrics-interval", "1s", "--metrics-listen", "127.0.0.1:0", "--emf", "--emf-interval", "1s", "-o", log)
	stopReading := readAlways(t, file)
	s.visits(t, curlOf(t))
	c := liveClient{"load", []string{buildGoClient(t)}, false}
	s.service.follow(rules{v1Refused: true})
	e := errand{service: service4, name: "load"}
	runClient(t, s.host, c, append(e.environment(c), "LOAD="+strconv.Itoa(load)))
	want := map[string]string{
		`calls_total{version="v1",status="200"}`: "4", `calls_total{version="v1",status="401"}`: strconv.Itoa(load), `calls_total{version="v2",status="200"}`: "6",
		"metadata_no_token_total": "4", "metadata_no_token_rejected_total": strconv.Itoa(load), "log_entries_not_written_total": "0",
		`v1_calls_by_program_total{program="other"}`: "0",
	}
	checkMetrics(t, s.host.scrape(t, p, "x.example", http.StatusForbidden), nil)
	for got := map[string]string(nil); got["metadata_no_token_rejected_total"] != strconv.Itoa(load); {
		got = samplesOf(t, s.host.scrape(t, p, "localhost", http.StatusOK))
		if n, _ := strconv.Atoi(got["metadata_no_token_rejected_total"]); n > load || got["up"] != "1" {
			t.Fatalf("it has %v", got)
		}
	}
	scraped := s.host.scrape(t, p, "", http.StatusOK)
	checkMetrics(t, scraped, want)
	// On a busy machine a caller can be missed: then its program is not known.
	if n := callsBy(t, scraped, filepath.Base(c.command[0])) + callsBy(t, scraped, "unknown"); n < load || n > load+4 {
		t.Errorf("%d calls have their program or none, want %d: %s", n, load, scraped)
	}
	p.stop(t, syscall.SIGTERM)
	stopReading()
	want["up"] = "0"
	checkMetrics(t, readFile(t, file), want)
	checkEmbedded(t, readFile(t, log), load)
	if got := reportOn(t, log); got.Calls.V1 != load+4 || got.Calls.V2 != 6 || got.Inputs.Malformed != 0 {
		t.Errorf("the report has %+v", got)
	}
}

// readAlways reads a file again and again, which once it is there has to be whole.
func readAlways(t *testing.T, file string) (stop func()) {
	var reading sync.WaitGroup
	done := make(chan struct{})
	reading.Go(func() {
		for reads := 0; ; reads++ {
			select {
			case <-done:
				if reads == 0 {
					t.Error("nothing was read meanwhile")
				}
				return
			default:
			}
			text, err := os.ReadFile(file)
			if err == nil && !bytes.HasSuffix(text, []byte("\n")) || bytes.Count(text, []byte("\nimds_analyzer_calls_folded_total ")) != 1 && err == nil {
				t.Errorf("half a file: %s", text)
				return
			}
		}
	})
	return func() {
		close(done)
		reading.Wait()
	}
}

// scrape asks the program for its metrics, under the name of a host.
func (n *namespace) scrape(t *testing.T, p *liveProgram, host string, status int) (text string) {
	t.Helper()
	const word = "metrics are at "
	lines := p.err.wait(t, "the word where metrics are", func(lines []string) bool {
		return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, word) })
	})
	_, url, _ := strings.Cut(strings.TrimSpace(strings.Join(lines, "")), word)
	url = strings.Fields(url)[0]
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	var conn net.Conn
	if err := n.do(func() (err error) {
		conn, err = net.Dial("tcp", r.URL.Host)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r.Host = host
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	head, text, _ := strings.Cut(string(answer), "\r\n\r\n")
	if err != nil || !strings.HasPrefix(head, fmt.Sprintf("HTTP/1.1 %d ", status)) {
		t.Fatalf("%v: %s", err, head)
	}
	return text
}

// sampleLine is a line with a count.
var sampleLine = regexp.MustCompile(`(?m)^imds_analyzer_(\S+?(?:\{.*\})?) ([0-9.]+)$`)

func samplesOf(t *testing.T, text string) map[string]string {
	t.Helper()
	samples := map[string]string{}
	for _, m := range sampleLine.FindAllStringSubmatch(text, -1) {
		samples[m[1]] = m[2]
	}
	return samples
}

// callsBy are the calls of version 1 by programs of that name, whose executables need not
// be known for each call.
func callsBy(t *testing.T, text, name string) (sum int) {
	t.Helper()
	for series, value := range samplesOf(t, text) {
		if strings.HasPrefix(series, `v1_calls_by_program_total{program="`) && strings.HasSuffix(series, name+`"}`) {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Error(err)
			}
			sum += n
		}
	}
	return sum
}

func checkMetrics(t *testing.T, text string, want map[string]string) {
	t.Helper()
	got := samplesOf(t, text)
	if want == nil && len(got) > 0 {
		t.Errorf("there are metrics: %s", text)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %s", name, got[name], value)
		}
	}
}

// checkEmbedded holds the sums of what lines of the log tell CloudWatch against what was
// called.
func checkEmbedded(t *testing.T, log string, load uint64) {
	t.Helper()
	var sum output.EmbeddedCounts
	lines := 0
	for line := range strings.Lines(log) {
		var l output.Lifecycle
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if l.Embedded == nil {
			continue
		}
		lines++
		sum.CallsV1 += l.CallsV1
		sum.CallsV2 += l.CallsV2
		sum.MetadataNoToken += l.MetadataNoToken
		sum.MetadataNoTokenRejected += l.MetadataNoTokenRejected
		if l.AWS.Timestamp == 0 || l.ResidentMemory == 0 {
			t.Errorf("without a time, or memory: %s", line)
		}
	}
	if want := (output.EmbeddedCounts{CallsV1: load + 4, CallsV2: 6, MetadataNoToken: 4, MetadataNoTokenRejected: load}); sum != want || lines == 0 {
		t.Errorf("%d lines tell of %+v, want %+v", lines, sum, want)
	}
}

// Somebody else has the port, and there is no directory: both is said, and no reason not
// to capture.
func TestLiveMetricsFail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var taken net.Listener
	if err := s.host.do(func() (err error) {
		taken, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := filepath.Join(t.TempDir(), "missing", "imds.prom")
	p := s.host.watch(t, "--metrics-textfile", missing, "--metrics-listen", taken.Addr().String())
	for _, word := range []string{"address already in use", "cannot write the metrics: "} {
		p.err.wait(t, word, func(lines []string) bool {
			return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, word) })
		})
	}
	check(t, p.stop(t, syscall.SIGTERM), nil)
}
