package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The command report over logs that the program has written, and over captures.

// logOf is the log that the program writes of captures.
func logOf(t *testing.T, names ...string) string {
	t.Helper()
	var files []string
	for _, name := range names {
		files = append(files, captureOf(t, name))
	}
	return succeeded(t, append([]string{"--format", "json", "-r"}, files...)...).out
}

// reported is what is looked at of a report.
type reported struct {
	Verdict struct{ Status string }
	Calls   struct{ V1, V2, Unknown int }
	Inputs  struct {
		Malformed int
		Lines     []struct {
			File  string
			Line  int
			Error string
		} `json:"malformed_lines"`
		NotOurs int `json:"not_ours"`
	}
}

func reportOf(t *testing.T, text string) (r reported) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
	return r
}

// A report over a log says what one says over the captures that it was made of.
func TestReportOfLogAndCapture(t *testing.T) {
	all := append(names(t), snapped)
	for _, name := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := write(t, t.TempDir(), "imds.log", logOf(t, name))
			for _, format := range []string{"json", "text"} {
				of := succeeded(t, "report", "--format", format, captureOf(t, name))
				if got := succeeded(t, "report", "--format", format, log); got.out != of.out || len(got.out) < 100 {
					t.Errorf("the report of the log:\n%s\nof the capture:\n%s", got.out, of.out)
				}
			}
		})
	}
}

// However a log comes, the report is the same.
func TestReportInputs(t *testing.T) {
	log := logOf(t, "fallback-403", "boto", "proxy-haproxy-any")
	cut := strings.Index(log[len(log)/2:], "\n") + len(log)/2 + 1
	want := runOn(strings.NewReader(log), "report", "--format", "json", "-").out
	if r := reportOf(t, want); r.Calls.V1 == 0 || r.Calls.V2 == 0 {
		t.Fatal(want)
	}
	docker := dockerLog(log)
	tests := map[string]map[string]string{
		"plain":   {"imds.log": log},
		"gzip":    {"imds.log.1.gz": pack(t, log)},
		"zstd":    {"imds.log.zst": packZstd(t, log)},
		"rotated": {"imds.log": log[cut:], "imds.log.1.gz": pack(t, log[:cut])},
		"renamed": {"b": log[:cut], "a": log[cut:]},
		"docker":  {"c-json.log": docker},
		"among":   {"imds.log": log, "empty": "", "package.json": "{\n\"a\": 1\n}\n", ".hidden": "{}", "notes": "text\n"},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"report", "--format", "json"}
			for file, data := range files {
				path := write(t, dir, file, data)
				if len(files) < 3 {
					args = append(args, path)
				}
			}
			got := succeeded(t, "report", "--format", "json", dir)
			if len(files) > 2 { // two of them may be logs that are not recognised
				told := strings.Contains(got.err, "4 of 5 in "+dir+" are passed over")
				missing := strings.Contains(got.out, `"files_passed_over"`) && strings.Contains(got.out, `"passed_over": 2`)
				if !told || !missing || reportOf(t, got.out).Calls != reportOf(t, want).Calls {
					t.Errorf("of the directory: %s\n%s", got.err, got.out)
				}
				return
			}
			if got.out != want {
				t.Errorf("of the directory: %s\n%s\nwant\n%s", got.err, got.out, want)
			}
			if got := succeeded(t, append(args, args[3:]...)...); got.out != want { // named twice
				t.Errorf("of the files: %s\n%s\nwant\n%s", got.err, got.out, want)
			}
		})
	}
	for name, data := range map[string]string{"plain": log, "gzip": pack(t, log), "zstd": packZstd(t, log), "docker": docker} {
		if got := runOn(strings.NewReader(data), "report", "--format", "json", "-"); got.status != 0 || got.out != want {
			t.Errorf("%s on standard input: %d, %s", name, got.status, got.err)
		}
	}
}

