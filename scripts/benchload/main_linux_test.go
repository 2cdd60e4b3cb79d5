package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asCommand, in the environment, has the test binary be the command.
const asCommand = "BENCH_LOAD_TEST"

// TestMain: the benchmark starts itself, in other roles.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" || len(os.Args) > 1 && slices.Contains([]string{roleService, roleClients, roleReceive, roleSend}, os.Args[1]) {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	// With the race detector each child would wait for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestMainStatus(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-help"}, 0, "usage"},
		{[]string{"none"}, 2, "no part"},
		{[]string{roleService}, 2, "wrong usage"},
		{[]string{roleClients, "get"}, 2, "wrong usage"},
		{[]string{roleClients, "none", "0", "1", "1"}, 2, "wrong usage: no kind \"none\"\n"},
		{[]string{roleClients, "get", "0", "many", "1"}, 2, "invalid syntax"},
		{[]string{roleSend, "sctp", "1"}, 2, "no protocol"},
		{[]string{roleReceive}, 2, "wrong usage"},
		{[]string{roleService, "/none/access"}, 1, "no such file"},
	} {
		var said strings.Builder
		if status := Main(test.args, strings.NewReader(""), io.Discard, &said); status != test.status || !strings.Contains(said.String(), test.says) {
			t.Errorf("%q: %d, %q", test.args, status, &said)
		}
	}
}

// What clients do is what the service has in its log, each call with the process that
// made it.
func TestLiveSite(t *testing.T) {
	s, err := openSite()
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	defer s.close()
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.awaitCall(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("before any call: %v", err)
	}
	k, _ := kindNamed("agent-token")
	const asked = 64
	if err := s.call(t.Context(), "", k, allAtOnce, asked); err != nil {
		t.Fatal(err)
	}
	if err := s.awaitCall(t.Context()); err != nil {
		t.Error(err)
	}
	calls, err := s.calls(k)
	if err != nil || len(calls) != asked {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	by := make(map[int]int)
	for _, a := range calls {
		by[a.pid]++
		if a.version != "v2" {
			t.Errorf("a call of version %s", a.version)
		}
	}
	if len(by) != processes {
		t.Errorf("calls by process: %v", by)
	}
}

// A line's delay ends when it is read, and not when the next one is.
func TestWatchLog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w, err := watchLog(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	read := make(chan error, 1)
	go func() { read <- w.read() }()
	const call = `{"@timestamp":"2026-11-23T04:30:49Z","event":{"dataset":"imds.call","duration":1000000}}` + "\n"
	for _, text := range []string{call + call[:20], call[20:], noCalls + "\n"} {
		if _, err := log.WriteString(text); err != nil {
			t.Fatal(err)
		}
		awaitRead(t, w, log, read)
	}
	w.end()
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	delays, err := w.delays()
	if err != nil || len(delays) != 2 {
		t.Fatalf("%v, %v", delays, err)
	}
	for _, d := range delays {
		if d.sinceRequest()-d.sinceAnswer() != int64(time.Millisecond) || d.seen.IsZero() {
			t.Errorf("%+v", d)
		}
	}
	// Marks tell which of several reads a line ended in.
	w.text = []byte(call + call + noCalls + "\n")
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	w.marks = []mark{{len(call) + 5, first}, {len(w.text), second}}
	if delays, err = w.delays(); err != nil || !delays[0].seen.Equal(first) || !delays[1].seen.Equal(second) {
		t.Errorf("%v, %v", delays, err)
	}
}

// awaitRead waits until all that was written is read.
func awaitRead(t *testing.T, w *watcher, log *os.File, ended <-chan error) {
	t.Helper()
	written, err := log.Seek(0, io.SeekCurrent)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if at, err := w.file.Seek(0, io.SeekCurrent); err != nil || at == written {
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("it reads no more: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestWakeUps(t *testing.T) {
	if n, err := wakeUps(os.Getpid()); err != nil || n < 1 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := wakeUps(1 << 30); err == nil {
		t.Error("a process that is not there was woken")
	}
}

// fakeProgram is one in the place of the program under test.
func fakeProgram(t *testing.T, script string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fake")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLiveProgramFails(t *testing.T) {
	s, err := openSite()
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	defer s.close()
	if _, err := s.startProgram(t.Context(), fakeProgram(t, "echo no room >&2; exit 1\n"), "log"); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%v", err)
	}
	p, err := s.startProgram(t.Context(), fakeProgram(t, "trap 'echo broken >&2; exit 9' TERM\necho started >\"$2\"\nn=0; while [ $((n += 1)) -le 1200 ]; do sleep 0.05; done\n"), "log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.stop(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%v", err)
	}
}

// A signal ends the run with all that it has started, and leaves no files.
func TestLiveSignal(t *testing.T) {
	dir, pids := t.TempDir(), filepath.Join(t.TempDir(), "pids")
	fake := fakeProgram(t, "echo $$ >>"+pids+"\necho started >\"$2\"\nexec sleep 60\n")
	cmd := exec.Command(self, "-binary", fake, "-client", fake, "-quiet", "1h", partIdle)
	cmd.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+dir)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	started := awaitLines(t, pids, 3, ended)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), "terminated") {
		t.Errorf("%s: %s", cmd.ProcessState, &said)
	}
	for _, text := range started {
		if _, err := os.Stat("/proc/" + text); !os.IsNotExist(err) {
			t.Errorf("process %s is still there: %v", text, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// awaitLines waits until a file has so many lines, or what writes it has ended.
func awaitLines(t *testing.T, name string, n int, ended <-chan error) []string {
	t.Helper()
	for {
		text, _ := os.ReadFile(name)
		if lines := strings.Fields(string(text)); len(lines) >= n {
			return lines
		}
		select {
		case err := <-ended:
			t.Fatalf("it has ended: %v", err)
		case <-time.After(pollEvery):
		}
	}
}

// Clients have more time the more they do, also where nobody says how fast.
func TestClientsWithin(t *testing.T) {
	for _, test := range []struct {
		rate, calls int
		want        time.Duration
	}{{2, 100, 110 * time.Second}, {1000, 60_000, 3 * time.Minute}, {allAtOnce, 60_000, 3 * time.Minute}} {
		if got := clientsWithin(test.rate, test.calls); got != test.want {
			t.Errorf("%d calls at %d/s within %v", test.calls, test.rate, got)
		}
	}
}

func TestDelayAt(t *testing.T) {
	var all []int64
	for n := range int64(100) {
		all = append(all, (n+1)*int64(time.Millisecond))
	}
	if few := all[:99]; delayAt(few, 99) != "–" || delayAt(few, 100) != "99.0" {
		t.Errorf("%s, %s", delayAt(few, 99), delayAt(few, 100))
	}
	if got := delayAt(all, 99); got != "99.0" {
		t.Error(got)
	}
}
