package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain: the benchmark starts itself, in other roles.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{roleService, roleClients, roleReceive, roleSend}, os.Args[1]) {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
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
		{[]string{roleClients, "none", "0", "1", "1"}, 2, "wrong usage"},
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
	k, _ := kindNamed("agent-token")
	const asked = 64
	if err := s.call(context.Background(), "", k, allAtOnce, asked); err != nil {
		t.Fatal(err)
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
	}
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
	if _, err := s.startProgram(fakeProgram(t, "echo no room >&2; exit 1\n"), "log"); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%v", err)
	}
	p, err := s.startProgram(fakeProgram(t, "trap 'echo broken >&2; kill $!; exit 9' TERM\necho started >\"$2\"\nsleep 60 2>/dev/null & wait\n"), "log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.stop(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%v", err)
	}
}
