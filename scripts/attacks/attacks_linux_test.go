package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each attack says what it must have done; a name stands for one attack; and what takes
// long is not made unless it is named.
func TestAttacksAreWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, a := range attacks() {
		if len(a.atLeast) == 0 || a.do == nil || a.about == "" || seen[a.name] {
			t.Errorf("%s is not whole", a.name)
		}
		seen[a.name] = true
	}
	usual, err := choose(attacks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range usual {
		if a.lasts > 0 {
			t.Errorf("%s takes %v", a.name, a.lasts)
		}
	}
	if named, err := choose(attacks(), []string{"byte-a-minute"}); err != nil || len(named) != 1 {
		t.Errorf("%v, %v", named, err)
	}
}

// The program that does nothing is one, and ends well.
func TestSpawn(t *testing.T) {
	program := filepath.Join(t.TempDir(), "nothing")
	if err := os.WriteFile(program, nothing(), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := spawnOnce(program); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(program, []byte("\x7fELF"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := spawnOnce(program); err == nil {
		t.Error("what is no program was started")
	}
}

// What the games expect is held against the service and against the log.
func TestCheckSequences(t *testing.T) {
	var good verdict
	var log []entry
	for i, g := range games() {
		from := gamePlayer(i)
		good.Log = append(good.Log, access{From: from.String(), Target: g.wanted()[:len(gamePath)+4], V2: g.v2})
		log = append(log, entryOf(t, fmt.Sprintf(`{"imds":{"version":%q},"url":{"original":%q},"source":{"ip":%q,"port":%d}}`,
			access{V2: g.v2}.version(), g.wanted()[:len(gamePath)+4], from.Addr(), from.Port())))
	}
	if faults := checkSequences(&good, log); faults != nil {
		t.Errorf("faults %q", faults)
	}
	if faults := checkSequences(&verdict{}, nil); len(faults) != len(games()) {
		t.Errorf("%d games in which nothing was seen are wrong, of %d", len(faults), len(games()))
	}
	good.Log[0].Target, log[0].URL.Original = gamePath+two, gamePath+two
	if faults := checkSequences(&good, log); len(faults) != 1 {
		t.Errorf("faults %q where both saw another copy than they should", faults)
	}
	if faults := checkSequences(&good, nil); len(faults) != len(games()) {
		t.Errorf("%d games of which nothing is told are wrong, of %d", len(faults), len(games()))
	}
}

func TestWithout(t *testing.T) {
	args := []string{"-o", "x", "--emf", "--emf-interval", "1s", "--state", "y", "--own-namespace"}
	got := without("  -o, --output FILE  \n   --state FILE   \n  --own-namespace    capture\n", args)
	if want := []string{"-o", "x", "--state", "y", "--own-namespace"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAllTold(t *testing.T) {
	for _, tt := range []struct {
		answered, told, dropped uint64
		fault                   bool
	}{{5, 5, 0, false}, {5, 4, 0, true}, {4, 5, 0, true}, {5, 4, 1, false}} {
		v := &verdict{Others: tt.answered, OthersReported: tt.told}
		v.Counts.DroppedKernel = tt.dropped
		if fault := allTold(v, nil) != nil; fault != tt.fault {
			t.Errorf("%+v: fault %v", tt, fault)
		}
	}
}

// A program that crashes has not ended well, whatever it has said before.
func TestEndedWell(t *testing.T) {
	const said = "imds-analyzer: capturing on eth0\n"
	for _, tt := range []struct {
		status int
		said   string
		want   bool
	}{
		{0, "", true}, {exitPartial, "", true}, {exitFailed, said, true}, {exitFailed, "", false}, {exitUsage, said, false}, {exitUsage, "imds-analyzer: /a is to be two things at once\n", true}, {-1, said, false}, {4, said, false},
		{2, said + "panic: index out of range\n", false}, {0, said + "fatal error: concurrent map writes\n", false}, {exitFailed, said + "goroutine 1 [running]:\n", false},
	} {
		if got := endedWell(tt.status, []byte(tt.said)); got != tt.want {
			t.Errorf("status %d after %q: %v", tt.status, tt.said, got)
		}
	}
}

// Each attack, also one that is made only if it is named, has a row in the document for
// its figures, in both columns. The figures of one that has none go nowhere, and are an error.
func TestAttacksHaveRows(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attacks() {
		for _, column := range []string{"before", "now"} {
			if changed, err := setCell(text, a.name, column, "x"); err != nil || slices.Equal(changed, text) {
				t.Errorf("%s: %v", a.name, err)
			}
		}
	}
}

// An attack without a row is told, and does not keep the others from being made.
func TestMissingRow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "document")
	if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, complaints strings.Builder
	r := runner{binary: "none", document: file, column: "now", out: &out, complaints: &complaints,
		run: func(context.Context, string, string, io.Writer) (*verdict, error) {
			return &verdict{Failed: "why"}, nil
		}}
	err := r.all(t.Context(), []attack{{name: "two"}, {name: "one"}})
	if !errors.Is(err, errFailed) || !strings.Contains(complaints.String(), "`two`, now") {
		t.Errorf("%v, said %q", err, &complaints)
	}
	if text, _ := os.ReadFile(file); !strings.Contains(string(text), "| `one`, fast | a | **failed** | c |") {
		t.Errorf("the document is %q", text)
	}
}
