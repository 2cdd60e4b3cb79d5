package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lineOf is a line of a caller.
func lineOf(t *testing.T, text string) toldCall {
	t.Helper()
	var line toldCall
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

// What is told of a caller has to be so, if it is told.
func TestPretenceWrong(t *testing.T) {
	m := made{pid: 7, executable: "/d/caller", args: []string{"exe", "pretend", "x"}, children: "8\n"}
	strict := pretence{args: noOthers, names: []string{otherName}, deleted: isGone, family: true, may: mayHaveNoFile}
	for _, tt := range []struct{ name, line, wrong string }{
		{"nobody", `{}`, ""},
		{"all right", `{"process":{"pid":7,"executable":"/d/caller","name":"caller","args":["exe","pretend","x"]},"user":{"id":"4242"}}`, ""},
		{"the other name", `{"process":{"pid":7,"name":"honest"}}`, ""},
		{"a child", `{"process":{"pid":8}}`, ""},
		{"another", `{"process":{"pid":9}}`, "another process"},
		{"another user", `{"process":{"pid":7},"user":{"id":"0"}}`, "another user"},
		{"another executable", `{"process":{"pid":7,"executable":"/usr/bin/env"}}`, "another executable"},
		{"another name", `{"process":{"pid":7,"name":"env"}}`, "another name"},
		{"other arguments", `{"process":{"pid":7,"args":["exe","pretend","y"]}}`, "other arguments"},
		{"a file that is there", `{"process":{"pid":7,"executable":"/d/caller"},"imds":{"executable_deleted":true}}`, "gone is told as true"},
		{"a file that is gone", `{"process":{"pid":7,"executable":"/d/gone1","working_directory":"/"}}`, "gone is told as false"},
		{"a file that was there at the start", `{"process":{"pid":7,"executable":"/d/gone1"}}`, ""},
		{"only in memory", `{"process":{"pid":7,"executable":"/memfd:x"},"imds":{"executable_deleted":true}}`, ""},
	} {
		wrong := strict.wrong(lineOf(t, tt.line), m, "/d")
		if tt.wrong == "" && wrong != "" || !strings.Contains(wrong, tt.wrong) {
			t.Errorf("%s: %q, want %q", tt.name, wrong, tt.wrong)
		}
	}
}

// Arguments are those of the start, or what was written over them.
func TestRewritten(t *testing.T) {
	m := made{args: []string{"/proc/self/exe", "pretend", "rewrite"}}
	over := []string{"/usr/bin/hones", "t", "/usr/", "bin/hon"} // a NUL of what is written ends one
	for _, tt := range []struct {
		name string
		told []string
		may  bool
	}{
		{"of the start", m.args, true},
		{"written over", over, true},
		{"in part", []string{"/usr/bin/hones", "pretend", "rewrite"}, true},
		{"of another", []string{"/usr/bin/other", "pretend", "rewrite"}, false},
		{"fewer", m.args[:2], false},
		{"more", append(slices.Clone(m.args), "x"), false},
	} {
		if may := rewritten(tt.told, m); may != tt.may {
			t.Errorf("%s: %v", tt.name, may)
		}
	}
}

// An attack in which nobody is found is none.
func TestPretencesHaveFloors(t *testing.T) {
	for _, a := range slices.Concat(pretenceAttacks(), impostorAttacks(), containerAttacks()) {
		want := []string{"default knows", "sock_diag knows", "proc knows"}
		if a.name == "pid-reuse" {
			want = []string{"default knows", "reused"}
		}
		for _, what := range want {
			if a.atLeast[what] == 0 {
				t.Errorf("%s passes with none of %q", a.name, what)
			}
		}
	}
}

func TestScriptWrong(t *testing.T) {
	games := make(map[string]scriptGame)
	for _, g := range scriptGames() {
		games[g.name] = g
		if wrong := g.wrong("/d", toldScript{Name: "/usr/bin/honest"}); wrong == "" {
			t.Errorf("%s: any script may be told", g.name)
		}
	}
	packaged := toldScript{Name: "/d/usual", Path: "/d/usual"}
	packaged.Package.Name = "honest"
	for _, tt := range []struct {
		game  string
		told  toldScript
		wrong bool
	}{
		{"usual", toldScript{Name: "/d/usual", Path: "/d/usual"}, false},
		{"usual", toldScript{Name: "/d/usual", Path: "/d/other"}, true},
		{"usual", packaged, true},
		{"relative", toldScript{Name: "./relative"}, false},
		{"relative", toldScript{Name: "./relative", Path: "./relative"}, true},
		{"another", toldScript{Name: hostProgram, Path: hostProgram}, false},
	} {
		if wrong := games[tt.game].wrong("/d", tt.told); (wrong != "") != tt.wrong {
			t.Errorf("%s, %+v: %q", tt.game, tt.told, wrong)
		}
	}
}

func TestPlaceWrong(t *testing.T) {
	const line = `{"container":{"id":%q,"name":%q},"kubernetes":{"pod":{"uid":%q}}}`
	for _, p := range cgroupPlaces() {
		for _, tt := range []struct {
			id, name, pod string
			wrong         bool
		}{
			{"", "", "", false}, {p.id, p.name, p.pod, false},
			{idOfNeighbor + "0", p.name, p.pod, true}, {p.id, "another", p.pod, true}, {p.id, p.name, podOfNeighbor, true},
		} {
			if wrong := p.wrong(lineOf(t, fmt.Sprintf(line, tt.id, tt.name, tt.pod))); (wrong != "") != tt.wrong {
				t.Errorf("%q: %+v: %q", p.path, tt, wrong)
			}
		}
	}
}

func aStage() *stage {
	return &stage{notes: make(map[string]uint64), program: &program{log: "default.log"}}
}

func TestFilesTrue(t *testing.T) {
	for i, g := range fileGames() {
		for name, faults := range map[string]int{"": 0, g.name: 0, nameOfOthers: 1} {
			line := lineOf(t, fmt.Sprintf(`{"url":{"original":"/pretence/plain/%d"},"container":{"name":%q}}`, i, name))
			if got := filesTrue(aStage(), "x.log", []toldCall{line}); len(got) != faults {
				t.Errorf("file %d, %q: %q", i, name, got)
			}
		}
	}
}

func TestExecutableTold(t *testing.T) {
	with := lineOf(t, `{"url":{"original":"/pretence/x/1"},"process":{"executable":"/d/caller"}}`)
	without, honest := with, with
	without.Process.Executable, honest.URL.Original = "", honestPath
	for _, tt := range []struct {
		log    string
		lines  []toldCall
		faults int
	}{
		{"default.log", []toldCall{with, without}, 0},
		{"default.log", []toldCall{with, without, without}, 1},
		{"default.log", []toldCall{honest}, 1},
		{"proc.log", nil, 0},
	} {
		if faults := executableTold(aStage(), tt.log, tt.lines); len(faults) != tt.faults {
			t.Errorf("%d lines of %s: %q", len(tt.lines), tt.log, faults)
		}
	}
}
