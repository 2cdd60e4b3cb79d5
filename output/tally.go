package output

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// tally counts how often each of a bounded number of texts occurs. Those that
// come when it is full are counted together.
type tally struct {
	max    int
	counts map[string]*uint64
	others uint64
}

// maxTallied bounds what is kept of a text, in characters.
const maxTallied = 200

func newTally(limit int) tally { return tally{max: limit, counts: map[string]*uint64{}} }

// add counts a text, which it does not keep: most are known. An empty one is not known
// and not counted.
func (t *tally) add(text string) {
	if text == "" {
		return
	}
	text = cut(text, maxTallied)
	switch count := t.counts[text]; {
	case count != nil:
		*count++
	case len(t.counts) < t.max:
		t.counts[strings.Clone(text)] = new(uint64(1))
	default:
		t.others++
	}
}

// tallied is a text and how often it occurred.
type tallied struct {
	text  string
	count uint64
}

// sorted returns all texts, most frequent first.
func (t *tally) sorted() []tallied {
	all := make([]tallied, 0, len(t.counts))
	for text, count := range maps.All(t.counts) {
		all = append(all, tallied{text, *count})
	}
	slices.SortFunc(all, func(a, b tallied) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.text, b.text))
	})
	return all
}
