//go:build linux

package selftest

import (
	"fmt"
	"io"
	"strings"
)

// report prints the verdicts, of which the first is on normal use; the service
// has answered so many calls. It returns ErrFailed if there is a problem.
func report(out io.Writer, verdicts []*verdict, served int) error {
	made, problems := 0, []string(nil)
	for _, v := range verdicts {
		made += v.total.made
		problems = append(problems, v.problems...)
	}
	if served != made {
		problems = append(problems, fmt.Sprintf("the service's own log has %d calls, the clients made %d", served, made))
	}
	verdicts[0].printChecks(out)
	printWays(out, verdicts)
	fmt.Fprintln(out, "not proven: that packets to the real metadata service pass an interface that this host can capture on")
	for _, problem := range problems {
		fmt.Fprintf(out, "FAILED: %s\n", problem)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%w: %d problems with %d calls", ErrFailed, len(problems), made)
	}
	fmt.Fprintf(out, "passed: all %d calls were seen and classified, none was attributed to a wrong process\n", made)
	return nil
}

// printChecks prints how each kind of call came out.
func (v *verdict) printChecks(out io.Writer) {
	fmt.Fprintf(out, "%-36s %6s %6s %10s %10s\n", "calls to a stand-in service", "made", "seen", "classified", "attributed")
	for _, c := range v.checks {
		fmt.Fprintf(out, "%-36s %6d %6d %10d %10d\n", c.name, c.made, c.seen, c.classified, c.attributed)
	}
}

// printWays prints how many calls were attributed in each way.
func printWays(out io.Writer, verdicts []*verdict) {
	all := verdicts[0]
	fmt.Fprintf(out, "\nways to find the process here: %s\n", list(all.ways))
	for _, way := range all.ways {
		fmt.Fprintf(out, "  found by %s: %d of %d\n", way, all.methods[way], all.total.made)
	}
	fmt.Fprintf(out, "\n%-36s %6s %10s %6s %10s\n", "ways to find the process", "made", "attributed", "wrong", "not found")
	for _, v := range verdicts {
		c := v.total
		fmt.Fprintf(out, "%-36s %6d %10d %6d %10d\n", v.name, c.made, c.attributed, c.wrong, c.made-c.attributed-c.wrong)
	}
	fmt.Fprintln(out)
	if unknown := all.total.unknown; unknown > 0 {
		fmt.Fprintf(out, "limit: for %d of %d calls the process had ended before it could be looked up; they are logged without it\n", unknown, all.total.made)
	}
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
