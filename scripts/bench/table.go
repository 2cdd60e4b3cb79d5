package main

import (
	"fmt"
	"io"
	"strings"
)

const (
	heading = "" +
		"                                                                    process                            command line         user                 executable           container\n" +
		"topology  kind    at once  more client ms   calls missing twice      right wrong  none shared inferred    right wrong  none    right wrong  none    right wrong  none    right wrong  none\n"
	rowFormat = "%-9s %-7s %7s %5s %9s %7d %7d %5d     %6d %5d %5d %6d %4d/%-4d   %6d %5d %5d   %6d %5d %5d   %6d %5d %5d   %6d %5d %5d\n"
)

// printWay prints the table of a way, and what all the cells of each topology
// come to.
func printWay(out io.Writer, way string, runs []run) {
	fmt.Fprintf(out, "\n%s\n%s", way, heading)
	var names []string
	sums := make(map[string]*tally)
	for _, r := range runs {
		for _, row := range r.Rows {
			row.tally.print(out, row.Topology, row.Kind, fmt.Sprint(row.AtOnce), fmt.Sprint(row.Processes), fmt.Sprintf("%.2f", row.Life))
			if sums[row.Topology] == nil {
				names, sums[row.Topology] = append(names, row.Topology), new(tally)
			}
			sums[row.Topology].add(row.tally)
		}
	}
	for _, name := range names {
		sums[name].print(out, name, "all", "", "", "")
	}
	for _, name := range names {
		sums[name].printSum(out, name)
	}
	for _, r := range runs {
		r.printNotes(out)
	}
}

// printSum says what matters of a topology. Containers are told where clients
// run in some.
func (t *tally) printSum(out io.Writer, name string) {
	fmt.Fprintf(out, "%s: process right %s, wrong %d; command line right %s, wrong %d; user wrong %d",
		name, percent(t.PID.Right, t.Calls), t.PID.Wrong, percent(t.Args.Right, t.Calls), t.Args.Wrong, t.User.Wrong)
	if name != direct {
		fmt.Fprintf(out, "; container right %s, wrong %d", percent(t.Container.Right, t.Calls), t.Container.Wrong)
	}
	fmt.Fprintf(out, "; missing %d, twice %d; of %d calls\n", t.Missing, t.Twice, t.Calls)
}

func (t *tally) print(out io.Writer, topology, kind, atOnce, processes, life string) {
	p, a, u, e, c := t.PID, t.Args, t.User, t.Executable, t.Container
	fmt.Fprintf(out, rowFormat, topology, kind, atOnce, processes, life, t.Calls, t.Missing, t.Twice,
		p.Right, p.Wrong, p.None, p.Shared, p.InferredRight, p.InferredWrong,
		a.Right, a.Wrong, a.None, u.Right, u.Wrong, u.None, e.Right, e.Wrong, e.None, c.Right, c.Wrong, c.None)
}

func (r *run) printNotes(out io.Writer) {
	if len(r.Methods) != 1 || r.Methods[0] != r.Way {
		fmt.Fprintf(out, "note: the ways that worked: %s\n", strings.Join(r.Methods, ", "))
	}
	if r.Dropped > 0 {
		fmt.Fprintf(out, "note: the kernel dropped %d packets before the program read them\n", r.Dropped)
	}
	if r.Strays > 0 {
		fmt.Fprintf(out, "note: the log has %d calls that no client made\n", r.Strays)
	}
}

// percent has three decimals, so that one call in 30,000 can be seen. It does
// not round up to 100 what is less.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	thousandths := int64(part) * 100_000 / int64(whole)
	return fmt.Sprintf("%d.%03d %%", thousandths/1000, thousandths%1000)
}

// printProblems shows at most so many calls, the worst first.
func (r *run) printProblems(out io.Writer, most int) {
	for _, what := range []string{"wrong", "missing", "none"} {
		for _, p := range r.problems {
			if p.what != what || most == 0 {
				continue
			}
			most--
			fmt.Fprintf(out, "%s: %s: call %d of client %d in cell %d by pid %d (%d), client pid %d (%d) uid %d %q %s %s\n  %s\n",
				r.Way, what, p.call.n, p.call.number, p.call.cell, p.by.host, p.by.inside, p.of.host, p.of.inside, p.of.uid, p.of.args, p.of.executable, p.of.container, p.line)
		}
	}
}
