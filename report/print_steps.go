package report

import (
	"fmt"
	"strings"

	"imds-analyzer/report/steps"
)

// shownLines is how many lines of a command the text shows at most.
const shownLines = 8

// printSteps shows the steps for the instances that were observed. The others are long,
// and much the same in each report: their names will do.
func (r *Report) printSteps(t *text) {
	if len(r.Steps) == 0 {
		return
	}
	t.line("\nNext steps")
	var others []string
	for i := range r.Steps {
		switch s := &r.Steps[i]; s.ID {
		case "first": // the verdict has said so
		case "require-running", "require-many", steps.HopLimit:
			t.step(s)
		default:
			others = append(others, s.ID)
		}
	}
	t.wrap("\n  ", "  ", "With --format html or json, also the ways back: "+strings.Join(others, ", "))
}

func (t *text) step(s *steps.Step) {
	t.wrap("\n  ", "      ", s.Title)
	t.wrap("    ", "    ", s.Text)
	if s.Warning != "" {
		t.wrap("    ", "    ", "Warning: "+s.Warning)
	}
	t.way(s.Ways[0].Text)
}

// way writes a command, or its first lines and how many there are.
func (t *text) way(command string) {
	lines := strings.SplitAfter(command, "\n")
	if len(lines) <= shownLines {
		t.block(command)
		return
	}
	t.block(strings.Join(lines[:shownLines-1], ""))
	t.line(fmt.Sprintf("      ... %d lines in all, with --format json or html", len(lines)-1))
}
