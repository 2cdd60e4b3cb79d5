package report

import (
	"fmt"
	"strings"

	"imds-analyzer/report/steps"
)

// shownLines is how many lines of a command the text shows at most: a loop over 21 instances
// has as many.
const shownLines = 30

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
	t.wrap("\n  ", "  ", "With --format html or json, also the ways back, and these steps: "+strings.Join(others, ", "))
}

func (t *text) step(s *steps.Step) {
	t.wrap("\n  ", "      ", s.Title)
	t.wrap("    ", "    ", s.Text)
	if s.Warning != "" {
		t.wrap("    ", "    ", "Warning: "+s.Warning)
	}
	t.way(s)
}

// way writes a command whole, or how to get it: a part of it is nothing to paste.
func (t *text) way(s *steps.Step) {
	command := s.Ways[0].Text
	lines := strings.Count(command, "\n")
	if lines <= shownLines {
		t.block(command)
		return
	}
	t.wrap("    ", "    ", fmt.Sprintf("The command has %d lines. With the same inputs in the place of INPUTS this writes it:", lines))
	t.block(fmt.Sprintf("imds-analyzer report --format json INPUTS |\n  jq -r '.next_steps[] | select(.id == %q).ways[0].text'\n", s.ID))
}
