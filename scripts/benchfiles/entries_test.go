package main

import (
	"errors"
	"strings"
	"testing"
)

const (
	v1Line      = `{"event":{"dataset":"imds.call"},"imds":{"version":"v1"}}` + "\n"
	v2Line      = `{"event":{"dataset":"imds.call"},"imds":{"version":"v2","token_request":true}}` + "\n"
	unknownLine = `{"event":{"dataset":"imds.call"},"imds":{"version":"unknown"}}` + "\n"
	stopLine    = `{"event":{"dataset":"imds.capture"},"imds":{"capture":{"calls_v1":9}}}` + "\n"
)

func TestCountEntries(t *testing.T) {
	tests := []struct {
		name, log string
		want      entries
		fails     bool
	}{
		{"nothing", "", entries{}, false},
		{"each version", v1Line + v2Line + v2Line + unknownLine, entries{4, 1, 2}, false},
		{"lines about the capture", stopLine + v1Line + stopLine, entries{1, 1, 0}, false},
		{"a last line without an end", v1Line + strings.TrimSpace(v2Line), entries{2, 1, 1}, false},
		{"a line cut off", v1Line + v2Line[:20], entries{}, true},
		{"an empty line", v1Line + "\n" + v2Line, entries{}, true},
		{"a line without an end", strings.Repeat("x", 2<<20), entries{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := countEntries(strings.NewReader(tt.log))
			if (err != nil) != tt.fails || err == nil && got != tt.want {
				t.Errorf("counted %+v, error %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	known := truth{Calls: 5, V1: 2, V2: 3}
	if err := (entries{5, 2, 3}).check(known); err != nil {
		t.Error(err)
	}
	for _, e := range []entries{{4, 2, 2}, {6, 2, 3}, {5, 3, 2}, {5, 2, 2}, {}} {
		if err := e.check(known); !errors.Is(err, errCounts) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestCountLines(t *testing.T) {
	for printed, want := range map[string]int{"": 0, "a\n": 1, "a\tb\nc\td\n": 2} {
		if got, err := countLines(strings.NewReader(printed)); got != want || err != nil {
			t.Errorf("%q: %d, %v", printed, got, err)
		}
	}
}

func FuzzCountEntries(f *testing.F) {
	f.Add(v1Line + v2Line + unknownLine + stopLine)
	f.Add(`{"event":{"dataset":1}}`)
	f.Fuzz(func(t *testing.T, log string) {
		e, err := countEntries(strings.NewReader(log))
		if err == nil && (e.v1+e.v2 > e.calls || e.calls > strings.Count(log, "\n")+1) {
			t.Errorf("counted %+v", e)
		}
	})
}
