package main

import (
	"math"

	"imds-analyzer/scripts/testbed"
)

// aim is a bound that a figure should keep to.
type aim struct {
	file, what string
	bound      float64
	atLeast    bool // else at most
	figure     func(*result) float64
}

// aims are what the program is meant to reach.
func aims() []aim {
	return []aim{
		{"haystack", "wall time, of tcpdump's", 0.75, false, ofTcpdump(wall)},
		{"haystack", "CPU, of tcpdump's", 0.75, false, ofTcpdump(cpu)},
		{"needles", "times as fast as tshark", 50, true, func(r *result) float64 { return 1 / testbed.Median(r.ratios(tshark, wall)) }},
		{"needles", "CPU, of tcpdump's", 2.5, false, ofTcpdump(cpu)},
		{"needles", "RSS, MiB", 32, false, memory},
		{"open", "RSS, MiB", 140, false, memory},
		{"start", "wall time, of tcpdump's", 2, false, ofTcpdump(wall)},
	}
}

func ofTcpdump(m measure) func(*result) float64 {
	return func(r *result) float64 { return testbed.Median(r.ratios(tcpdump, m)) }
}

func memory(r *result) float64 { return testbed.Median(r.of(program, rss)) }

// judged is an aim with what was measured.
type judged struct {
	File    string  `json:"file"`
	What    string  `json:"what"`
	Figure  float64 `json:"figure"`
	Bound   float64 `json:"bound"`
	AtLeast bool    `json:"at_least"`
	Met     bool    `json:"met"`
}

// judge holds the results against the aims. What was not measured, or is not
// known here, is left out.
func judge(results []*result) (all []judged) {
	for _, a := range aims() {
		for _, r := range results {
			figure := math.NaN()
			if r.File == a.file {
				figure = a.figure(r)
			}
			if math.IsNaN(figure) || figure == 0 {
				continue
			}
			met := figure <= a.bound
			if a.atLeast {
				met = figure >= a.bound
			}
			all = append(all, judged{a.file, a.what, figure, a.bound, a.atLeast, met})
		}
	}
	return all
}
