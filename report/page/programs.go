package page

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"imds-analyzer/report"
)

// Room for programs: one has 1 to 4 KiB as a rule, so that 50 or more are shown with all
// that is known of them. The others have a line, of 110 bytes and the name: there is room
// for as many as are told apart, 2,048, with names of 130 bytes. Of those that only call
// version 2, a line each, some 300 are shown.
const (
	programBytes      = 688 << 10
	wholeProgramBytes = 208 << 10
	v2Bytes           = 64 << 10
)

// program is one that calls version 1, or may.
type program struct{ *report.Program }

// Standing is what its calls mean for the verdict.
func (p program) Standing() string {
	switch {
	case p.Ignored:
		return "ignored"
	case p.NotSince:
		return "earlier"
	case p.Blocking > p.Refused:
		return "in the way"
	case p.Refused > 0:
		return "refused"
	case p.Calls.Unknown > 0:
		return "not clear"
	}
	return "not in the way"
}

// place is that of its standing among all, the worst first.
func (p program) place() int {
	return slices.Index([]string{"in the way", "refused", "not clear", "not in the way", "earlier", "ignored"}, p.Standing())
}

// Class is the name of its standing in the style.
func (p program) Class() string {
	return []string{"bad", "bad", "unsure", "plain", "plain", "plain"}[p.place()]
}

// FailsWithSetting says that its calls fail with the setting that keeps it from version 1
// until the cause is seen to: without that it gets no token, or asks for none.
func (p program) FailsWithSetting() bool {
	return len(p.Causes) == 0 || slices.ContainsFunc(p.Causes, func(c report.Cause) bool {
		return c.Finding == "" || strings.HasPrefix(c.Finding, "fallback-") || strings.HasPrefix(c.Finding, "script-")
	})
}

// sorted are the programs, that which blocks most first.
func sorted(all []report.Program) []program {
	programs := make([]program, 0, len(all))
	for i := range all {
		programs = append(programs, program{&all[i]})
	}
	slices.SortStableFunc(programs, func(a, b program) int {
		return cmp.Or(cmp.Compare(a.place(), b.place()), cmp.Compare(b.Blocking, a.Blocking),
			cmp.Compare(b.Calls.V1, a.Calls.V1), cmp.Compare(b.Calls.Unknown, a.Calls.Unknown))
	})
	return programs
}

func (v *view) addPrograms(templates *template.Template) error {
	whole, lines := newPart(templates, wholeProgramBytes), newPart(templates, programBytes-wholeProgramBytes)
	v.Programs.Total = len(v.Report.Programs)
	for _, p := range sorted(v.Report.Programs) {
		rendered, fits, err := whole.add(p, "program.html")
		if fits {
			v.Programs.Shown = append(v.Programs.Shown, rendered)
		} else if err == nil {
			err = v.ProgramLines.add(lines, p, p.Calls, "program_line.html")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *view) addV2Programs(templates *template.Template) error {
	room := newPart(templates, v2Bytes)
	v.V2Programs.Total = len(v.Report.V2Programs)
	for _, p := range v.Report.V2Programs {
		calls := report.Calls{V2: p.Calls, TokenRequests: p.TokenRequests}
		if err := v.V2Programs.add(room, p, calls, "v2_program.html"); err != nil {
			return err
		}
	}
	return nil
}
