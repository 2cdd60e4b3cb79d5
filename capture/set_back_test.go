package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// The clock is set back by hours: a call that has no answer is given up after minutes all
// the same, and one that has is told at once.
func TestSetBack(t *testing.T) {
	const patience = 10 * time.Minute
	for _, back := range []time.Duration{2 * time.Hour, 30 * 24 * time.Hour, 50 * 365 * 24 * time.Hour} {
		l, waiting, answered := newLive(t), packettest.New(), packettest.New6()
		for _, c := range []*packettest.Conversation{waiting, answered} {
			c.Open()
			c.Client(get("/before"))
			l.hear(c)
			l.fed = 0
		}
		now := waiting.Now.Add(-back)
		l.SetBack(now)
		l.found()
		answered.Now, l.fed = now, len(answered.Trace())
		answered.Server(ok())
		l.hear(answered)
		l.found("v1 GET /before 200")
		for range 100 { // it does not spin
			due, ok := l.Due()
			if !ok || due.Sub(now) > patience {
				break
			}
			l.Tick(due)
		}
		l.Tick(now.Add(patience))
		if got := len(l.calls); got != 2 {
			t.Errorf("set back by %v: %d calls: %v", back, got, l.lines())
		}
	}
}
