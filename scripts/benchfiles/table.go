package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"imds-analyzer/scripts/testbed"
)

const (
	heading   = "file      read by         wall s    CPU s  RSS MiB  wall of its           CPU of its\n"
	rowFormat = "%-9s %-13s %8.3f %8.3f %8s  %-21s %s"
)

// print prints the table of all files and then the aims.
func (s *summary) print(out io.Writer) {
	fmt.Fprintf(out, "\nmedians of the rounds; ratios: %s by the other, median (least..most) of the rounds\n\n%s", program, heading)
	for _, r := range s.Files {
		r.print(out)
	}
	if s.Floor > 0 {
		fmt.Fprintf(out, "\nan RSS of less than %.1f MiB would not be seen\n", s.Floor)
	}
	fmt.Fprintln(out)
	for _, j := range s.Aims {
		j.print(out)
	}
}

func (r *result) print(out io.Writer) {
	name := r.File
	for _, reader := range []string{program, saver, tcpdump, tshark} {
		costs := r.of(reader, wall)
		if len(costs) == 0 {
			continue
		}
		row := fmt.Sprintf(rowFormat, name, reader, testbed.Median(costs), testbed.Median(r.of(reader, cpu)), mebibytes(testbed.Median(r.of(reader, rss))),
			r.spread(reader, wall), r.spread(reader, cpu))
		fmt.Fprintln(out, strings.TrimRight(row, " "))
		name = ""
	}
	if r.TsharkRequests > 0 && r.TsharkRequests != r.Truth.Calls {
		fmt.Fprintf(out, "%9s note: tshark printed %d of %d requests\n", "", r.TsharkRequests, r.Truth.Calls)
	}
}

// spread is the program's figure by another reader's.
func (r *result) spread(reader string, m measure) string {
	if reader == program {
		return ""
	}
	ratios := r.ratios(reader, m)
	return fmt.Sprintf("%.3f (%.3f..%.3f)", testbed.Median(ratios), slices.Min(ratios), slices.Max(ratios))
}

// mebibytes leaves out what is not known.
func mebibytes(figure float64) string {
	if figure == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", figure)
}

func (j judged) print(out io.Writer) {
	verdict, sign := "met", "<="
	if !j.Met {
		verdict = "MISSED"
	}
	if j.AtLeast {
		sign = ">="
	}
	fmt.Fprintf(out, "%-6s  %-9s %-24s %8.2f  %s %g\n", verdict, j.File, j.What, j.Figure, sign, j.Bound)
}
