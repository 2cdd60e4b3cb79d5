//go:build linux

package selftest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// made is a call that the children of the tests made.
func made(check, method, target string, v2 bool, pid int) expectation {
	return expectation{check: check, method: method, target: target, v2: v2, pid: pid}
}

// logged is the entry of a call as the program writes it.
func logged(t *testing.T, method, target, version string, pid int, status string) entry {
	t.Helper()
	line, err := json.Marshal(map[string]any{
		"event":   map[string]any{"dataset": "imds.call"},
		"imds":    map[string]any{"version": version, "attribution": map[string]any{"status": status, "method": "sock_diag"}},
		"http":    map[string]any{"request": map[string]any{"method": method}},
		"url":     map[string]any{"original": target},
		"process": map[string]any{"pid": pid},
	})
	if err != nil {
		t.Fatal(err)
	}
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestVerdict(t *testing.T) {
	alive := made("long-lived", "GET", "/a", false, 7)
	alive.known = true
	for name, test := range map[string]struct {
		expected []expectation
		entries  []entry
		served   int
		problem  string // empty if the test passes
	}{
		"all as it was": {
			expected: []expectation{made("x", "GET", "/a", false, 7), made("x", "PUT", "/t", true, 8)},
			entries:  []entry{logged(t, "PUT", "/t", "v2", 8, "resolved"), logged(t, "GET", "/a", "v1", 7, "resolved")},
			served:   2,
		},
		"a process that had ended is no failure": {
			expected: []expectation{made("x", "GET", "/a", false, 7)},
			entries:  []entry{logged(t, "GET", "/a", "v1", 0, "not_found")},
			served:   1,
		},
		"a call was not seen": {
			expected: []expectation{made("x", "GET", "/a", false, 7), made("x", "GET", "/b", false, 7)},
			entries:  []entry{logged(t, "GET", "/a", "v1", 7, "resolved")},
			served:   2,
			problem:  "GET /b was not seen",
		},
		"a call was seen twice": {
			expected: []expectation{made("x", "GET", "/a", false, 7)},
			entries:  []entry{logged(t, "GET", "/a", "v1", 7, "resolved"), logged(t, "GET", "/a", "v1", 7, "resolved")},
			served:   1,
			problem:  "no client called it",
		},
		"a wrong version": {
			expected: []expectation{made("x", "GET", "/a", true, 7)},
			entries:  []entry{logged(t, "GET", "/a", "v1", 7, "resolved")},
			served:   1,
			problem:  "is v1, not v2",
		},
		"a wrong process": {
			expected: []expectation{made("x", "GET", "/a", false, 7)},
			entries:  []entry{logged(t, "GET", "/a", "v1", 8, "resolved")},
			served:   1,
			problem:  "made by process 7, not 8",
		},
		"a process that lived on was not found": {
			expected: []expectation{alive},
			entries:  []entry{logged(t, "GET", "/a", "v1", 0, "not_found")},
			served:   1,
			problem:  "although it lived on",
		},
		"the service saw more": {
			expected: []expectation{made("x", "GET", "/a", false, 7)},
			entries:  []entry{logged(t, "GET", "/a", "v1", 7, "resolved")},
			served:   2,
			problem:  "the service's own log has 2 calls",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			v := judge("", []string{"sock_diag"}, test.expected, test.entries)
			err := report(&out, []*verdict{v}, test.served)
			if failed := errors.Is(err, ErrFailed); failed != (test.problem != "") {
				t.Errorf("%v, and\n%s", err, &out)
			}
			if !strings.Contains(out.String(), test.problem) || err == nil && !strings.Contains(out.String(), "passed") {
				t.Errorf("it does not say %q:\n%s", test.problem, &out)
			}
		})
	}
}

// With several runs, a wrong process in any of them fails, and a process that
// one way did not find does not.
func TestVerdictOnEachWay(t *testing.T) {
	calls := []expectation{made("x", "GET", "/a", false, 7), made("x", "GET", "/b", false, 8)}
	found := func(pid int) []entry {
		return []entry{logged(t, "GET", "/a", "v1", 7, "resolved"), logged(t, "GET", "/b", "v1", pid, "resolved")}
	}
	ways := []string{"tracepoint", "sock_diag"}
	for _, test := range []struct {
		name string
		pid  int // of the second call, as sock_diag alone tells it
		row  string
		fail string
	}{
		{"found", 8, "sock_diag alone 2 2 0 0", ""},
		{"not found", 0, "sock_diag alone 2 1 0 1", ""},
		{"wrong", 9, "sock_diag alone 2 1 1 0", "FAILED: sock_diag alone: x: GET /b was made by process 8, not 9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			all, alone := judge("", ways, calls, found(8)), judge("sock_diag", ways[1:], calls, found(test.pid))
			err := report(&out, []*verdict{all, alone}, 4)
			if errors.Is(err, ErrFailed) != (test.fail != "") || !strings.Contains(out.String(), test.fail) {
				t.Errorf("%v, and\n%s", err, &out)
			}
			rows := strings.Join(strings.Fields(out.String()), " ")
			for _, row := range []string{"all, as in normal use 2 2 0 0", test.row} {
				if !strings.Contains(rows, row) {
					t.Errorf("there is no %q in\n%s", row, &out)
				}
			}
		})
	}
}