// dockerLog is a log as docker's json-file driver keeps it.
func dockerLog(log string) string {
	var lines strings.Builder
	for line := range strings.Lines(log) {
		text, _ := json.Marshal(line)
		fmt.Fprintf(&lines, `{"log":%s,"stream":"stdout","time":"2026-01-01T00:00:00Z"}`+"\n", text)
	}
	return lines.String()
}

// Captures and logs can be mixed, and a capture can be a stream.
func TestReportMixed(t *testing.T) {
	log := write(t, t.TempDir(), "log", logOf(t, "boto"))
	capture := readFile(t, captureOf(t, "go-tools"))
	of := func(calls ...call) (c counts) { return count(calls) }
	want := of(append(truth(t, "boto"), truth(t, "go-tools")...)...)
	for name, r := range map[string]result{
		"files":  run("report", "--format", "json", log, captureOf(t, "go-tools")),
		"stream": runOn(strings.NewReader(capture), "report", "--format", "json", "-", log),
		"packed": runOn(strings.NewReader(pack(t, capture)), "report", "--format", "json", "-", log),
	} {
		if got := reportOf(t, r.out); r.status != 0 || got.Calls.V1 != want.v1 || got.Calls.V2 != want.v2 {
			t.Errorf("%s: %+v, want %+v: %s", name, got, want, r.err)
		}
	}
}

// What cannot be read is told, and the report is of the rest.
func TestReportOfBrokenInputs(t *testing.T) {
	log := logOf(t, "boto")
	lines := strings.SplitAfter(strings.TrimSuffix(log, "\n"), "\n")
	packed := pack(t, log)
	tests := map[string]struct {
		data      string
		status    int
		said      string
		malformed int
		line      int
	}{
		"a line in the middle": {strings.Join(lines[:3], "") + "{\"a\"\n" + strings.Join(lines[3:], ""), 0, "", 1, 4},
		"cut at the end":       {log[:len(log)-20], 0, "", 1, len(lines)},
		"others between":       {"imds-analyzer: hello\n{}\n" + log, 0, "", 0, 0},
		"gzip without an end":  {packed[:len(packed)-5], 3, "the log is cut off: its compression has no end; what comes before was read", 1, 0},
		"empty":                {"", 0, "", 0, 0},
		"text":                 {"hello\n", 1, "no log and no state file: it holds no entry", 1, 0},
		"binary":               {"\x7fELF\x00\x00", 1, "no log and no state file: it looks like an executable", 1, 0},
		"capture that is cut":  {readFile(t, captureOf(t, "boto"))[:3000], 3, "the capture is cut off", 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, t.TempDir(), "file", tt.data)
			r := run("report", "--format", "json", file)
			if r.status != tt.status || !strings.Contains(r.err, tt.said) || (tt.said == "") != (r.err == "") {
				t.Errorf("exit status %d: %s", r.status, r.err)
			}
			if tt.status == 1 {
				if r.out != "" {
					t.Errorf("a report of nothing: %s", r.out)
				}
				r = run("report", "--format", "json", file, captureOf(t, "curl-eth"))
				if r.status != 3 {
					t.Errorf("beside another one: exit status %d: %s", r.status, r.err)
				}
			}
			got := reportOf(t, r.out)
			if got.Inputs.Malformed != tt.malformed || tt.line > 0 && (got.Inputs.Lines[0].File != file || got.Inputs.Lines[0].Line != tt.line) {
				t.Errorf("%+v", got.Inputs)
			}
			if got.Verdict.Status == "ready" {
				t.Error("ready on such evidence")
			}
		})
	}
}

