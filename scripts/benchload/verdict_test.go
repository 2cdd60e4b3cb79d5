package main

import (
	"fmt"
	"strings"
	"testing"
)

// line is one of a log about a call.
func line(target, version, status string, pid int) string {
	return fmt.Sprintf(`{"event":{"dataset":"imds.call"},"url":{"original":%q},"imds":{"version":%q,"attribution":{"status":%q}},"process":{"pid":%d}}`, target, version, status, pid)
}

// shared is one that names a process, and others that hold its socket, too.
func shared(target, version string, pid int, candidates ...int) string {
	var all []string
	for _, c := range candidates {
		all = append(all, fmt.Sprintf(`{"pid":%d,"name":"another"}`, c))
	}
	with := `"status":"shared","candidates":[` + strings.Join(all, ",") + "]"
	return strings.Replace(line(target, version, "shared", pid), `"status":"shared"`, with, 1)
}

const (
	folded  = `{"event":{"dataset":"imds.call"},"imds":{"version":"v1","folded":{"calls":5}}}`
	noCalls = `{"event":{"dataset":"imds.capture","action":"capture-stopped"},"imds":{"capture":{}}}`
)

func stopped(counts string) string {
	return `{"event":{"dataset":"imds.capture","action":"capture-stopped"},"imds":{"capture":{` + counts + `}}}`
}

// two are the calls that were made.
func two() map[string]access {
	return map[string]access{"/a": {version: "v1", pid: 1}, "/b": {version: "v2", pid: 2}}
}

func judged(t *testing.T, calls map[string]access, exit int, summary string, lines ...string) *verdict {
	t.Helper()
	v, err := judge(calls, func(take func(entry)) error { return readLog(strings.NewReader(strings.Join(lines, "\n")), take) })
	if err != nil {
		t.Fatal(err)
	}
	v.exit, v.summary = exit, summary
	return v
}

func TestVerdict(t *testing.T) {
	a, b := line("/a", "v1", "resolved", 1), line("/b", "v2", "resolved", 2)
	for name, test := range map[string]struct {
		lines       []string
		exit        int
		summary     string
		lost, found bool
		broken      string // the beginning of the only promise that is broken
	}{
		"all":              {[]string{a, b, noCalls}, 0, "", false, true, ""},
		"another's":        {[]string{a, line("/b", "v2", "resolved", 1), noCalls}, 0, "", false, false, "1 calls have another's process"},
		"not known whose":  {[]string{a, line("/b", "v2", "not_found", 0), noCalls}, 0, "", false, false, ""},
		"perhaps whose":    {[]string{a, line("/b", "v2", "inferred", 2), noCalls}, 0, "", false, false, ""},
		"a wrong guess":    {[]string{a, line("/b", "v2", "inferred", 7), noCalls}, 0, "", false, false, "1 calls have another's process"},
		"one of several":   {[]string{a, shared("/b", "v2", 7, 8, 2), noCalls}, 0, "", false, false, ""},
		"none of several":  {[]string{a, shared("/b", "v2", 7, 8), noCalls}, 0, "", false, false, "1 calls have another's process"},
		"other version":    {[]string{a, line("/b", "v1", "resolved", 2), noCalls}, 0, "", false, true, "1 calls have the other version"},
		"unknown version":  {[]string{a, line("/b", "unknown", "resolved", 2), noCalls}, 0, "", true, true, ""},
		"twice":            {[]string{a, a, noCalls}, 0, "", false, false, "1 calls are there twice"},
		"nobody's":         {[]string{a, line("/c", "v1", "resolved", 2), noCalls}, 0, "", false, false, "0 calls are there twice, and 1 that nobody"},
		"no end":           {[]string{a, b}, 0, "", false, true, "the log has no end"},
		"missing silently": {[]string{a, noCalls}, 0, "", true, false, "1 calls are missing"},
		"missing, said":    {[]string{a, stopped(`"packets_dropped_kernel":9`)}, 3, "9 dropped by the kernel", true, false, ""},
		"no exit status":   {[]string{a, stopped(`"packets_dropped_kernel":9`)}, 0, "9 dropped by the kernel", true, false, "9 packets were dropped, and the exit"},
		"no summary":       {[]string{a, stopped(`"packets_dropped_kernel":9`)}, 3, "", true, false, "the summary does not tell"},
		"failed":           {[]string{a, b, noCalls}, 3, "", false, true, "the exit status is 3"},
		"evicted":          {[]string{a, stopped(`"connections_evicted":1`)}, 0, "", true, false, ""},
		"not written":      {[]string{a, stopped(`"entries_not_written":1,"calls_v1":1,"calls_v2":1`)}, 0, "", true, false, ""},
		"counted only":     {[]string{a, b, stopped(`"calls_v1":1,"calls_v2":2`)}, 0, "", false, true, "3 calls were counted, and 2"},
	} {
		t.Run(name, func(t *testing.T) {
			v := judged(t, two(), test.exit, test.summary, test.lines...)
			if v.lost() != test.lost || v.found() != test.found {
				t.Errorf("lost %v, found %v: %+v", v.lost(), v.found(), v)
			}
			if (len(v.losses()) > 0) != test.lost || (len(v.unnamed()) > 0) == test.found {
				t.Errorf("%q, %q", v.losses(), v.unnamed())
			}
			broken := v.broken()
			if test.broken == "" && len(broken) > 0 || test.broken != "" && (len(broken) != 1 || !strings.HasPrefix(broken[0], test.broken)) {
				t.Errorf("broken: %q", broken)
			}
		})
	}
}

// What stands for several calls counts with their number, whatever path it has.
func TestVerdictOfFolded(t *testing.T) {
	calls := two()
	for i := range 4 {
		calls[fmt.Sprint(i)] = access{version: "v1", pid: 1}
	}
	v := judged(t, calls, 0, "", line("/a", "v1", "resolved", 1), folded, noCalls)
	if v.logged != 6 || v.lost() || len(v.broken()) > 0 {
		t.Errorf("%+v: %q", v, v.broken())
	}
	if v := judged(t, two(), 0, "", folded, noCalls); len(v.broken()) != 1 {
		t.Errorf("more calls than were made: %q", v.broken())
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add(line("/a", "v1", "resolved", 1) + "\n" + folded + "\n" + stopped(`"calls_v1":6`))
	f.Add("{}\n")
	f.Fuzz(func(t *testing.T, log string) {
		lines := 0
		if err := readLog(strings.NewReader(log), func(entry) { lines++ }); err == nil && lines > strings.Count(log, "\n")+1 {
			t.Errorf("%d lines in %q", lines, log)
		}
	})
}
