package imds

import (
	"cmp"
	"slices"
	"strings"
	"testing"
)

// What is asked for from each name in a text is not looked for anew through all of it: a request
// of 128 KiB would hold up a capture for more than a second, and these, of 4 MiB each, the test
// for longer than tests may take.
func TestRedactLongTexts(t *testing.T) {
	const length = 4 << 20
	tests := []struct{ name, part, want string }{
		{"URLs without quotes", "a://b ", ""},
		{"names without values", "token=&", ""},
		{"flags behind curl", "curl -u ", ""},
		{"logins in one word", "(a:", ""},
		{"logins with hosts in one word", "@(a:", "@(a:REDACTED@(a:"},
		{"flags whose values have blanks", "--cookie a ", "--cookie REDACTED"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			long := strings.Repeat(test.part, length/len(test.part))
			if got := Redact(long); got != cmp.Or(test.want, long) {
				t.Errorf("%d bytes are %d, which begin with %.40q", len(long), len(got), got)
			}
		})
	}
}

// Nor are all arguments before looked at for each flag.
func TestRedactManyArgs(t *testing.T) {
	args := slices.Repeat([]string{"-u"}, 1<<19)
	if got := RedactArgs(args); !slices.Equal(got, args) {
		t.Errorf("flags without values are not as they were")
	}
}
