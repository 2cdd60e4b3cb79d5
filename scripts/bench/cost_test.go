package main

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

const statOf = "4242 (a b) c) S 1 4242 4242 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 9 0 100 0 0"

func TestParseCPU(t *testing.T) {
	if cpu, err := parseCPU(statOf); err != nil || cpu != 1750*time.Millisecond {
		t.Errorf("%v, %v", cpu, err)
	}
	for _, stat := range []string{"", "4242 (a) S 1", strings.Replace(statOf, " 25 ", " x ", 1), strings.Replace(statOf, " 150 ", " -1 ", 1)} {
		if _, err := parseCPU(stat); !errors.Is(err, errProc) {
			t.Errorf("%q: %v", stat, err)
		}
	}
}

func FuzzParseCPU(f *testing.F) {
	f.Add(statOf)
	f.Add("1 () S")
	f.Add(")")
	f.Fuzz(func(t *testing.T, stat string) {
		if cpu, err := parseCPU(stat); cpu < 0 || err != nil && !errors.Is(err, errProc) {
			t.Errorf("%v, %v", cpu, err)
		}
	})
}

func TestField(t *testing.T) {
	const status = "Name:\tVmRSS:\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nEmpty:\n"
	if n, err := field(status, "VmRSS:"); err != nil || n != 10240 {
		t.Errorf("%d, %v", n, err)
	}
	for _, name := range []string{"VmSwap:", "Empty:"} {
		if _, err := field(status, name); !errors.Is(err, errProc) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := field("processes many\n", "processes "); err == nil {
		t.Error("a word is a number")
	}
}

func FuzzField(f *testing.F) {
	f.Add("VmRSS:\t   10240 kB\n", "VmRSS:")
	f.Add("cpu 1 2\nprocesses 7", "processes ")
	f.Fuzz(func(t *testing.T, text, name string) {
		if n, err := field(text, name); n != 0 && err == nil && !strings.Contains(text, name) {
			t.Errorf("%d is after no %q", n, name)
		}
	})
}

func TestBetween(t *testing.T) {
	a := usage{time.Unix(100, 0), time.Second, 1 << 20, 2 << 20, 5000}
	b := usage{time.Unix(110, 0), 2 * time.Second, 3 << 20, 4 << 20, 10_050}
	p := between(a, b, 5000)
	if p != (period{10, 1, 5000, 5050, 3 << 20, 4 << 20}) {
		t.Errorf("%+v", p)
	}
	for what, pair := range map[string][2]float64{
		"cores": {p.cores(), 0.1}, "rate": {p.rate(), 500}, "each": {p.each(), 0.2},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s: %v, not %v", what, pair[0], pair[1])
		}
	}
}

func TestPrintCost(t *testing.T) {
	c := cost{
		Way:        "tracepoint",
		Idle:       period{Seconds: 20, CPU: 0.02, Forks: 10, RSS: 15 << 20},
		Execs:      period{Seconds: 10, CPU: 0.5, Count: 5000},
		FewerExecs: period{Seconds: 10, CPU: 0.2, Count: 2000},
		Calls:      period{Seconds: 10, CPU: 0.8, Count: 2000},
		Storm:      period{Seconds: 20, CPU: 5, Count: 50000, RSS: 40 << 20, Peak: 50 << 20},
	}
	var out strings.Builder
	c.print(&out)
	want := `
tracepoint
idle      0.10 % of a core over 20 s; RSS 15.0 MiB; others started 0.5 processes/s
execs     4.90 % of a core above idle at 500/s; 0.100 ms each
calls    0.400 ms of CPU each in all at 200/s; 0.300 ms above an exec at 200/s
storm     40.0 MiB of RSS after 50000 processes at 2500/s; peak 50.0 MiB
`
	if out.String() != want {
		t.Errorf("it says\n%s\nnot\n%s", &out, want)
	}
}
