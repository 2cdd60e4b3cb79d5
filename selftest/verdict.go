//go:build linux

package selftest

import (
	"fmt"
	"slices"
)

// verdict is what the comparison of the log of one run of the program with the
// calls made meanwhile came to.
type verdict struct {
	name     string
	ways     []string // of finding processes, which it used
	checks   []*check
	problems []string
	methods  map[string]int // how often a process was found by each
	total    check          // of all checks
}

// check is one kind of call. Unknown is a process that had ended before it was
// looked up: that is no failure.
type check struct {
	name                                               string
	made, seen, classified, attributed, wrong, unknown int
}

// judge compares the entries with what the children called.
func judge(way string, ways []string, expected []expectation, entries []entry) *verdict {
	v := &verdict{name: "all, as in normal use", ways: ways, methods: make(map[string]int)}
	if way != "" {
		v.name = way + " alone"
	}
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
	v.sum()
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
		c.wrong++
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
	v.problems = append(v.problems, v.name+": "+fmt.Sprintf(format, args...))
}

func (v *verdict) sum() {
	for _, c := range v.checks {
		v.total.made += c.made
		v.total.attributed += c.attributed
		v.total.wrong += c.wrong
		v.total.unknown += c.unknown
	}
}
