package main

import (
	"strings"
	"testing"
)

func TestDifferences(t *testing.T) {
	const stopped = `{"event":{"action":"capture-stopped"}}`
	for name, c := range map[string]struct {
		log, got string
		want     string // of the error
	}{
		"each once":       {"a b c", "b a c", ""},
		"the end":         {"a " + stopped, "a", ""},
		"lost":            {"a b", "a", "1 lines did not come, 0 came more than once, and 0 are not in the log"},
		"repeated":        {"a b", "a b b", "0 lines did not come, 1 came more than once, and 0"},
		"repeated, end":   {"a " + stopped, "a " + strings.Repeat(stopped+" ", 2), "0 lines did not come, 1 came more"},
		"no longer there": {"b", "a b", "0 lines did not come, 0 came more than once, and 1 are not in the log"},
	} {
		var got []shipped
		for line := range strings.FieldsSeq(c.got) {
			got = append(got, shipped{line: line})
		}
		err := differences(strings.Fields(c.log), times(got))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
