package cli

import (
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
)

// It is not told before the capture has read what was there when it was asked, and is told
// within a bounded time also where the clock was set back.
func TestVerdicts(t *testing.T) {
	const step = drainTime / 10
	for _, test := range []struct {
		name   string
		source backlog
		after  time.Duration
	}{
		{"nothing to read", backlog{step: time.Hour}, drainTime},
		{"only what came since", backlog{step: step}, drainTime},
		{"little to read", backlog{old: 3, step: step}, 3*step + drainTime},
		{"much to read", backlog{old: 100, step: step}, 100*step + drainTime},
		{"old packets without end", backlog{old: 1 << 20, step: step}, lookAtClock},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				feed := capture.NewFeed(&test.source)
				feed.Start()
				asking := make(chan struct{}, 1)
				asking <- struct{}{}
				var v verdicts
				<-v.questions(asking)
				begun := time.Now()
				v.ask(begun)
				if v.questions(asking) != nil {
					t.Error("another question is taken before it is answered")
				}
				age := awaitVerdict(&v, feed)
				if took := time.Since(begun); took < test.after || took > test.after+step || age != attribution.ClaimWithin+took {
					t.Errorf("told after %v of those %v old, want %v", took, age, test.after)
				}
				if v.questions(asking) == nil || v.due() != nil {
					t.Error("it goes on")
				}
				feed.Stop()
				time.Sleep(2 * test.source.step) // its reader ends
			})
		})
	}
}

func awaitVerdict(v *verdicts, feed *capture.Feed) time.Duration {
	for {
		select {
		case <-feed.Ready():
			v.read(feed.Take(), time.Now())
		case now := <-v.due():
			if age, ok := v.age(now); ok {
				return age
			}
		}
	}
}
