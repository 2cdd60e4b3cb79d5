package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"imds-analyzer/capture"
)

// shownLinkTypes bounds the link types that are named; captures can have many.
const shownLinkTypes = 3

// tellNotRead says which packets could not be read because of their link type.
// If no packet could, nothing was done.
func (s *session) tellNotRead() {
	found := s.analyzer.Stats()
	switch n := countNotRead(found.NotRead); {
	case n == 0:
	case n == found.Packets+s.sieve.PassedOver():
		s.problem(fmt.Errorf("%s; what `tcpdump -i any` captures can be read", describeNotRead(found.NotRead)))
	default:
		say(s.streams.Err, "%s", describeNotRead(found.NotRead))
	}
}

func countNotRead(packets map[capture.LinkType]uint64) (sum uint64) {
	for _, n := range packets {
		sum += n
	}
	return sum
}

// describeNotRead is a sentence that names the link types, those of the most
// packets first.
func describeNotRead(packets map[capture.LinkType]uint64) string {
	types := slices.SortedFunc(maps.Keys(packets), func(a, b capture.LinkType) int {
		return cmp.Or(cmp.Compare(packets[b], packets[a]), cmp.Compare(a, b))
	})
	var names []string
	for _, t := range types[:min(len(types), shownLinkTypes)] {
		names = append(names, nameOf(t))
	}
	if more := len(types) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	n := countNotRead(packets)
	switch {
	case n == 1:
		return fmt.Sprintf("1 packet has the link type %s, which is not read", names[0])
	case len(types) == 1:
		return fmt.Sprintf("%d packets have the link type %s, which is not read", n, names[0])
	}
	return fmt.Sprintf("%d packets have link types that are not read: %s", n, strings.Join(names, ", "))
}

func nameOf(t capture.LinkType) string {
	if name := t.Name(); name != "" {
		return fmt.Sprintf("%d (%s)", t, name)
	}
	return fmt.Sprint(int(t))
}
