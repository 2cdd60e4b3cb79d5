package report

import (
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"

	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// maxText bounds what is kept of a text, in characters.
const maxText = 200

// tidy makes text from a log fit to be kept and shown: whoever has written the log,
// nothing that looks like a secret and nothing that does something to a terminal is
// left in it. What is tidy stays as it is.
func tidy(text string) string { return cut(output.Sanitize(imds.Redact(text))) }

func cut(s string) string {
	if len(s) <= maxText || utf8.RuneCountInString(s) <= maxText {
		return s
	}
	runes := 0
	for i := range s {
		if runes++; runes == maxText {
			return s[:i] + "…"
		}
	}
	return s
}

// tally counts how often each of a bounded number of texts occurs. Those that come
// when it is full are counted together.
type tally struct {
	Counts map[string]uint64 `json:"counts,omitempty"`
	Others uint64            `json:"others,omitempty"`
}

// add counts a text n times; an empty one is not known and not counted.
func (t *tally) add(text string, n uint64, limit int) {
	if text == "" || n == 0 {
		return
	}
	if _, known := t.Counts[text]; !known {
		text = tidy(text)
	}
	_, known := t.Counts[text]
	switch {
	case known || len(t.Counts) < limit:
		if t.Counts == nil {
			t.Counts = map[string]uint64{}
		}
		t.Counts[text] = sum(t.Counts[text], n)
	default:
		t.Others = sum(t.Others, n)
	}
}

func (t *tally) merge(o *tally, limit int) {
	for _, text := range slices.Sorted(maps.Keys(o.Counts)) {
		t.add(text, o.Counts[text], limit)
	}
	t.Others = sum(t.Others, o.Others)
}

// Counted is a text and how often it occurred.
type Counted struct {
	Text  string `json:"text"`
	Count uint64 `json:"count"`
}

// sorted returns all texts, the most frequent first.
func (t *tally) sorted() []Counted {
	all := make([]Counted, 0, len(t.Counts))
	for text, count := range t.Counts {
		all = append(all, Counted{text, count})
	}
	slices.SortFunc(all, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
	})
	return all
}
