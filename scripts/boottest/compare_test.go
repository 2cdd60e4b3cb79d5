package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// accessLine and entryLine are a call in both logs.
func accessLine(port int, target, version string) string {
	return fmt.Sprintf(`{"Client":"10.0.0.10:%d","Method":"GET","Target":%q,"Version":%q,"UserAgent":"curl/8"}`+"\n", port, target, version)
}

func entryLine(port int, target, version, unit string) string {
	return fmt.Sprintf(`{"event":{"dataset":"imds.call"},"http":{"request":{"method":"GET"}},"url":{"original":%q},"imds":{"version":%q,`+
		`"attribution":{"status":"resolved","method":"tracepoint"}},"source":{"ip":"10.0.0.10","port":%d},"process":{"pid":7,"executable":"/usr/bin/curl","command_line":"curl -sf"},`+
		`"systemd":{"unit":%q}}`+"\n", target, version, port, unit)
}

// many repeats a line.
func many(line string, times int) string { return strings.Repeat(line, times) }

const startLine = `{"event":{"dataset":"imds.capture","action":"capture-started"}}` + "\n"

func TestCompare(t *testing.T) {
	called := accessLine(1, "/a", "v1") + accessLine(1, "/a", "v1") + accessLine(2, "/b", "v2")
	logged := startLine + entryLine(1, "/a", "v1", "x.service") + entryLine(2, "/b", "v2", "y.service") + entryLine(1, "/a", "v1", "x.service")
	for name, c := range map[string]struct {
		called, logged string
		flags          []string
		wrong          string // empty if nothing is
	}{
		"the same":               {called: called, logged: logged, flags: []string{"-units", "x.service,y.service", "-last", "y.service"}},
		"missing":                {called: called + accessLine(3, "/c", "v1"), logged: logged, wrong: "missing 1 time(s): {10.0.0.10:3 GET /c v1}"},
		"missing once of two":    {called: called + accessLine(2, "/b", "v2"), logged: logged, wrong: "missing 1 time(s): {10.0.0.10:2 GET /b v2}"},
		"may be missing":         {called: called + accessLine(3, "/c", "v1"), logged: logged, flags: []string{"-may-miss", "/c"}},
		"too much":               {called: called, logged: logged + entryLine(2, "/b", "v2", "y.service"), wrong: "1 time(s) too much: {10.0.0.10:2 GET /b v2}"},
		"another version":        {called: called + accessLine(3, "/c", "v2"), logged: logged + entryLine(3, "/c", "v1", "x.service"), wrong: "too much: {10.0.0.10:3 GET /c v1}"},
		"a unit without a call":  {called: called, logged: logged, flags: []string{"-units", "x.service,z.service"}, wrong: "no call by z.service"},
		"another one's the last": {called: called, logged: logged, flags: []string{"-last", "x.service"}, wrong: `is by "y.service", not "x.service"`},
		"too many without unit":  {called: called + accessLine(3, "/c", "v1"), logged: logged + entryLine(3, "/c", "v1", ""), wrong: "of 1 of 4 calls the unit is not known"},
		"few without unit":       {called: many(accessLine(3, "/c", "v1"), 19) + called, logged: logged + many(entryLine(3, "/c", "v1", "x.service"), 18) + entryLine(3, "/c", "v1", ""), flags: []string{"-last", "y.service"}},
		"by its program":         {called: called, logged: strings.ReplaceAll(logged, `"imds":{`, `"imds":{"script":{"name":"s"},`), flags: []string{"-agents", "wget,curl/", "-script", "s"}},
		"by another program":     {called: called, logged: logged, flags: []string{"-agents", "curl/", "-script", "s"}, wrong: `{10.0.0.10:2 GET /b v2} is by "" of "y.service", not by s`},
		"no agent of it":         {called: called, logged: logged, flags: []string{"-agents", "wget", "-script", "s"}},
		"no command line":        {called: called, logged: strings.Replace(logged, `"curl -sf"`, `""`, 1), wrong: `by resolved process 7 ""`},
		"inferred":               {called: called, logged: strings.Replace(logged, "resolved", "inferred", 1), wrong: "inferred process 7"},
		"no process":             {called: called, logged: strings.Replace(logged, `"pid":7`, `"pid":0`, 1), wrong: "resolved process 0"},
		"one start too much":     {called: called, logged: logged + startLine, wrong: "2 captures have begun, not 1"},
		"as many starts":         {called: called, logged: logged + startLine, flags: []string{"-starts", "2"}},
		"a line cut off":         {called: called, logged: logged[:len(logged)-9], wrong: "line 4"},
		"no call at all":         {logged: startLine, flags: []string{"-last", "x.service"}, wrong: "the last call"},
	} {
		dir := t.TempDir()
		access, log := filepath.Join(dir, "access"), filepath.Join(dir, "log")
		for file, text := range map[string]string{access: c.called, log: c.logged} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		status := Main(append([]string{"compare", "-access", access, "-log", log}, c.flags...), &out, &out)
		if good := c.wrong == ""; good != (status == 0) || !strings.Contains(out.String(), c.wrong) {
			t.Errorf("%s: exit status %d\n%s", name, status, &out)
		}
	}
}

func TestTabulate(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(log, []byte(entryLine(1, "/a", "v1", "x.service")+entryLine(1, "/b", "v1", "x.service")), 0o600); err != nil {
		t.Fatal(err)
	}
	calls, err := readLines[entry](log)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	tabulate(&out, calls)
	want := "unit       program  version  found by    calls\nx.service  curl     v1       tracepoint  2\n"
	if out.String() != want {
		t.Errorf("%s", &out)
	}
}

// Whatever is in a log, it is judged or said to be none.
func FuzzDecodeLines(f *testing.F) {
	f.Add(startLine + entryLine(1, "/a", "v1", "x.service"))
	f.Add("{}\n\n")
	f.Fuzz(func(t *testing.T, log string) {
		logged, err := decodeLines[entry](strings.NewReader(log))
		if err != nil {
			return
		}
		calls, starts := callsAndStarts(logged)
		if len(calls)+starts > len(logged) {
			t.Errorf("%d calls and %d starts in %d lines", len(calls), starts, len(logged))
		}
		if err := (&expectation{starts: starts}).judge(io.Discard, nil, calls, starts); err == nil && len(calls) > 0 {
			t.Error("calls that nobody made are all right")
		}
	})
}
