package cli

import (
	"os"
	"strings"
	"testing"
)

// niceOfSession is the nice value of this session, "" if the kernel does not
// share out processors by session.
func niceOfSession(t *testing.T) string {
	t.Helper()
	line, err := os.ReadFile(autogroupFile)
	if os.IsNotExist(err) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(line)) // "/autogroup-5 nice 0"
	if len(fields) == 0 {
		return ""
	}
	return fields[len(fields)-1]
}

func TestAutogroupIsRaisedAndSetBack(t *testing.T) {
	before := niceOfSession(t)
	restore := raiseAutogroup()
	want := map[string]string{"0": autogroupNice}[before]
	if want == "" {
		want = before // not there, or somebody's choice
	}
	if got := niceOfSession(t); got != want {
		t.Errorf("nice %q since, was %q, want %q", got, before, want)
	}
	raiseAutogroup()() // by a second capture in the session: it leaves the first one's alone
	if got := niceOfSession(t); got != want {
		t.Errorf("nice %q after a second capture, want %q", got, want)
	}
	restore()
	if got := niceOfSession(t); got != before {
		t.Errorf("nice %q at the end, was %q", got, before)
	}
}
