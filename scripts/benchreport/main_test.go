package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The logs are the same each time, and the program counts every call in them.
func TestGenerateAndMeasure(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "imds-analyzer.exe")
	build := exec.Command("go", "build", "-o", binary, "imds-analyzer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var logs []string
	for range 2 {
		data := t.TempDir()
		flags := []string{"-data", data, "-hosts", "3", "-entries", "40"}
		var out, said bytes.Buffer
		if Main(append([]string{"generate"}, flags...), &out, &said) != 0 ||
			Main(append([]string{"measure", "-binary", binary, "-rounds", "1"}, flags...), &out, &said) != 0 {
			t.Fatal(said.String())
		}
		if !strings.Contains(out.String(), "3 logs, 120 entries") || !strings.Contains(out.String(), "json: ") {
			t.Error(out.String())
		}
		log, err := os.ReadFile(filepath.Join(data, "3-hosts-40-entries", "host-0002.log"))
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, string(log))
	}
	if logs[0] != logs[1] || strings.Count(logs[0], "\n") != 42 {
		t.Error("the logs differ, or have not all lines")
	}
}

// A report that lacks calls is no measurement.
func TestCheck(t *testing.T) {
	p := plan{hosts: 2, entries: 3}
	for made, good := range map[string]bool{
		`{"calls":{"v1":2,"v2":4}}`: true, `{"calls":{"v1":2,"v2":3}}`: false, `{"calls":{"v2":6}}`: false, `{`: false,
	} {
		if err := p.check(strings.NewReader(made)); (err == nil) != good {
			t.Errorf("%s: %v", made, err)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"x"}, {"generate"}, {"measure", "-data", "x"}, {"generate", "-data", "x", "y"}, {"generate", "-data", "x", "-hosts", "0"}} {
		if status := Main(args, &bytes.Buffer{}, &bytes.Buffer{}); status != 2 {
			t.Errorf("%q: exit status %d", args, status)
		}
	}
}
