package cli_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/cli"
)

// The whole program over real captures, whose truth is what the metadata
// service itself logged.

const captures = "../testdata/captures/"

// snapped is the capture whose packets are cut off: its calls cannot equal
// the truth.
const snapped = "ec2-tools-snap120"

// TestMain fixes the time zone, and is the program itself for those tests
// that need a process of their own.
func TestMain(m *testing.M) {
	switch os.Getenv(asProgram) {
	case "":
	case panics:
		os.Exit(runPanicking())
	default:
		os.Exit(cli.Main(os.Args[1:], cli.StandardStreams()))
	}
	time.Local = time.FixedZone("", 2*60*60)
	os.Exit(m.Run())
}

// asProgram is set in the environment of a test binary that is the program.
const asProgram = "IMDS_ANALYZER_TEST_PROGRAM"

// result is what a run left behind.
type result struct {
	status   int
	out, err string
}

// run runs the program.
func run(args ...string) result { return runOn(strings.NewReader(""), args...) }

// runOn runs the program with its standard input.
func runOn(stdin io.Reader, args ...string) result {
	var out, err bytes.Buffer
	status := cli.Main(args, cli.Streams{In: stdin, Out: &out, Err: &err})
	spendMemory()
	return result{status, out.String(), err.String()}
}

// spendMemory undoes that the program is frugal with the memory of its process, which is the
// tests' here: to keep it small took 0.4 of their processor time.
func spendMemory() {
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(math.MaxInt64)
}

// succeeded is run where nothing may go wrong.
func succeeded(t *testing.T, args ...string) result {
	t.Helper()
	r := run(args...)
	if r.status != 0 {
		t.Fatalf("%q: exit status %d: %s", args, r.status, r.err)
	}
	return r
}

// line is what is read of a line of the log.
type line struct {
	LogLevel string `json:"log.level"`
	Event    struct{ Dataset, Action string }
	IMDS     struct {
		Version, Incomplete string
		TokenRequest        bool `json:"token_request"`
		ForwardedFor        bool `json:"forwarded_for"`
		Capture             struct {
			V1      uint64 `json:"calls_v1"`
			V2      uint64 `json:"calls_v2"`
			Unknown uint64 `json:"calls_unknown"`

			FirstPacket time.Time `json:"first_packet"`
			LastPacket  time.Time `json:"last_packet"`
		}
	}
	HTTP struct {
		Request  struct{ Method string }
		Response struct {
			Status int `json:"status_code"`
		}
	}
	URL                 struct{ Original string }
	UserAgent           struct{ Original string } `json:"user_agent"`
	Source, Destination struct {
		IP   netip.Addr
		Port uint16
	}
}

// call is what is compared of a call.
type call struct {
	source                                         netip.AddrPort
	service                                        netip.Addr
	method, target, version, incomplete, userAgent string
	status                                         int
	tokenRequest, forwardedFor                     bool
}

func (c call) String() string {
	flags := fmt.Sprintf("(token request %v, forwarded %v)", c.tokenRequest, c.forwardedFor)
	return fmt.Sprint(c.source, " to ", c.service, ": ", c.method, " ", c.target, ", ", c.version, " ", c.incomplete, ", ",
		c.status, " ", flags, ", by ", c.userAgent)
}

func (l *line) call() call {
	return call{
		source:  netip.AddrPortFrom(l.Source.IP, l.Source.Port),
		service: l.Destination.IP,
		method:  l.HTTP.Request.Method, target: l.URL.Original, version: l.IMDS.Version,
		incomplete: l.IMDS.Incomplete, userAgent: l.UserAgent.Original, status: l.HTTP.Response.Status,
		tokenRequest: l.IMDS.TokenRequest, forwardedFor: l.IMDS.ForwardedFor,
	}
}

// schema is that of the log's lines.
var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c.Compile("../docs/log-entry.schema.json")
})

// readLog reads the log, of which each line must follow the schema.
func readLog(t *testing.T, log string) []line {
	t.Helper()
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	if log != "" && !strings.HasSuffix(log, "\n") {
		t.Fatalf("the log ends in half a line: %s", log)
	}
	var lines []line
	for text := range strings.Lines(log) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, l)
	}
	return lines
}