// The verdict is the exit status if that is asked for.
func TestReportExitCode(t *testing.T) {
	v1, v2 := logOf(t, "curl-eth"), logOf(t, "boto")
	if count(truth(t, "curl-eth")).v1 == 0 || count(truth(t, "boto")).v1 == 0 {
		t.Fatal("the captures have changed")
	}
	onlyV2, zeros := withoutV1(v2), strings.Repeat("\x00", 3000)
	first, rest, _ := strings.Cut(onlyV2, "\n")
	allMet := []string{"--min-days", "0", "--no-boot"}
	tests := map[string]struct {
		log    string
		args   []string
		status int
	}{
		"v1":            {v1, nil, 10},
		"v1, ignored":   {v1, []string{"--ignore", "*"}, 11},
		"v2":            {onlyV2, nil, 11},
		"v2 for long":   {onlyV2, []string{"--min-days", "0"}, 11},
		"v2, all met":   {onlyV2, allMet, 0},
		"v1, no more":   {v1, append(allMet, "--since", time.Now().Format(time.RFC3339)), 11},
		"v1, since":     {v1, append(allMet, "--since", "2020-01-01T01:00:00+01:00"), 10},
		"v2, malformed": {onlyV2 + "{\n", allMet, 11},
		"v2, emptied":   {zeros + onlyV2, allMet, 0},
		"v2, coloured":  {onlyV2 + "\x1b[31mhello\x1b[0m\n", allMet, 0},
		"v2, no start":  {zeros + "\n" + onlyV2, allMet, 11},
		"v2, zeros":     {first + "\n" + zeros + "\n" + rest, allMet, 11},
		"v2, no end":    {onlyV2 + zeros, allMet, 11},
		"v2, binary":    {first + "\n" + strings.Repeat("\xfe", 700) + "\n" + rest, allMet, 11},
		"v2, a capture": {onlyV2 + readFile(t, captureOf(t, "curl-eth")), allMet, 11},
		"nothing":       {"", nil, 11},
	}
	for name, tt := range tests {
		file := write(t, t.TempDir(), "log", tt.log)
		args := append([]string{"report", file}, tt.args...)
		if r := run(args...); r.status != 0 {
			t.Errorf("%s: exit status %d without --exit-code: %s", name, r.status, r.err)
		}
		if r := run(append(args, "--exit-code")...); r.status != tt.status {
			t.Errorf("%s: exit status %d, want %d: %s", name, r.status, tt.status, r.out)
		}
	}
}

