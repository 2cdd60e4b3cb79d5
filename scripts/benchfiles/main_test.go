package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/cli"
)

// TestMain lets the test binary be each of the programs that are started.
func TestMain(m *testing.M) {
	switch role := os.Getenv("BENCHFILES_TEST_ROLE"); {
	case len(os.Args) > 1 && os.Args[1] == "generate":
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	case role == "memory":
		os.Exit(useMemory())
	case len(os.Args) > 1 && os.Args[1] == "-r":
		os.Exit(cli.Main(os.Args[1:], cli.StandardStreams()))
	}
	os.Exit(m.Run())
}

// memoryUsed is what the test binary takes in its role "memory".
const memoryUsed = 96 << 20

func useMemory() int {
	used := make([]byte, memoryUsed)
	for i := 0; i < len(used); i += os.Getpagesize() {
		used[i] = 1
	}
	return int(used[len(used)-1])
}

// site is a directory with the small file start and stubs of the tools.
type site struct{ data, self string }

func newSite(t *testing.T, tools ...string) site {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	// With the race detector each child would sleep a second at its end.
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	stub(t, filepath.Join(bin, "true"), "exit 0")
	for _, tool := range tools {
		stub(t, filepath.Join(bin, tool), "echo one; echo two")
	}
	s := site{data: t.TempDir(), self: self}
	for _, name := range []string{"start", "needles"} {
		if _, err := (recipe{name, 20, needles}).generate(s.data); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func stub(t *testing.T, name, commands string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+commands+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (s site) run(args ...string) (status int, out, complaints string) {
	var o, c bytes.Buffer
	status = Main(append([]string{"measure", "-binary", s.self, "-data", s.data}, args...), &o, &c)
	return status, o.String(), c.String()
}

func (s site) holds(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(s.data)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("the directory has %q, want %q", names, want)
	}
}

// The program itself reads a small file; what it found is right, nothing is
// left behind, and all figures are there.
func TestMeasure(t *testing.T) {
	s := newSite(t, tcpdump, tshark)
	// As root it gives a file away that it is told, also one that is a device.
	stub(t, filepath.Join(os.Getenv("PATH"), tcpdump), `case " $* " in *" -w - "*) ;; *) exit 1 ;; esac; [ /dev/fd/1 -ef /dev/null ]`)
	file := filepath.Join(t.TempDir(), "result.json")
	status, out, complaints := s.run("-files", "needles,start", "-rounds", "3", "-tshark-rounds", "2", "-json", file)
	if status != 0 {
		t.Fatalf("status %d: %s", status, complaints)
	}
	for _, words := range []string{"needles   imds-analyzer", "start     imds-analyzer", "tcpdump", "tshark printed 2 of 20", "times as fast as tshark", "start     wall time"} {
		if !strings.Contains(out, words) {
			t.Errorf("no %q in\n%s", words, out)
		}
	}
	s.holds(t, "needles.pcap", "needles.pcap.truth.json", "start.pcap", "start.pcap.truth.json")
	checkSaved(t, file)
}

func checkSaved(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var saved summary
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	if len(saved.Files) != 2 || len(saved.Aims) < 3 {
		t.Fatalf("saved %s", text)
	}
	readers := map[string]int{}
	for _, round := range saved.Files[0].Rounds {
		for reader, c := range round {
			readers[reader]++
			if c.Wall <= 0 || c.CPU <= 0 {
				t.Errorf("%s took %+v", reader, c)
			}
		}
	}
	if readers[program] != 3 || readers[tcpdump] != 3 || readers[tshark] != 2 {
		t.Errorf("rounds of the readers: %v", readers)
	}
}

// What would make the figures worthless ends the run with one line.
func TestMeasureFails(t *testing.T) {
	all := []string{tcpdump, tshark}
	tests := []struct {
		name   string
		tools  []string
		args   []string
		harm   func(t *testing.T, s site)
		status int
		says   string
	}{
		{"no tcpdump", nil, []string{"-files", "start"}, nil, 1, "tcpdump is missing: install the package tcpdump"},
		{"no tshark", []string{tcpdump}, []string{"-files", "needles"}, nil, 1, "tshark is missing: install the package tshark"},
		{"no tshark, and none is wanted", []string{tcpdump}, []string{"-files", "needles", "-tshark-rounds", "0", "-rounds", "1"}, nil, 0, ""},
		{"no program", all, []string{"-files", "start", "-binary", "/nowhere/imds-analyzer"}, nil, 1, "the program under test: "},
		{"one v1 more", all, []string{"-files", "start"}, func(t *testing.T, s site) {
			s.changeTruth(t, func(known *truth) { known.V1++; known.V2-- })
		}, 1, "start: the log is not as the file: 20 calls, "},
		{"one call more", all, []string{"-files", "start"}, func(t *testing.T, s site) {
			s.changeTruth(t, func(known *truth) { known.Calls++ })
		}, 1, "but there are 21, "},
		{"a program that fails", all, []string{"-files", "start"}, func(t *testing.T, s site) {
			s.damage(t)
		}, 1, "exit status"},
		{"a tool that fails", all, []string{"-files", "start"}, func(t *testing.T, s site) {
			stub(t, filepath.Join(os.Getenv("PATH"), tcpdump), "echo first >&2; echo 'tcpdump: no such filter' >&2; exit 1")
		}, 1, "exit status 1: tcpdump: no such filter\n"},
		{"no such file", all, []string{"-files", "pins"}, nil, 2, `there is no file "pins"`},
		{"no such flag", all, []string{"-pins"}, nil, 2, "-pins"},
		{"no rounds", all, []string{"-rounds", "0"}, nil, 2, "at least one round"},
		{"too many words", all, []string{"start"}, nil, 2, `"start" is no flag`},
		{"no data", all, []string{"-data", ""}, nil, 2, "-binary and -data are needed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.tools...)
			if tt.harm != nil {
				tt.harm(t, s)
			}
			status, _, complaints := s.run(tt.args...)
			if status != tt.status || !strings.Contains(complaints, tt.says) {
				t.Errorf("status %d, said %q; want %d and %q", status, complaints, tt.status, tt.says)
			}
			if status == 1 && strings.Count(complaints, "\n") != 1 {
				t.Errorf("more than a line: %q", complaints)
			}
			s.holds(t, "needles.pcap", "needles.pcap.truth.json", "start.pcap", "start.pcap.truth.json")
		})
	}
}

func (s site) changeTruth(t *testing.T, change func(*truth)) {
	t.Helper()
	file := recipe{name: "start"}.file(s.data)
	known, err := readTruth(file)
	if err != nil {
		t.Fatal(err)
	}
	change(&known)
	if err := known.save(file); err != nil {
		t.Fatal(err)
	}
}

// damage makes the file one that is no capture, of the same size.
func (s site) damage(t *testing.T) {
	t.Helper()
	file := recipe{name: "start"}.file(s.data)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), int(info.Size())), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A file that is missing is made, by a process of its own, in full size.