// callsOf returns the calls of a whole log: one that starts with the capture's
// start and ends with its stop, which has counted the calls right.
func callsOf(t *testing.T, log string) []call {
	t.Helper()
	lines := readLog(t, log)
	if len(lines) < 2 || lines[0].Event.Action != "capture-started" || lines[len(lines)-1].Event.Action != "capture-stopped" {
		t.Fatalf("the log does not start and end as it should:\n%s", log)
	}
	var calls []call
	for _, l := range lines[1 : len(lines)-1] {
		if l.Event.Dataset != "imds.call" {
			t.Errorf("between start and stop: %+v", l.Event)
		}
		calls = append(calls, l.call())
	}
	return calls
}

// counts are calls by version.
type counts struct{ v1, v2, unknown int }

func count(calls []call) counts {
	var c counts
	for _, one := range calls {
		switch one.version {
		case "v1":
			c.v1++
		case "v2":
			c.v2++
		default:
			c.unknown++
		}
	}
	return c
}

var summaryCount = regexp.MustCompile(`(?m)^  (IMDSv1|IMDSv2|unknown) +(\d+)`)

// summarised returns the counts of a summary.
func summarised(t *testing.T, summary string) counts {
	t.Helper()
	found := map[string]int{}
	for _, match := range summaryCount.FindAllStringSubmatch(summary, -1) {
		n, err := strconv.Atoi(match[2])
		if err != nil {
			t.Fatal(err)
		}
		found[match[1]] = n
	}
	if len(found) != 3 {
		t.Fatalf("no summary: %s", summary)
	}
	return counts{found["IMDSv1"], found["IMDSv2"], found["unknown"]}
}

// checkSame reports what is in one list and not in the other, in whatever order.
func checkSame(t *testing.T, got, want []call) {
	t.Helper()
	balance := map[call]int{}
	for _, c := range want {
		balance[c]++
	}
	for _, c := range got {
		balance[c]--
	}
	for c, n := range balance {
		switch {
		case n > 0:
			t.Errorf("missing %d times: %v", n, c)
		case n < 0:
			t.Errorf("too many, %d times: %v", -n, c)
		}
	}
}

// truth returns what the service logged of the requests in a capture.
func truth(t *testing.T, name string) []call {
	t.Helper()
	file, err := os.Open(captures + name + ".truth.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var calls []call
	for lines := bufio.NewScanner(file); lines.Scan(); {
		l := struct {
			SrcIP        netip.Addr `json:"src_ip"`
			SrcPort      uint16     `json:"src_port"`
			DstIP        netip.Addr `json:"dst_ip"`
			UserAgent    string     `json:"user_agent"`
			TokenRequest bool       `json:"token_request"`
			InCapture    bool       `json:"in_capture"`
			Method, Path string
			Version      string
			Status       int
			XFF          bool
		}{}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.InCapture {
			calls = append(calls, call{
				source: netip.AddrPortFrom(l.SrcIP, l.SrcPort), service: l.DstIP,
				method: l.Method, target: l.Path, version: l.Version, userAgent: l.UserAgent, status: l.Status,
				tokenRequest: l.TokenRequest, forwardedFor: l.XFF,
			})
		}
	}
	return calls
}

// names are the captures that have calls to compare.
func names(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(captures + "*.truth.jsonl")
	if err != nil || len(files) < 2 {
		t.Fatalf("no captures: %v", err)
	}
	var list []string
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".truth.jsonl"); name != snapped {
			list = append(list, name)
		}
	}
	return list
}

func captureOf(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(captures + name + ".pcap*")
	if err != nil || len(files) != 1 {
		t.Fatalf("captures of %s: %q, %v", name, files, err)
	}
	return files[0]
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCapturesEqualTheTruth(t *testing.T) {
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := succeeded(t, "-r", captureOf(t, name), "--format", "json")
			calls, want := callsOf(t, r.out), truth(t, name)
			checkSame(t, calls, want)
			if got := summarised(t, r.err); got != count(want) {
				t.Errorf("the summary counts %+v, the truth %+v", got, count(want))
			}
			lines := readLog(t, r.out)
			stop := lines[len(lines)-1].IMDS.Capture
			if got := (counts{int(stop.V1), int(stop.V2), int(stop.Unknown)}); got != count(want) {
				t.Errorf("the last line counts %+v, the truth %+v", got, count(want))
			}
		})
	}
}

