package main

import (
	"strings"
	"testing"
)

func TestPercent(t *testing.T) {
	for _, test := range []struct {
		part, whole int
		want        string
	}{
		{30_000, 30_000, "100.000 %"},
		{29_999, 30_000, "99.996 %"},
		{299_999_999, 300_000_000, "99.999 %"},
		{1, 3, "33.333 %"},
		{0, 7, "0.000 %"},
		{0, 0, "-"},
	} {
		if got := percent(test.part, test.whole); got != test.want {
			t.Errorf("%d of %d: %s, not %s", test.part, test.whole, got, test.want)
		}
	}
}

func TestPrintWay(t *testing.T) {
	a := score{Right: 99, None: 1}
	runs := []run{
		{Way: "proc", Methods: []string{"proc"}, Rows: []row{
			{cell{direct, "get", 8, 0}, 0.4567, tally{Calls: 100, PID: found{score: a}, Args: a, User: a, Executable: a}},
		}},
		{Way: "proc", Methods: []string{"sock_diag", "proc"}, Dropped: 3, Strays: 4, Rows: []row{
			{cell{direct, "token2", 32, 1500}, 12.3, tally{Calls: 100, Missing: 1, Twice: 2, PID: found{a, 3, 4, 5}, Args: a, User: a, Executable: a}},
			{cell{bridged, "curl", 1, 0}, 20, tally{Calls: 100, PID: found{score: a}, Args: a, User: a, Executable: a, Container: score{97, 1, 2}}},
		}},
	}
	var out strings.Builder
	printWay(&out, "proc", runs)
	want := `
proc
                                                                    process                            command line         user                 executable           container
topology  kind    at once  more client ms   calls missing twice      right wrong  none shared inferred    right wrong  none    right wrong  none    right wrong  none    right wrong  none
direct    get           8     0      0.46     100       0     0         99     0     1      0    0/0          99     0     1       99     0     1       99     0     1        0     0     0
direct    token2       32  1500     12.30     100       1     2         99     0     1      3    4/5          99     0     1       99     0     1       99     0     1        0     0     0
bridge    curl          1     0     20.00     100       0     0         99     0     1      0    0/0          99     0     1       99     0     1       99     0     1       97     1     2
direct    all                                 200       1     2        198     0     2      3    4/5         198     0     2      198     0     2      198     0     2        0     0     0
bridge    all                                 100       0     0         99     0     1      0    0/0          99     0     1       99     0     1       99     0     1       97     1     2
direct: process right 99.000 %, wrong 0; command line right 99.000 %, wrong 0; user wrong 0; missing 1, twice 2; of 200 calls
bridge: process right 99.000 %, wrong 0; command line right 99.000 %, wrong 0; user wrong 0; container right 97.000 %, wrong 1; missing 0, twice 0; of 100 calls
note: the ways that worked: sock_diag, proc
note: the kernel dropped 3 packets before the program read them
note: the log has 4 calls that no client made
`
	if out.String() != want {
		t.Errorf("it says\n%s\nnot\n%s", &out, want)
	}
}

// Wrong answers are shown before missing ones, and those before none.
func TestPrintProblems(t *testing.T) {
	c := caller()
	r := run{Way: "proc"}
	for _, what := range []string{"none", "missing", "wrong"} {
		r.problems = append(r.problems, problem{what, callID{c.id, 2}, pids{43, 3}, &c, "{" + what + "}"})
	}
	for most, want := range []string{"", "wrong", "wrong missing", "wrong missing none", "wrong missing none"} {
		var out strings.Builder
		r.printProblems(&out, most)
		var shown []string
		for line := range strings.Lines(out.String()) {
			if what, found := strings.CutPrefix(strings.TrimSpace(line), "{"); found {
				shown = append(shown, strings.TrimSuffix(what, "}"))
			}
		}
		if got := strings.Join(shown, " "); got != want {
			t.Errorf("of %d: %q, not %q", most, got, want)
		}
	}
	var out strings.Builder
	r.printProblems(&out, 1)
	want := `proc: wrong: call 2 of client 7 in cell 0 by pid 43 (3), client pid 42 (2) uid 1000 ["/c" "get" "/latest/meta-data/0/7"] /c ` + containerID + "\n  {wrong}\n"
	if out.String() != want {
		t.Errorf("it says %q", &out)
	}
}
