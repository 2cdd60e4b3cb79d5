package main

import (
	"bytes"
	"slices"
	"testing"
)

func TestMedianCost(t *testing.T) {
	got := medianCost([]cost{{1, 30, 200}, {2, 10, 300}, {3, 20, 100}})
	if want := (cost{2, 20, 200}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// sample is a summary with one file of three rounds, tshark in one of them.
func sample(file string) *result {
	return &result{File: file, Truth: truth{Calls: 7}, TsharkRequests: 6, Rounds: []map[string]cost{
		{program: {2, 4, 30}, tcpdump: {4, 2, 8}, tshark: {110, 100, 900}},
		{program: {3, 5, 31}, tcpdump: {4, 2, 8}},
		{program: {4, 6, 32.5}, tcpdump: {4, 2, 8}},
	}}
}

// A ratio is one of figures of the same round.
func TestRatios(t *testing.T) {
	r := sample("needles")
	if got := r.ratios(tcpdump, wall); !slices.Equal(got, []float64{0.5, 0.75, 1}) {
		t.Errorf("wall: %v", got)
	}
	if got := r.ratios(tcpdump, cpu); !slices.Equal(got, []float64{2, 2.5, 3}) {
		t.Errorf("CPU: %v", got)
	}
	if got := r.ratios(tshark, wall); !slices.Equal(got, []float64{2. / 110}) {
		t.Errorf("tshark: %v", got)
	}
	if got := r.of(program, rss); !slices.Equal(got, []float64{30, 31, 32.5}) {
		t.Errorf("RSS: %v", got)
	}
}

func TestJudge(t *testing.T) {
	figure := func(wall, cpu, rss, tsharkWall float64) *result {
		return &result{File: "needles", Rounds: []map[string]cost{{program: {wall, cpu, rss}, tcpdump: {1, 1, 8}, tshark: {tsharkWall, 100, 900}}}}
	}
	tests := []struct {
		name string
		r    *result
		want []bool // times as fast as tshark, CPU, RSS
	}{
		{"all met", figure(2, 2, 20, 200), []bool{true, true, true}},
		{"just met", figure(2, 2.5, 32, 100), []bool{true, true, true}},
		{"just missed", figure(2, 2.51, 32.1, 99), []bool{false, false, false}},
		{"memory not known", figure(2, 2, 0, 200), []bool{true, true}},
		{"without tshark", &result{File: "needles", Rounds: []map[string]cost{{program: {2, 2, 20}, tcpdump: {1, 1, 8}}}}, []bool{true, true}},
		{"no aims for it", &result{File: "disorder", Rounds: []map[string]cost{{program: {2, 2, 20}, tcpdump: {1, 1, 8}}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var met []bool
			for _, j := range judge([]*result{tt.r}) {
				met = append(met, j.Met)
			}
			if !slices.Equal(met, tt.want) {
				t.Errorf("met: %v, want %v", met, tt.want)
			}
		})
	}
}

// Each aim is about a file that there is and a reader that reads it.
func TestAimsAreMeasured(t *testing.T) {
	var results []*result
	for _, c := range contests() {
		r := &result{File: c.file, Rounds: []map[string]cost{{}}}
		for _, reader := range c.readers {
			r.Rounds[0][reader] = cost{1, 1, 1}
		}
		results = append(results, r)
	}
	if got := judge(results); len(got) != len(aims()) {
		t.Errorf("%d of %d aims: %+v", len(got), len(aims()), got)
	}
}

func TestPrint(t *testing.T) {
	s := &summary{Files: []*result{sample("needles"), sample("disorder")}, Floor: 7.5}
	s.Files[1].TsharkRequests = 7
	for _, round := range s.Files[1].Rounds {
		round[program] = cost{round[program].Wall, round[program].CPU, 0}
	}
	s.Aims = judge(s.Files)
	var out bytes.Buffer
	s.print(&out)
	want := `
medians of the rounds; ratios: imds-analyzer by the other, median (least..most) of the rounds

file      read by         wall s    CPU s  RSS MiB  wall of its           CPU of its
needles   imds-analyzer    3.000    5.000     31.0
          tcpdump          4.000    2.000      8.0  0.750 (0.500..1.000)  2.500 (2.000..3.000)
          tshark         110.000  100.000    900.0  0.018 (0.018..0.018)  0.040 (0.040..0.040)
          note: tshark printed 6 of 7 requests
disorder  imds-analyzer    3.000    5.000        -
          tcpdump          4.000    2.000      8.0  0.750 (0.500..1.000)  2.500 (2.000..3.000)
          tshark         110.000  100.000    900.0  0.018 (0.018..0.018)  0.040 (0.040..0.040)

an RSS of less than 7.5 MiB would not be seen

met     needles   times as fast as tshark     55.00  >= 50
met     needles   CPU, of tcpdump's            2.50  <= 2.5
met     needles   RSS, MiB                    31.00  <= 32
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}
