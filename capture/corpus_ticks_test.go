package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// ticking gives a trace timestamps that tick once in so long.
func ticking(t packettest.Trace, tick time.Duration) packettest.Trace {
	return t.Edit(func(_ int, s *packettest.Segment) {
		clock := 1 + uint32(s.Time.Sub(packettest.Start)/tick)
		s.Options = packettest.Timestamps(clock, clock)
	})
}

// A connection on which there are probes alone for so long that timestamps do not tell what is
// earlier is not stuck: its next call is none of an earlier time (RFC 7323, section 5.5).
func TestCorpusQuietBetweenProbes(t *testing.T) {
	const half = 1 << 31
	for _, tick := range []time.Duration{time.Microsecond, time.Millisecond} {
		for _, quiet := range []time.Duration{half*tick - time.Hour/6, half*tick + time.Hour/6, half * tick * 3 / 2} {
			c := packettest.New()
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			for end := c.Now.Add(quiet); c.Now.Before(end); c.Wait(9 * time.Minute) {
				c.Stray(fromClient, func(s *packettest.Segment) { s.Seq-- })
				c.Stray(fromServer, func(*packettest.Segment) {})
			}
			c.Client(get("/b", tokenField))
			c.Server(ok())
			got, stats := counted(t, nil, ticking(c.Trace(), tick).Packets())
			checkLines(t, got.lines(), []string{"v1 GET /a 200", "v2 GET /b 200"})
			if stats.SegmentsIgnored > 0 {
				t.Errorf("quiet for %v with ticks of %v: %d segments ignored", quiet, tick, stats.SegmentsIgnored)
			}
		}
	}
}