// packetTimes are the times between which the packets of files lie.
func packetTimes(t *testing.T, names ...string) (first, last time.Time) {
	t.Helper()
	for _, name := range names {
		source := packettest.Open(name)
		defer source.Close()
		for p, err := source.Next(); err == nil; p, err = source.Next() {
			if first.IsZero() || p.Time.Before(first) {
				first = p.Time
			}
			if p.Time.After(last) {
				last = p.Time
			}
		}
	}
	return first, last
}

// The last line tells of which time the packets are, however many files there are, and
// whether they are of interest or not.
func TestPacketTimes(t *testing.T) {
	_, last := packetTimes(t, captureOf(t, "curl-eth"))
	later := packettest.From("10.9.9.9:1")
	later.ServiceAddr = netip.MustParseAddrPort("10.8.8.8:80") // not the service
	later.Now = last.Add(time.Hour)
	later.Open()
	later.Wait(90 * time.Second)
	later.Close()
	other := write(t, t.TempDir(), "other.pcapng", pcapng(t, later.Packets()))
	for _, files := range [][]string{
		{captureOf(t, "curl-eth")},
		{captureOf(t, "fallback-403"), captureOf(t, "boto")},
		{other, captureOf(t, "curl-eth")},
		{other},
	} {
		var args []string
		for _, file := range files {
			args = append(args, "-r", file)
		}
		lines := readLog(t, succeeded(t, append(args, "--format", "json")...).out)
		first, last := packetTimes(t, files...)
		stop := lines[len(lines)-1].IMDS.Capture
		if !stop.FirstPacket.Equal(first) || stop.LastPacket.After(last) || last.Sub(stop.LastPacket) >= time.Second {
			t.Errorf("%v: from %v to %v, want %v to %v", files, stop.FirstPacket, stop.LastPacket, first, last)
		}
		if start := lines[0].IMDS.Capture; !start.FirstPacket.IsZero() || !start.LastPacket.IsZero() {
			t.Errorf("%v: told before they are read: %+v", files, start)
		}
	}
}

// With a short snaplen nothing is v1 or v2 unless the bytes prove it, and
// then it is what was sent.
func TestSnappedCaptureProvesLittle(t *testing.T) {
	allowed := map[call]int{}
	for _, c := range truth(t, snapped) {
		allowed[call{source: c.source, method: c.method, target: c.target, status: c.status}]++
		allowed[call{source: c.source, status: c.status}]++
	}
	r := succeeded(t, "-r", captureOf(t, snapped), "--format", "json")
	calls := callsOf(t, r.out)
	for _, c := range calls {
		if c.version == "v1" || c.version == "unknown" && c.incomplete != "snaplen" {
			t.Errorf("not proven: %v", c)
		}
		key := call{source: c.source, method: c.method, target: c.target, status: c.status}
		if allowed[key]--; c.target != "" && allowed[key] < 0 {
			t.Errorf("not sent: %v", c)
		}
	}
	got := count(calls)
	if got.unknown == 0 || got != summarised(t, r.err) {
		t.Errorf("the calls are %+v, the summary: %s", got, r.err)
	}
}

// Several files are read in the order of time, in whatever order they are named.
func TestSeveralFiles(t *testing.T) {
	t.Parallel()
	list := names(t)
	for range 2 {
		var files []string
		var want []call
		for _, name := range list {
			files = append(files, captureOf(t, name))
			want = append(want, truth(t, name)...)
		}
		r := succeeded(t, append([]string{"--format", "json", "-r"}, files...)...)
		checkSame(t, callsOf(t, r.out), want)
		if got := summarised(t, r.err); got != count(want) {
			t.Errorf("the summary counts %+v, the truth %+v", got, count(want))
		}
		slices.Reverse(list)
	}
}

func TestRepeatedFlag(t *testing.T) {
	t.Parallel()
	a, b := "curl-eth", "boto"
	r := succeeded(t, "-r", captureOf(t, a), "-r", captureOf(t, b), "--format", "json")
	checkSame(t, callsOf(t, r.out), append(truth(t, a), truth(t, b)...))
}

