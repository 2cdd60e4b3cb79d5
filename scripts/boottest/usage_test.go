package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReadUsage(t *testing.T) {
	proc := t.TempDir()
	dir := filepath.Join(proc, "7")
	for name, text := range map[string]string{
		"stat":            "cpu  1 2 3\nprocesses 4711\nprocs_running 1\n",
		"7/stat":          "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 5 6 20 0 9 0 100\n",
		"7/status":        "Name:\ta) b\nVmHWM:\t   3000 kB\nVmRSS:\t   2000 kB\nvoluntary_ctxt_switches:\t99\nnonvoluntary_ctxt_switches:\t1000\n",
		"7/task/7/status": "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t1000\n",
		"7/task/8/status": "voluntary_ctxt_switches:\t6\n",
		"7/task/9/comm":   "ended",
	} {
		name = filepath.Join(proc, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readUsage(proc, dir)
	want := usage{processor: 420 * time.Millisecond, wakeUps: 11, resident: 2000, others: 4711}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, stat := range []string{"", "7 (a) S 1", "7 (a) S 1 7 7 0 -1 4194560 100 0 0 0 x 30 5 6"} {
		if got, err := parseStat(stat); err == nil {
			t.Errorf("%q: %v", stat, got)
		}
	}
}

func TestWatch(t *testing.T) {
	n := 0
	read := func() (usage, error) {
		n++
		return usage{processor: time.Duration(n*n) * tick, wakeUps: uint64(n), resident: 7, others: uint64(2 * n)}, nil
	}
	seen, err := watch(context.Background(), time.Millisecond, read)
	if err != nil || len(seen) != parts+1 {
		t.Fatalf("%d times, %v", len(seen), err)
	}
	var out bytes.Buffer
	report(&out, 10*time.Minute, seen)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != parts+2 || strings.Join(strings.Fields(lines[1]), " ") != "1m0s 30ms 1 7 2" || strings.Join(strings.Fields(lines[parts+1]), " ") != "10m0s 1.2s 10 7 20" {
		t.Errorf("%s", &out)
	}
}

func TestWatchEnds(t *testing.T) {
	gone := errors.New("gone")
	if _, err := watch(context.Background(), time.Hour, func() (usage, error) { return usage{}, gone }); !errors.Is(err, gone) {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := watch(ctx, time.Hour, func() (usage, error) { return usage{}, nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
