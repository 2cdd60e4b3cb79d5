package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imds-analyzer/scripts/testbed"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var log tail
	defer log.close()
	if err := log.read(path); err == nil || log.lines != 0 {
		t.Errorf("%d lines of no file, %v", log.lines, err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, step := range []struct {
		text  string
		lines int
	}{{"", 0}, {"a\nb\nc", 2}, {"", 2}, {"c\n", 3}, {strings.Repeat("\n", 100_000), 100_003}} {
		if _, err := file.WriteString(step.text); err != nil {
			t.Fatal(err)
		}
		if err := log.read(path); err != nil || log.lines != step.lines {
			t.Errorf("after %d bytes: %d lines, not %d, %v", len(step.text), log.lines, step.lines, err)
		}
	}
}

// The log of a run before is not taken for that of this one.
func TestLiveProgramStartsAfresh(t *testing.T) {
	n, err := testbed.NewNamespace()
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	defer n.Close()
	dir := t.TempDir()
	binary := fakeProgram(t, strings.Replace(waits, "STATUS", "0", 1), started)
	for range 2 {
		p, err := startProgram(n, binary, "proc", dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
		entries := 0
		if err := p.readLog(func(entry) { entries++ }); err != nil || entries != 1 {
			t.Errorf("%d lines, %v", entries, err)
		}
	}
	if _, err := startProgram(n, "/none", "proc", dir); err == nil || !strings.Contains(err.Error(), "cannot start the program") {
		t.Errorf("%v", err)
	}
}

// Waiting for lines ends with the program, and when none come.
func TestLiveAwaitLines(t *testing.T) {
	n, err := testbed.NewNamespace()
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	defer n.Close()
	p, err := startProgram(n, fakeProgram(t, strings.Replace(waits, "STATUS", "0", 1), started, started), "proc", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.awaitLines(2, time.Minute); err != nil {
		t.Error(err)
	}
	if err := p.awaitLines(3, time.Millisecond); err == nil || !strings.Contains(err.Error(), "2 lines, not 3") {
		t.Errorf("no line came, and it says %v", err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if err := p.awaitLines(3, time.Hour); err == nil || !strings.Contains(err.Error(), "it has ended") {
		t.Errorf("the program has ended, and it says %v", err)
	}
}