func TestMeasureGenerates(t *testing.T) {
	s := newSite(t, tcpdump)
	if err := os.Remove(recipe{name: "start"}.file(s.data)); err != nil {
		t.Fatal(err)
	}
	status, out, complaints := s.run("-files", "start", "-rounds", "1")
	if status != 0 || !strings.Contains(out, "made "+recipe{name: "start"}.file(s.data)) {
		t.Errorf("status %d, said %q and %q", status, out, complaints)
	}
}

// A signal ends the run, and what was written goes.
func TestMeasureEnds(t *testing.T) {
	s := newSite(t, tcpdump)
	ctx, end := context.WithCancel(t.Context())
	end()
	p, err := parsePlan([]string{"-binary", s.self, "-data", s.data, "-files", "start"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.measure(ctx, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	s.holds(t, "needles.pcap", "needles.pcap.truth.json", "start.pcap", "start.pcap.truth.json")
}

func TestCommands(t *testing.T) {
	tests := []struct {
		args   []string
		status int
		says   string
	}{
		{nil, 2, "the commands are generate and measure"},
		{[]string{"sort"}, 2, "the commands are"},
		{[]string{"generate"}, 2, "-out names the directory"},
		{[]string{"generate", "-out", t.TempDir(), "pins"}, 2, `"pins"`},
		{[]string{"generate", "-out", "/dev/null/x", "start"}, 1, "/dev/null"},
		{[]string{"generate", "-help"}, 0, "-out directory"},
		{[]string{"measure", "-help"}, 0, "-tshark-rounds"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var out, complaints bytes.Buffer
			status := Main(tt.args, &out, &complaints)
			if status != tt.status || !strings.Contains(complaints.String(), tt.says) {
				t.Errorf("status %d, said %q; want %d and %q", status, complaints.String(), tt.status, tt.says)
			}
		})
	}
}
