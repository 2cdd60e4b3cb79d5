package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		kind                         string
		calls, atOnce, clients, each int
	}{
		{"get", 720, 8, 720, 1},
		{"token", 720, 8, 360, 2},
		{"token2", 7, 1, 4, 2},
		{"fork", 10, 32, 3, 4},
		{"agent", 720, 32, 32, 23},
		{"agent", 1, 8, 8, 1},
		{"curl", 3, 1, 3, 1},
	} {
		clients, each := kindNamed(test.kind).split(test.calls, test.atOnce)
		if clients != test.clients || each != test.each {
			t.Errorf("%d calls of %s: %d clients with %d calls, not %d with %d", test.calls, test.kind, clients, each, test.clients, test.each)
		}
		if clients*each < test.calls {
			t.Errorf("%d calls of %s: there are only %d", test.calls, test.kind, clients*each)
		}
	}
}

func TestCallsACell(t *testing.T) {
	calls := 0
	for _, k := range kinds {
		for _, atOnce := range []int{1, 8, 32} {
			clients, each := k.split(directCalls, atOnce)
			calls += 2 * clients * each
		}
	}
	if calls < 30_000 {
		t.Errorf("a way gets %d calls", calls)
	}
}

func TestCommand(t *testing.T) {
	for kind, want := range map[string]string{
		"get":    "/c get /latest/meta-data/3/@ /p",
		"token2": "/c token2 /latest/meta-data/3/@ /p",
		"fork":   "/c fork /latest/meta-data/3/@ /p 4",
		"agent":  "/c agent /latest/meta-data/3/@ /p 4",
		"curl":   "curl -s --max-time 30 -o /dev/null http://169.254.169.254/latest/meta-data/3/@",
	} {
		if got := strings.Join(kindNamed(kind).command("/c", base(3), "/p", 4), " "); got != want {
			t.Errorf("%s: %q, not %q", kind, got, want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for _, test := range []struct {
		target string
		id     callID
		by     pids
		ok     bool
	}{
		{"/latest/meta-data/3/17/4242/7/0", callID{clientID{3, 17}, 0}, pids{4242, 7}, true},
		{"/latest/meta-data/3/17/4242/7/5", callID{clientID{3, 17}, 5}, pids{4242, 7}, true},
		{"/latest/api/token?for=/latest/meta-data/3/17/4242/7/0", callID{clientID{3, 17}, 0}, pids{4242, 7}, true},
		{"/latest/meta-data/3/17", callID{clientID{3, 17}, 0}, pids{}, true}, // curl
		{target: "/latest/meta-data/instance-id"},
		{target: "/latest/meta-data/3"},
		{target: "/latest/meta-data/3/17/4242"},
		{target: "/latest/meta-data/3/17/4242/7"},
		{target: "/latest/meta-data/3/17/4242/7/0/1"},
		{target: "/latest/meta-data/3/-1"},
		{target: "/latest/meta-data/3/99999999999999999999"},
		{target: "/latest/api/token"},
		{target: ""},
	} {
		id, by, ok := parseTarget(test.target)
		if id != test.id || by != test.by || ok != test.ok {
			t.Errorf("%q: %v %v %v", test.target, id, by, ok)
		}
	}
}

// What is read from a target is what was written there.
func FuzzParseTarget(f *testing.F) {
	for _, target := range []string{"/latest/meta-data/3/17/4242/7/5", "/latest/meta-data/3/17", "/latest/api/token?for=/latest/meta-data/0/0/1/1/0", "/latest/meta-data/+1/1", "//"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		id, by, ok := parseTarget(target)
		if !ok {
			return
		}
		if id.cell < 0 || id.number < 0 || id.n < 0 || by.host < 0 || by.inside < 0 {
			t.Fatalf("%q: %v, pids %v", target, id, by)
		}
		again := fmt.Sprintf("%s%d/%d/%d/%d/%d", metadataPath, id.cell, id.number, by.host, by.inside, id.n)
		if id2, by2, ok := parseTarget(again); id2 != id || by2 != by || !ok {
			t.Errorf("%q is %v, pids %v, and %q is not", target, id, by, again)
		}
	})
}

func TestKindNames(t *testing.T) {
	names := strings.Split(allKinds(), ",")
	if len(names) != len(kinds) || slices.Contains(names, "") {
		t.Errorf("the kinds are %q", names)
	}
	if kindNamed("other") != nil {
		t.Error("there is a kind of any name")
	}
}
