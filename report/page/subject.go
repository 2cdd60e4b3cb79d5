package page

import (
	"fmt"
	"slices"
	"strings"

	"imds-analyzer/report"
)

// subject is what the report is about.
type subject struct {
	// Name is that of the host, if it is but one.
	Name string
	// Hosts are told apart. Others says that there are more.
	Hosts  int
	Others bool
	// Regions are known. Of Elsewhere hosts the region is not.
	Regions   []string
	Elsewhere int
}

func newSubject(hosts []report.Host) (s subject) {
	for i := range hosts {
		h := &hosts[i]
		if h.Others() {
			s.Others = true
			continue
		}
		s.Hosts++
		s.Name = h.Name
		switch {
		case h.Region == "":
			s.Elsewhere++
		case !slices.Contains(s.Regions, h.Region):
			s.Regions = append(s.Regions, h.Region)
		}
	}
	if s.Hosts > 1 || s.Others {
		s.Name = ""
	}
	slices.Sort(s.Regions)
	return s
}

// Count is how many hosts there are.
func (s subject) Count() string { return hosts(s.Hosts, s.Others) }

// shownRegions are named. A partition of AWS has up to 35 of them.
const shownRegions = 4

// Where are the regions; empty if none is known.
func (s subject) Where() string {
	if len(s.Regions) == 0 {
		return ""
	}
	where := strings.Join(s.Regions[:min(shownRegions, len(s.Regions))], ", ")
	if more := len(s.Regions) - shownRegions; more > 0 {
		where += fmt.Sprintf(" and %s", plural(more, "more region", "more regions"))
	}
	if s.Elsewhere > 0 {
		where += fmt.Sprintf("; of %s the region is not known", hosts(s.Elsewhere, false))
	}
	return where
}

// hosts is a number of them. Others are some that are not told apart.
func hosts(n int, others bool) string {
	switch {
	case !others:
		return plural(n, "host", "hosts")
	case n == 0:
		return "other hosts"
	}
	return plural(n, "host", "hosts") + " and others"
}