const goldenText = `06:36:26.579  v1       GET /latest/meta-data/instance-id       200  10.0.1.23:56918
06:36:26.683  v2       PUT /latest/api/token                   200  10.0.1.23:56920
06:36:26.700  v2       GET /latest/meta-data/instance-id       200  10.0.1.23:56932
06:36:26.709  v2       GET /latest/meta-data/mac               200  10.0.1.23:56918
06:36:26.994  v2       PUT /latest/api/token                   200  10.0.1.23:56942
06:36:27.004  v2       GET /latest/meta-data/iam/security-credentials/  200  10.0.1.23:56920
06:36:27.005  v2       GET /latest/meta-data/iam/security-credentials/baskinc-role  200  10.0.1.23:56920
06:36:27.008  v2       PUT /latest/api/token                   200  10.0.1.23:56948
06:36:27.017  v2       GET /latest/meta-data/placement/availability-zone/  200  10.0.1.23:56948
`

const goldenSummary = `9 calls to the metadata service
  IMDSv1          1
  IMDSv2          8  (3 token requests)
  unknown         0

Programs with IMDSv1 or unknown calls
  process not known, User-Agent curl/7.88.1: 1 v1
    path       /latest/meta-data/instance-id (1)
    answer     status 200 (1)
    why        script or tool without a token (1)
    client     10.0.1.23

Process not known: a capture file does not tell (9)
Packets: 106 received, 62 of them to or from the metadata service

There may be more IMDSv1 calls than these: 2 answers belong to requests that were not captured.
`

