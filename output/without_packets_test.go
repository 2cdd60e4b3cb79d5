package output

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

func TestOwnerWithoutPackets(t *testing.T) {
	process := attribution.Answer{Status: attribution.Resolved, Process: testProcess()}
	named := attribution.Answer{Process: &attribution.Process{PID: 7, Name: "sh"}}
	for _, test := range []struct {
		name     string
		answer   attribution.Answer
		workload identity.Workload
		owner    string
		program  Program
	}{
		{"a program", process, identity.Workload{}, "/usr/bin/python3.11", Program{"python3", "/usr/bin/python3.11"}},
		{"a program of a unit", process, identity.Workload{Unit: "cron.service"}, "/usr/bin/python3.11 of unit cron.service", Program{"python3", "/usr/bin/python3.11"}},
		{"a program whose file is not known", named, identity.Workload{}, "sh", Program{Name: "sh"}},
		{"nobody", attribution.Answer{Status: attribution.NotFound}, identity.Workload{}, "a process that is not known", Program{}},
		{"a container", process, identity.Workload{Container: identity.Container{ID: testContainer, Name: "web"}}, "container web", Program{}},
		{"a container without a name", process, identity.Workload{Container: identity.Container{ID: testContainer}}, "container " + testContainer[:12], Program{}},
		{"a pod", process, identity.Workload{Container: identity.Container{ID: testContainer, Name: "web"}, Pod: identity.Pod{Name: "web-1", Namespace: "jobs"}}, "pod jobs/web-1/web", Program{}},
	} {
		s := NewSummary()
		if got := s.AddWithoutPackets(test.answer, &test.workload); got != test.owner {
			t.Errorf("%s: %q, want %q", test.name, got, test.owner)
		}
		if got := s.AddWithoutPackets(test.answer, &test.workload); got != "" {
			t.Errorf("%s: said again as %q", test.name, got)
		}
		list := s.listWithoutPackets()
		if len(list) != 1 || list[0].Connections != 2 || list[0].Process != test.program || list[0].Container.ID != test.workload.Container.ID {
			t.Errorf("%s: %+v", test.name, list)
		}
	}
}

// However many there are, the list stays short, and all connections are counted.
func TestWithoutPacketsIsBounded(t *testing.T) {
	s := NewSummary()
	for round := range 2 {
		for i := range maxWithoutPackets + 10 {
			a := attribution.Answer{Process: &attribution.Process{PID: 1, Executable: fmt.Sprintf("/bin/%03d", i)}}
			if owner := s.AddWithoutPackets(a, &identity.Workload{}); owner != "" != (round == 0 && i < maxWithoutPackets) {
				t.Errorf("round %d, %d: %q", round, i, owner)
			}
		}
	}
	counts := s.Counts(CaptureStats{TellsWithoutPackets: true})
	if n := *counts.ConnectionsWithoutPackets; n != 2*(maxWithoutPackets+10) || len(counts.WithoutPackets) != maxWithoutPackets {
		t.Errorf("%d connections, %d callers", n, len(counts.WithoutPackets))
	}
	parts := s.notCaptured()
	if want := fmt.Sprintf("and those of %d more", maxWithoutPackets-5); len(parts) != 6 || parts[5] != want {
		t.Errorf("%q, want %q at the end", parts, want)
	}
}

func TestWithoutPacketsByNumber(t *testing.T) {
	var got []string
	for _, w := range withoutPackets(inTask, func(*Record) {}, inPod, func(*Record) {}).listWithoutPackets() {
		got = append(got, fmt.Sprint(w.owner(), " ", w.Connections))
	}
	want := []string{"/usr/bin/python3.11 2", "pod jobs/sync-6d4cf56db6-x8x7f/sync 1", "task web:7/web 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is not known is left out: neither 0 nor an empty list.
func TestCountsWithoutPackets(t *testing.T) {
	c := NewSummary().Counts(CaptureStats{})
	if c.NetworkNamespaces != nil || c.ConnectionsWithoutPackets != nil || c.WithoutPackets != nil {
		t.Errorf("%+v", c)
	}
	c = NewSummary().Counts(CaptureStats{TellsWithoutPackets: true, NetworkNamespaces: new(uint64)})
	if c.ConnectionsWithoutPackets == nil || *c.ConnectionsWithoutPackets != 0 || *c.NetworkNamespaces != 0 || c.WithoutPackets != nil {
		t.Errorf("%+v", c)
	}
}

// That packets are missing is said, and that silence proves nothing then.
func TestSummaryWithoutPackets(t *testing.T) {
	s := withoutPackets(inPod, inPod, func(*Record) {})
	text := printed(t, s, CaptureStats{Live: true})
	for _, want := range []string{
		"Not captured", "2 connections of pod jobs/sync-6d4cf56db6-x8x7f", "1 connection of /usr/bin/python3.11",
		"That no IMDSv1 call is listed proves nothing: 3 connections were made whose packets were not captured.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

// The log says it too, in words and as a warning.
func TestLifecycleWithoutPackets(t *testing.T) {
	for connections, want := range map[int]string{0: "", 1: ", 1 connection not captured", 2: ", 2 connections not captured"} {
		s := withoutPackets(slices.Repeat([]func(*Record){inPod}, connections)...)
		l := (&Session{Started: testTime}).Progress(CaptureRuns, testTime, s.Counts(CaptureStats{TellsWithoutPackets: true}))
		if !strings.HasSuffix(l.Message, " dropped"+want) || l.LogLevel == levelWarning != (connections > 0) {
			t.Errorf("%d: %s, %q", connections, l.LogLevel, l.Message)
		}
	}
}

// Names are from outside: they do nothing to a terminal, and hold no secret.
func TestNamesWithoutPackets(t *testing.T) {
	a := attribution.Answer{Process: &attribution.Process{PID: 1, Name: "e\x1bvil", Executable: "/tmp/\x1b[2J" + testKeyID}}
	s := NewSummary()
	owner := s.AddWithoutPackets(a, &identity.Workload{})
	l := (&Session{Started: testTime}).Progress(CaptureStopped, testTime, s.Counts(CaptureStats{}))
	for _, text := range []string{Sanitize(owner), printed(t, s, CaptureStats{}), string(appendLifecycle(nil, &l))} {
		if strings.Contains(text, testKeyID) || strings.ContainsRune(text, '\x1b') || !strings.Contains(text, imds.Redact(testKeyID)) {
			t.Errorf("%q", text)
		}
	}
}

func TestSchemaRefusesWithoutPackets(t *testing.T) {
	schema := compileSchema(t)
	l := testLifecycles()[3]
	line := string(appendLifecycle(nil, &l))
	for _, m := range []struct{ name, old, new string }{
		{"unknown field", `"connections":2`, `"connections":2,"x":1`},
		{"no connections", `,"connections":2`, ``},
		{"none", `"connections":2`, `"connections":0`},
		{"unknown field of a process", `"process":{`, `"process":{"pid":1,`},
		{"unknown field of a container", `"container":{`, `"container":{"env":"x",`},
		{"a container's process", `,"connections":2`, `,"process":{"name":"x"},"connections":2`},
		{"a negative number", `"network_namespaces":3`, `"network_namespaces":-3`},
		{"an empty list", `"without_packets":[`, `"without_packets":[],"x":[`},
	} {
		mutated := strings.Replace(line, m.old, m.new, 1)
		if mutated == line {
			t.Fatalf("%s: %q is not in %s", m.name, m.old, line)
		}
		if validate(t, schema, mutated) == nil {
			t.Errorf("%s: accepted %s", m.name, mutated)
		}
	}
}
