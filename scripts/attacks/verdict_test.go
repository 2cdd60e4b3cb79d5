package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func entryOf(t *testing.T, text string) entry {
	t.Helper()
	var e entry
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

const line = `{"event":{"dataset":"imds.call"},"imds":{"version":"VERSION"},"http":{"response":{"status_code":200}},` +
	`"url":{"original":"/latest/meta-data/honest/1"},"source":{"ip":"10.0.0.1"},"process":{"pid":42}}`

func TestJudge(t *testing.T) {
	good := strings.Replace(line, "VERSION", "v1", 1)
	tests := []struct {
		name  string
		log   []string
		peak  int64
		fault string // "" for none
	}{
		{"all there", []string{good}, maxRSS, ""},
		{"not there", nil, 1, "0 reported"},
		{"twice there", []string{good, good}, 1, "2 lines"},
		{"of another process", []string{strings.Replace(good, "42", "43", 1)}, 1, "of pid 42, told is"},
		{"of another version", []string{strings.Replace(line, "VERSION", "v2", 1)}, 1, "v2 status 200"},
		{"without its answer", []string{strings.Replace(good, "200", "0", 1)}, 1, "status 0"},
		{"too much memory", []string{good}, maxRSS + 1, "more than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log []entry
			for _, text := range tt.log {
				log = append(log, entryOf(t, text))
			}
			path := honestPath + "1"
			v := judge(log, served{Log: []access{{Target: path, Method: "GET"}}}, map[string]int{path: 42})
			v.PeakRSS = tt.peak
			faults := strings.Join(v.faults(), "\n")
			if tt.fault == "" && faults != "" || !strings.Contains(faults, tt.fault) {
				t.Errorf("faults %q, want %q", faults, tt.fault)
			}
			if pass := strings.Contains(v.row("x"), "| pass |"); pass != (tt.fault == "") {
				t.Errorf("row %q", v.row("x"))
			}
		})
	}
}

// What is missing is forgiven if the kernel had no room, says so, and the attack is
// faster than can be.
func TestJudgeLoss(t *testing.T) {
	for _, tt := range []struct {
		mayLose bool
		dropped uint64
		fault   bool
	}{{true, 1, false}, {true, 0, true}, {false, 1, true}} {
		v := judge(nil, served{Log: []access{{Target: honestPath + "1"}}}, nil)
		v.MayLose, v.Counts.DroppedKernel = tt.mayLose, tt.dropped
		if got := len(v.faults()) > 0; got != tt.fault {
			t.Errorf("%+v: faults %q", tt, v.faults())
		}
	}
}