// dateLine is that before the first call of a day, which is not there on that day itself.
var dateLine = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d(\n|$)`)

// undated are the lines of calls alone.
func undated(text string) string { return dateLine.ReplaceAllString(text, "") }

func TestTextGolden(t *testing.T) {
	r := succeeded(t, "-r", captureOf(t, "proxy-haproxy-any"), "--format", "text")
	for _, stream := range []struct{ name, got, want string }{
		{"standard output", undated(r.out), goldenText}, {"standard error", r.err, goldenSummary},
	} {
		if stream.got != stream.want {
			t.Errorf("%s is\n%s\nwant\n%s", stream.name, stream.got, stream.want)
		}
	}
}

// pack compresses with gzip.
func pack(t *testing.T, data string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// packZstd compresses with zstd.
func packZstd(t *testing.T, data string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(data), nil))
}

// Standard input is a capture like any other, however it comes.
func TestStandardInput(t *testing.T) {
	name := "proxy-haproxy-any"
	data := readFile(t, captureOf(t, name))
	for how, stdin := range map[string]io.Reader{
		"at once":             strings.NewReader(data),
		"byte by byte":        iotest.OneByteReader(strings.NewReader(data)),
		"with the end":        iotest.DataErrReader(strings.NewReader(data)),
		"gzip":                strings.NewReader(pack(t, data)),
		"gzip byte by byte":   iotest.OneByteReader(strings.NewReader(pack(t, data))),
		"gzip in two members": strings.NewReader(pack(t, data[:1000]) + pack(t, data[1000:])),
		"zstd":                strings.NewReader(packZstd(t, data)),
		"zstd byte by byte":   iotest.OneByteReader(strings.NewReader(packZstd(t, data))),
		"zstd in two frames":  strings.NewReader(packZstd(t, data[:1000]) + packZstd(t, data[1000:])),
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r := runOn(stdin, "-r", "-")
			if r.status != 0 {
				t.Fatalf("exit status %d: %s", r.status, r.err)
			}
			checkSame(t, callsOf(t, r.out), truth(t, name))
		})
	}
}

// running is a run whose input is still open.
type running struct {
	in    *capture.PcapngWriter
	pipe  *io.PipeWriter
	lines <-chan string
	ended <-chan result // with nothing in out
}

// start runs the program on what is written to in.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	return startThrough(t, func(w io.Writer) io.Writer { return w }, args...)
}

// startThrough is start where what is written goes through something before.
func startThrough(t *testing.T, through func(io.Writer) io.Writer, args ...string) *running {
	t.Helper()
	stdin, in := io.Pipe()
	t.Cleanup(func() { in.Close() })
	r := startOn(stdin, args...)
	r.pipe = in
	var err error
	if r.in, err = capture.NewPcapngWriter(through(in), "test"); err != nil {
		t.Fatal(err)
	}
	return r
}

// startOn runs the program with its standard input.
func startOn(stdin io.Reader, args ...string) *running {
	out, stdout := io.Pipe()
	lines, ended := make(chan string), make(chan result, 1)
	go func() {
		var said bytes.Buffer
		status := cli.Main(args, cli.Streams{In: stdin, Out: stdout, Err: &said})
		ended <- result{status: status, err: said.String()}
		stdout.Close()
	}()
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
		close(lines)
	}()
	return &running{lines: lines, ended: ended}
}

// write lets packets arrive.
func (r *running) write(t *testing.T, packets []capture.Packet) {
	t.Helper()
	for _, p := range packets {
		if err := r.in.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
}

// next waits for the next line of the log; there is none at the end.
func (r *running) next(t *testing.T) line {
	t.Helper()
	if text := r.nextText(t); text != "" {
		return readLog(t, text+"\n")[0]
	}
	return line{}
}

// nextText waits for the next line, whatever it is but a date.
func (r *running) nextText(t *testing.T) string {
	t.Helper()
	select {
	case text := <-r.lines:
		if dateLine.MatchString(text) {
			return r.nextText(t)
		}
		return text
	case <-time.After(time.Minute):
		t.Fatal("no line comes")
	}
	return ""
}

// asks is a conversation with one call for each target, all on one connection.
func asks(client string, targets ...string) *packettest.Conversation {
	c := packettest.From(client)
	c.Open()
	for _, target := range targets {
		c.Client("GET " + target + " HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
		c.Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
	return c
}

// An entry comes out as soon as the call is complete, though the input goes on.
func TestEntriesComeAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, "-r", "-", "--format", "json")
	if l := r.next(t); l.Event.Action != "capture-started" {
		t.Errorf("first comes %+v", l)
	}
	talk := asks("10.0.0.7:40001", "/first", "/second", "/third").Packets()
	for _, target := range []string{"/first", "/second", "/third"} {
		end := 1 + slices.IndexFunc(talk, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte("200 OK")) })
		r.write(t, talk[:end])
		talk = talk[end:]
		if l := r.next(t); l.URL.Original != target || l.HTTP.Response.Status != 200 {
			t.Errorf("for %s came %+v", target, l)
		}
	}
	r.write(t, talk)
	r.pipe.Close()
	if l := r.next(t); l.Event.Action != "capture-stopped" {
		t.Errorf("last comes %+v", l)
	}
	if l, ended := r.next(t), <-r.ended; l != (line{}) || ended.status != 0 || !strings.Contains(ended.err, "Nothing was lost") {
		t.Errorf("behind the last line %+v, %+v", l, ended)
	}
}

// With --count the program ends at the last call, though the input goes on.
func TestCountEndsAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, "-r", "-", "--format", "json", "--count", "2")
	r.write(t, asks("10.0.0.7:40001", "/first", "/second").Packets())
	var actions []string
	for l := r.next(t); l != (line{}); l = r.next(t) {
		actions = append(actions, l.Event.Action)
	}
	want := []string{"capture-started", "imds-v1-request", "imds-v1-request", "capture-stopped"}
	if ended := <-r.ended; ended.status != 0 || !slices.Equal(actions, want) || strings.Contains(ended.err, "Nothing was lost") {
		t.Errorf("%q, %+v", actions, ended)
	}
}

func TestOnlyV1(t *testing.T) {
	for _, name := range []string{"boto", snapped} {
		whole := succeeded(t, "-r", captureOf(t, name))
		want := slices.DeleteFunc(callsOf(t, whole.out), func(c call) bool { return c.version == "v2" })
		r := succeeded(t, "-r", captureOf(t, name), "--only", "v1")
		checkSame(t, callsOf(t, r.out), want)
		if r.err != whole.err {
			t.Errorf("the summary changed to %s", r.err)
		}
		text := succeeded(t, "-r", captureOf(t, name), "--only", "v1", "--format", "text")
		if n := strings.Count(undated(text.out), "\n"); n != len(want) {
			t.Errorf("%d lines for %d calls: %s", n, len(want), text.out)
		}
	}
}

// After --count calls there are no more entries, and none is counted, however far reading is
// ahead: with --only, those of version 2 that came before are. The summary says if that was not all.
func TestCount(t *testing.T) {
	file, all := captureOf(t, "boto"), truth(t, "boto")
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"--count", "1"}, 1},
		{[]string{"--count", "3"}, 3},
		{[]string{"--count", "3", "--only", "v1"}, 3},
		{[]string{"--count", "1000"}, len(all)},
		{[]string{"--count", strconv.Itoa(len(all))}, len(all)},
	} {
		r := succeeded(t, append(tt.args, "-r", file)...)
		if calls := callsOf(t, r.out); len(calls) != tt.want {
			t.Errorf("%q: %d calls", tt.args, len(calls))
		}
		whole := tt.want == len(all)
		if strings.Contains(r.err, "Nothing was lost") != whole || strings.Contains(r.out, `"ended_early":true`) == whole {
			t.Errorf("%q: whole %v: %s%s", tt.args, whole, r.out, r.err)
		}
		if len(tt.args) == 2 && summarised(t, r.err) != count(all[:tt.want]) {
			t.Errorf("%q: other calls are counted: %s", tt.args, r.err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	file := captureOf(t, "boto")
	for _, tt := range []struct {
		args []string
		want []call
	}{
		{[]string{"--endpoint", "169.254.169.253"}, nil},
		{[]string{"--endpoint", "169.254.169.254:8080"}, nil},
		{[]string{"--endpoint", "fd00:ec2::254"}, nil},
		{[]string{"--endpoint", "169.254.169.254"}, truth(t, "boto")},
		{[]string{"--endpoint", "10.9.9.9:81", "--endpoint", "169.254.169.254:80"}, truth(t, "boto")},
	} {
		r := succeeded(t, append(tt.args, "-r", file)...)
		checkSame(t, callsOf(t, r.out), tt.want)
		if tt.want == nil && !strings.Contains(r.err, "nothing to judge") {
			t.Errorf("%q: %s", tt.args, r.err)
		}
	}
}

// The log is for its owner, and is added to. Standard output is silent, unless
// something is wanted there.
func TestLogFile(t *testing.T) {
	name, log := "proxy-haproxy-any", filepath.Join(t.TempDir(), "log")
	for i, tt := range []struct {
		format []string
		lines  int
	}{{nil, 0}, {[]string{"--format", "text"}, 9}, {[]string{"--format", "json"}, 11}} {
		before := ""
		if i > 0 {
			before = readFile(t, log)
		}
		r := succeeded(t, append(tt.format, "-r", captureOf(t, name), "-o", log)...)
		if n := strings.Count(undated(r.out), "\n"); n != tt.lines {
			t.Errorf("%q: %d lines of standard output: %s", tt.format, n, r.out)
		}
		added, found := strings.CutPrefix(readFile(t, log), before)
		if !found {
			t.Fatal("what was there is there no more")
		}
		checkSame(t, callsOf(t, added), truth(t, name))
	}
	checkMode(t, log)
}

func checkMode(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("%s has mode %v", name, mode)
	}
}

// What was saved is for its owner, holds the same calls, and is saved again as
// it is.
func TestSavedPackets(t *testing.T) {
	for _, name := range append(names(t), snapped) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			saved := filepath.Join(t.TempDir(), "saved")
			if err := os.WriteFile(saved, make([]byte, 1<<20), 0o644); err != nil { // is replaced
				t.Fatal(err)
			}
			want := succeeded(t, "-r", captureOf(t, name), "-w", saved)
			checkMode(t, saved)
			again := filepath.Join(t.TempDir(), "again")
			got := succeeded(t, "-r", saved, "-w", again)
			checkSame(t, callsOf(t, got.out), callsOf(t, want.out))
			if readFile(t, saved) != readFile(t, again) {
				t.Error("saved once more, it is not the same")
			}
			if sums := summarised(t, got.err); sums != summarised(t, want.err) {
				t.Errorf("the summary counts %+v", sums)
			}
		})
	}
}
