package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// documented is the entry that docs/log-entry.md shows.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/log-entry.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```json\n")
	line, _, _ := strings.Cut(rest, "\n")
	if !found {
		t.Fatal("there is no entry in docs/log-entry.md")
	}
	return line
}

func readAll(t *testing.T, log string) (entries []entry, err error) {
	t.Helper()
	err = readLog(strings.NewReader(log), func(e entry) { entries = append(entries, e) })
	return entries, err
}

func TestReadLog(t *testing.T) {
	line := documented(t)
	entries, err := readAll(t, line+"\n"+`{"event":{"action":"capture-stopped","dataset":"imds.capture"},"imds":{"capture":{"attribution_methods":["proc"],"packets_dropped_kernel":7}}}`+"\n")
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	call, end := entries[0], entries[1]
	if call.Event.Dataset != callDataset || call.URL.Original != "/latest/meta-data/instance-id" || call.line != line ||
		call.IMDS.Attribution.Status != resolved || call.IMDS.Attribution.Method != "sock_diag" ||
		call.Process.PID != 4242 || call.Process.Executable != "/usr/bin/python3.11" || call.User.ID != "1000" ||
		!reflect.DeepEqual(call.Process.Args, []string{"python3", "/opt/app/sync.py"}) {
		t.Errorf("the call is %+v", call)
	}
	if end.Event.Action != captureStopped || end.IMDS.Capture.Dropped != 7 || !reflect.DeepEqual(end.IMDS.Capture.Methods, []string{"proc"}) {
		t.Errorf("the end is %+v", end)
	}
}

func FuzzReadLog(f *testing.F) {
	for _, line := range []string{
		`{"event":{"dataset":"imds.call"},"container":{"id":"0"},"url":{"original":"/latest/meta-data/0/0/5/2/0"},"process":{"pid":5,"vpid":2,"args":["a"]},"user":{"id":"0"}}`,
		`{"imds":{"attribution":{"status":"shared","candidates":[{"pid":5}]}}}`, "{}", "{", "",
	} {
		f.Add(line)
	}
	m := made{cells: []cell{{}}, each: []int{1}, clients: []client{{}}}
	f.Fuzz(func(t *testing.T, log string) {
		v := newVerdict(m)
		_ = readLog(strings.NewReader(log), v.take)
		v.end(m)
		if got := v.tallies[0]; got.Calls != 1 || got.Missing < 0 {
			t.Errorf("%+v", got)
		}
	})
}
