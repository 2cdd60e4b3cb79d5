package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeProgram stands in for the program under test: a script that writes the
// lines to its log, and then does what it is told to until it is ended.
func fakeProgram(t *testing.T, then string, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lines"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n# --format json --max-entry-rate 0 -o LOG --attribution WAY\n[ \"$*\" = \"--format json --max-entry-rate 0 -o $6 --attribution proc\" ] || exit 9\n" + traps + "\ncat " + dir + "/lines >\"$6\"\n" + then + "\n"
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	started = `{"event":{"action":"capture-started"},"imds":{"capture":{"attribution_methods":["proc"]}}}`
	// wrongEntry names another process than the call itself, another command
	// line than any client has, and no user.
	wrongEntry = `{"event":{"dataset":"imds.call"},"url":{"original":"/latest/meta-data/0/0/5/5/0"},"imds":{"attribution":{"status":"resolved"}},"process":{"pid":6,"args":["x"]}}`
	// traps has SIGTERM noted from before the log says that the program has started,
	// and waits ends well on it, or after a minute. It has no child in the background
	// to kill, which could miss the signal between its fork(2) and its execve(2).
	traps = `trap ended=1 TERM`
	waits = `n=0; until [ "$ended" ] || [ $((n += 1)) -gt 1200 ]; do sleep 0.05; done; exit STATUS`
)

// someCalls has one client of the kind get call.
func someCalls(binary, client string, more ...string) []string {
	return append([]string{"-binary", binary, "-client", client, "-ways", "proc", "-topologies", "direct", "-kinds", "get", "-at-once", "1", "-load", "2", "-calls", "1"}, more...)
}

func TestLiveMain(t *testing.T) {
	client := buildClient(t)
	for name, test := range map[string]struct {
		then   string
		lines  []string
		status int
		out    string
		err    string
	}{
		"misses are no failure": {
			strings.Replace(waits, "STATUS", "0", 1), []string{started}, 0, "missing: call 0 of client 0 in cell 0", "",
		},
		"a wrong answer is one": {
			strings.Replace(waits, "STATUS", "0", 1), []string{started, wrongEntry}, 1, "process right 0.000 %, wrong 1; command line right 0.000 %, wrong 1", "there are wrong answers: 2",
		},
		"lost packets are none": {
			strings.Replace(waits, "STATUS", "3", 1), []string{started, `{"event":{"action":"capture-stopped"},"imds":{"capture":{"packets_dropped_kernel":7}}}`}, 0, "dropped 7 packets", "",
		},
		"the program fails": {
			strings.Replace(waits, "STATUS", "1", 1), []string{started, wrongEntry}, 1, "", "the program under test: exit status 1",
		},
		"the log is not JSON": {
			strings.Replace(waits, "STATUS", "0", 1), []string{started, "{"}, 1, "", "line 2 of the log",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out, complaints strings.Builder
			status := Main(someCalls(fakeProgram(t, test.then, test.lines...), client, "-show-wrong", "1"), &out, &complaints)
			if status != test.status || !strings.Contains(out.String(), test.out) || !strings.Contains(complaints.String(), test.err) {
				t.Errorf("status %d, it says\n%s\n%s", status, &out, &complaints)
			}
		})
	}
}

func TestMainWrongUsage(t *testing.T) {
	var out, complaints strings.Builder
	if status := Main([]string{"-calls", "0"}, &out, &complaints); status != 2 || !strings.Contains(complaints.String(), "-calls and -container-calls are at least 1") {
		t.Errorf("status %d, it says %s", status, &complaints)
	}
	if status := Main([]string{"-help"}, &out, &complaints); status != 0 || !strings.Contains(complaints.String(), "-show-wrong") {
		t.Errorf("-help: status %d, it says %s", status, &complaints)
	}
}

func TestLiveMainSaves(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result")
	var out, complaints strings.Builder
	program := fakeProgram(t, strings.Replace(waits, "STATUS", "0", 1), started, wrongEntry)
	if status := Main(someCalls(program, buildClient(t), "-json", file), &out, &complaints); status != 1 {
		t.Fatalf("status %d: %s", status, &complaints)
	}
	var runs []run
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &runs)
	}
	if err != nil || len(runs) != 1 || len(runs[0].Rows) != 1 || runs[0].Rows[0].PID.Wrong != 1 || runs[0].Rows[0].Life <= 0 {
		t.Errorf("%v, %s", err, text)
	}
}

// The cost of a program that does nothing is next to none, and is measured.
func TestLiveCosts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result")
	b, service := newTestSite(t, direct, "-ways", "proc", "-json", file)
	b.binary = fakeProgram(t, strings.Replace(waits, "STATUS", "0", 1), started)
	if err := b.costs(effort{idle: 10 * time.Millisecond, load: 50 * time.Millisecond, storm: 20, settle: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if calls := service.calls(t); len(calls) != 10 {
		t.Errorf("%d calls, not 10", len(calls))
	}
	var costs []cost
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &costs)
	}
	if err != nil || len(costs) != 1 {
		t.Fatalf("%v, %s", err, text)
	}
	c := costs[0]
	if c.Idle.RSS == 0 || c.Execs.Count != 25 || c.Execs.Forks < 25 || c.FewerExecs.Count != 10 || c.Storm.Count != 20 || c.Storm.Seconds <= 0 {
		t.Errorf("%+v", c)
	}
}

func TestLiveProgramDoesNotStart(t *testing.T) {
	b, _ := newTestSite(t, direct)
	b.binary = fakeProgram(t, "exit 1")
	if err := os.WriteFile(b.binary, []byte("#!/bin/sh\necho no such way >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := b.startProgram("proc"); err == nil || !strings.Contains(err.Error(), "no such way") {
		t.Errorf("%v", err)
	}
}
