package attribution

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// A session of our own is raised, and one of others left alone.
func TestHurrySession(t *testing.T) {
	if _, err := os.Stat("/proc/self/autogroup"); err != nil {
		return // this kernel does not share by sessions
	}
	for _, own := range []bool{true, false} {
		c := startChildWith(t, &syscall.SysProcAttr{Setsid: own}, "session")
		before, after := c.line(t), c.line(t)
		raised := strings.HasSuffix(after, " nice "+sessionNice)
		if raised != own || !own && before != after {
			t.Errorf("own %v: %q, then %q", own, before, after)
		}
	}
}
