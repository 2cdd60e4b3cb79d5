package logs

import (
	"testing"

	"imds-analyzer/output"
)

// A line cannot stand for more calls than its capture had counted by then.
func TestFoldedCallsOfALine(t *testing.T) {
	for line, want := range map[string]kind{
		`{"event":{"dataset":"imds.call","sequence":9},"imds":{"version":"v1","folded":{"calls":9,"reason":"rate"}}}`:                       call,
		`{"event":{"dataset":"imds.call","sequence":9},"imds":{"version":"v1","folded":{"calls":10,"reason":"rate"}}}`:                      malformed,
		`{"event":{"dataset":"imds.call"},"imds":{"version":"v1","folded":{"calls":9007199254740992,"reason":"rate"}}}`:                     call,
		`{"event":{"dataset":"imds.call"},"imds":{"version":"v1","folded":{"calls":9007199254740993,"reason":"rate"}}}`:                     malformed,
		`{"event":{"dataset":"imds.call","sequence":18446744073709551615},"imds":{"version":"v1","folded":{"calls":18446744073709551615}}}`: malformed,
	} {
		if got, _, err := parse([]byte(line), &output.Entry{}); got != want || (err != nil) != (want == malformed) {
			t.Errorf("%s: %v, %v", line, got, err)
		}
	}
}