// withoutV1 leaves out of a log calls of version 1, and what counts them.
func withoutV1(log string) string {
	var kept strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"version":"v1"`) {
			kept.WriteString(line)
		}
	}
	return regexp.MustCompile(`"calls_v1":\d+`).ReplaceAllString(kept.String(), `"calls_v1":0`)
}

// A report is written whole or not at all, for its owner alone, and never over what
// is read.
func TestReportToFile(t *testing.T) {
	dir := t.TempDir()
	log := write(t, dir, "log", logOf(t, "boto"))
	want := succeeded(t, "report", log)
	file := write(t, dir, "report.txt", strings.Repeat("old\n", 10000))
	if r := succeeded(t, "report", "-o", file, log); r.out != "" || readFile(t, file) != want.out {
		t.Errorf("%s%s", r.out, readFile(t, file))
	}
	checkMode(t, file)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
	for _, args := range [][]string{{"-o", log, log}, {"-o", log, dir}} {
		if r := run(append([]string{"report"}, args...)...); r.status != 2 || !strings.Contains(r.err, "both read and written") {
			t.Errorf("%q: exit status %d: %s", args, r.status, r.err)
		}
	}
	if r := run("report", "-o", filepath.Join(dir, "none", "x"), log); r.status != 1 || !strings.Contains(r.err, "cannot write the report") {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
}

func TestReportUsage(t *testing.T) {
	tests := map[string]struct {
		args   []string
		status int
		said   string
	}{
		"nothing named":   {nil, 2, "needs the names of logs or captures"},
		"empty name":      {[]string{""}, 2, "need the name of a file"},
		"format":          {[]string{"--format", "xml", "x"}, 2, "--format is text, json or html"},
		"days":            {[]string{"--min-days", "-1", "x"}, 2, "--min-days"},
		"no number":       {[]string{"--min-days", "NaN", "x"}, 2, "--min-days"},
		"since":           {[]string{"--since", "yesterday", "x"}, 2, "--since"},
		"future":          {[]string{"--since", "2999-01-01", "x"}, 2, "--since 2999-01-01T00:00:00Z is in the future"},
		"empty program":   {[]string{"--ignore", "", "x"}, 2, "--ignore"},
		"endpoint":        {[]string{"--endpoint", "x", "x"}, 2, "--endpoint"},
		"standard output": {[]string{"-o", "-", "x"}, 2, "-o writes to a file"},
		"not there":       {[]string{"/nonexistent/log"}, 1, "/nonexistent/log: no such file"},
		"directory":       {[]string{"../docs"}, 1, "../docs holds no logs, state files or capture files"},
	}
	for name, tt := range tests {
		r := run(append([]string{"report"}, tt.args...)...)
		if oneLine(t, r.err); r.status != tt.status || !strings.Contains(r.err, tt.said) || r.out != "" {
			t.Errorf("%s: exit status %d: %s", name, r.status, r.err)
		}
	}
}

// Calls to another address are found in captures where --endpoint says so.
func TestReportEndpoint(t *testing.T) {
	r := succeeded(t, "report", "--format", "json", "--endpoint", "192.0.2.1", captureOf(t, "boto"))
	if got := reportOf(t, r.out); got.Calls.V1+got.Calls.V2 != 0 {
		t.Errorf("%+v", got.Calls)
	}
}

// A stream that has begun and does not end is given up when the reader's own end comes.
func TestReportOfStreamThatFails(t *testing.T) {
	log := logOf(t, "boto")
	in := io.MultiReader(strings.NewReader(log), failing{})
	r := runOn(in, "report", "--format", "json", "-")
	if got := reportOf(t, r.out); r.status != 3 || got.Calls.V2 != count(truth(t, "boto")).v2 || !strings.Contains(r.err, "standard input: ") {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// A log that was written before the program told why calls are made is judged anew:
// what has ended the token requests of the same software explains its calls.
func TestReportOfOldLog(t *testing.T) {
	log := logOf(t, "fallback-403")
	old := regexp.MustCompile(`,"sequence":\d+|"findings":\[[^]]*\],|"fallback":\{[^}]*\},`).ReplaceAllString(log, "")
	if strings.Contains(old, `"findings"`) || strings.Contains(old, `"fallback"`) || strings.Contains(old, `"sequence"`) {
		t.Fatal("it tells")
	}
	want := succeeded(t, "report", write(t, t.TempDir(), "log", old)).out
	if !strings.Contains(want, "its token request is refused with status 403") {
		t.Error(want)
	}
	// Files are read in the order of time, so that a failure is known before what follows it.
	lines := strings.SplitAfter(old, "\n")
	dir := t.TempDir()
	for i := 0; i < len(lines)-1; i += 5 {
		write(t, dir, fmt.Sprintf("log.%02d", len(lines)-i), strings.Join(lines[i:min(i+5, len(lines)-1)], ""))
	}
	if got := succeeded(t, "report", dir).out; got != want {
		t.Errorf("of several files:\n%s\nwant\n%s", got, want)
	}
}

// The page is written where the report is to go, and holds what was read.
func TestReportPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	log := write(t, t.TempDir(), "log", logOf(t, "boto"))
	if r := succeeded(t, "report", "--format", "html", "-o", file, log); r.out != "" {
		t.Errorf("standard output has %q", r.out)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := succeeded(t, "report", "--format", "html", log).out
	program, _, _ := strings.Cut(succeeded(t, "version").out, "\n")
	body := func(page string) string { // the footer has the time
		before, _, _ := strings.Cut(page, "<footer>")
		return before
	}
	if body(string(page)) != body(want) || !strings.Contains(want, "Made by "+program+" on 2") || !strings.HasPrefix(want, "<!DOCTYPE html>") || !strings.Contains(want, "Boto") {
		t.Errorf("the page is %.300q, want %.300q", page, want)
	}
}
