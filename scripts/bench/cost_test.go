package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"imds-analyzer/scripts/testbed"
)

func TestBetween(t *testing.T) {
	a := testbed.Usage{At: time.Unix(100, 0), CPU: time.Second, RSS: 1 << 20, Peak: 2 << 20, Forks: 5000}
	b := testbed.Usage{At: time.Unix(110, 0), CPU: 2 * time.Second, RSS: 3 << 20, Peak: 4 << 20, Forks: 10_050}
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
