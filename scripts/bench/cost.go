package main

import (
	"fmt"
	"io"

	"imds-analyzer/scripts/testbed"
)

// period is what a process used from one moment to another.
type period struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu_seconds"`
	Count   int     `json:"count"`         // of processes or calls started meanwhile
	Forks   int64   `json:"machine_forks"` // of all on the machine
	RSS     int64   `json:"rss_bytes"`     // at the end
	Peak    int64   `json:"peak_bytes"`    // since the start of the process
}

// between is the period in which so many processes were started.
func between(a, b testbed.Usage, count int) period {
	return period{
		Seconds: b.At.Sub(a.At).Seconds(),
		CPU:     (b.CPU - a.CPU).Seconds(),
		Count:   count,
		Forks:   b.Forks - a.Forks,
		RSS:     b.RSS,
		Peak:    b.Peak,
	}
}

// cores is how much of a core was used, 1 being all of one.
func (p period) cores() float64 { return p.CPU / p.Seconds }

// rate is how many a second were started.
func (p period) rate() float64 { return float64(p.Count) / p.Seconds }

// each is the milliseconds of CPU for each.
func (p period) each() float64 { return 1000 * p.CPU / float64(p.Count) }

// cost is what the program used one way.
type cost struct {
	Way        string `json:"way"`
	Idle       period `json:"idle"`
	Execs      period `json:"execs"`       // many execs
	FewerExecs period `json:"fewer_execs"` // as many as there are calls
	Calls      period `json:"calls"`
	Storm      period `json:"storm"`
}

const mebibyte = 1 << 20

// print tells each figure on a line.
func (c *cost) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s\n", c.Way)
	idle, execs, calls, storm := c.Idle, c.Execs, c.Calls, c.Storm
	fmt.Fprintf(out, "idle    %6.2f %% of a core over %.0f s; RSS %.1f MiB; others started %.1f processes/s\n",
		100*idle.cores(), idle.Seconds, mebibytes(idle.RSS), float64(idle.Forks)/idle.Seconds)
	fmt.Fprintf(out, "execs   %6.2f %% of a core above idle at %.0f/s; %.3f ms each\n",
		100*(execs.cores()-idle.cores()), execs.rate(), execs.each())
	fmt.Fprintf(out, "calls   %6.3f ms of CPU each in all at %.0f/s; %.3f ms above an exec at %.0f/s\n",
		calls.each(), calls.rate(), calls.each()-c.FewerExecs.each(), c.FewerExecs.rate())
	fmt.Fprintf(out, "storm   %6.1f MiB of RSS after %d processes at %.0f/s; peak %.1f MiB\n",
		mebibytes(storm.RSS), storm.Count, storm.rate(), mebibytes(storm.Peak))
}

func mebibytes(bytes int64) float64 { return float64(bytes) / mebibyte }
