//go:build linux

package selftest

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// verdict is what the comparison of the log with the calls came to.
type verdict struct {
	checks   []*check
	problems []string
	methods  map[string]int // how often a process was found by each
}

// check is one kind of call.
type check struct {
	name                                        string
	made, seen, classified, attributed, unknown int
}

// judge compares the entries with what the children called and with the
// service's own access log.
func judge(expected []expectation, entries []entry, log []served) *verdict {
	v := &verdict{methods: make(map[string]int)}
	left := slices.Clone(entries)
	for _, want := range expected {
		c := v.check(want.check)
		c.made++
		i := find(left, want)
		if i < 0 {
			v.problem("%s: %s %s was not seen", want.check, want.method, want.target)
			continue
		}
		v.compare(c, want, left[i])
		left = slices.Delete(left, i, i+1)
	}
	for _, e := range left {
		v.problem("%s %s was seen, but no client called it", e.HTTP.Request.Method, e.URL.Original)
	}
	if len(log) != len(expected) {
		v.problem("the service's own log has %d calls, the clients made %d", len(log), len(expected))
	}
	return v
}

// find returns the index of the call's entry, or -1. The target tells each
// call from all others.
func find(entries []entry, want expectation) int {
	return slices.IndexFunc(entries, func(e entry) bool {
		return e.URL.Original == want.target && e.HTTP.Request.Method == want.method
	})
}

func (v *verdict) compare(c *check, want expectation, e entry) {
	c.seen++
	if version := map[bool]string{true: "v2", false: "v1"}[want.v2]; e.IMDS.Version == version {
		c.classified++
	} else {
		v.problem("%s: %s %s is %s, not %s", want.check, want.method, want.target, e.IMDS.Version, version)
	}
	switch {
	case e.Process.PID == want.pid:
		c.attributed++
		v.methods[e.IMDS.Attribution.Method]++
	case e.Process.PID != 0:
		v.problem("%s: %s %s was made by process %d, not %d", want.check, want.method, want.target, want.pid, e.Process.PID)
	case want.known:
		v.problem("%s: %s %s: the process was not found, although it lived on (%s)", want.check, want.method, want.target, e.IMDS.Attribution.Status)
	default:
		c.unknown++
	}
}

func (v *verdict) check(name string) *check {
	for _, c := range v.checks {
		if c.name == name {
			return c
		}
	}
	c := &check{name: name}
	v.checks = append(v.checks, c)
	return c
}

func (v *verdict) problem(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// report prints the verdict. It returns ErrFailed if there is a problem.
func (v *verdict) report(out io.Writer, methods []string) error {
	fmt.Fprintf(out, "%-36s %6s %6s %10s %10s\n", "calls to a stand-in service", "made", "seen", "classified", "attributed")
	unknown, total := 0, 0
	for _, c := range v.checks {
		fmt.Fprintf(out, "%-36s %6d %6d %10d %10d\n", c.name, c.made, c.seen, c.classified, c.attributed)
		unknown += c.unknown
		total += c.made
	}
	fmt.Fprintf(out, "\nways to find the process here: %s\n", list(methods))
	for _, method := range methods {
		fmt.Fprintf(out, "  found by %s: %d of %d\n", method, v.methods[method], total)
	}
	if unknown > 0 {
		fmt.Fprintf(out, "limit: for %d of %d calls the process had ended before it could be looked up; they are logged without it\n", unknown, total)
	}
	fmt.Fprintln(out, "not proven: that packets to the real metadata service pass an interface that this host can capture on")
	for _, problem := range v.problems {
		fmt.Fprintf(out, "FAILED: %s\n", problem)
	}
	if len(v.problems) > 0 {
		return fmt.Errorf("%w: %d problems with %d calls", ErrFailed, len(v.problems), total)
	}
	fmt.Fprintf(out, "passed: all %d calls were seen and classified, none was attributed to a wrong process\n", total)
	return nil
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
