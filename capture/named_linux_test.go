//go:build cgo

package capture

import (
	"errors"
	"slices"
	"testing"
)

// An interface that is there again has gone before, also if nobody has looked meanwhile.
func TestNamedTells(t *testing.T) {
	for _, test := range []struct {
		name       string
		was, bound int
		want       []string
	}{
		{"nothing has changed", 3, 3, nil},
		{"there is none still", 0, 0, nil},
		{"gone", 3, 0, []string{"gone"}},
		{"there again", 0, 4, []string{"there"}},
		{"replaced between two looks", 3, 4, []string{"gone", "there"}},
	} {
		var got []string
		n := &named{bound: test.bound, changed: func(err error) {
			switch {
			case err == nil:
				got = append(got, "there")
			case errors.Is(err, ErrGone):
				got = append(got, "gone")
			}
		}}
		if n.tell(test.was); !slices.Equal(got, test.want) {
			t.Errorf("%s: it tells %q", test.name, got)
		}
	}
}
