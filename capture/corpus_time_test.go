package capture_test

import (
	"fmt"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// live is an Analyzer as a live capture has it, and what it found so far.
type live struct {
	t *testing.T
	*capture.Analyzer
	*recorder
	fed int
}

func newLive(t *testing.T) *live {
	r := newRecorder(t)
	return &live{t: t, recorder: r, Analyzer: capture.NewAnalyzer(imds.DefaultEndpoints(), capture.LiveLimits(), r)}
}

// hear feeds what a conversation said since the last time.
func (l *live) hear(c *packettest.Conversation) {
	feed(l.Analyzer, c.Packets()[l.fed:])
	l.fed = len(c.Trace())
}

func (l *live) found(want ...string) {
	l.t.Helper()
	checkLines(l.t, l.lines(), want)
}

// Calls are handed over as soon as nothing more can be learned of them.
func TestCorpusHandedOverAtTheAnswer(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(get("/a"))
	l.hear(c)
	l.found()
	c.Server(ok())
	l.hear(c)
	l.found("v1 GET /a 200")
	c.Client(get("/b", tokenField))
	l.hear(c)
	l.found("v1 GET /a 200")
	c.Server(answer("404 Not Found", text(4000)))
	l.hear(c)
	l.found("v1 GET /a 200", "v2 GET /b 404")
	if len(l.closed) > 0 {
		t.Error("closed before it was")
	}
	c.Close()
	l.hear(c)
	l.Tick(c.Now.Add(time.Minute))
	if len(l.closed) != 1 {
		t.Error("not closed a minute after the close")
	}
	l.Flush()
	l.Flush()
	l.found("v1 GET /a 200", "v2 GET /b 404")
	l.check()
}

func TestCorpusHandedOverAtTheReset(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(get("/a"))
	c.Reset(fromServer)
	l.hear(c)
	l.Tick(c.Now.Add(5 * time.Second))
	l.found("v1 GET /a - reset")
}

func TestCorpusHandedOverAtTheClose(t *testing.T) {
	for _, client := range []bool{true, false} {
		l, c := newLive(t), packettest.New()
		c.Open()
		c.Client(get("/a"))
		if client {
			c.Close()
		} else {
			c.CloseByServer()
		}
		l.hear(c)
		l.Tick(c.Now.Add(5 * time.Second))
		l.found("v1 GET /a -")
	}
}

func TestCorpusPartialHandedOverAtTheClose(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client("GET /a HTTP/1.1\r\nHost: ")
	c.Close()
	l.hear(c)
	l.Tick(c.Now.Add(5 * time.Second))
	l.found("unknown GET /a - connection_closed")
}

// A token request that hangs is reported after 30 s, on a quiet wire too.
func TestCorpusHangingTokenRequest(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(put())
	l.hear(c)
	for range 25 {
		c.Wait(time.Second)
		l.Tick(c.Now)
	}
	l.found()
	for range 6 {
		c.Wait(time.Second)
		l.Tick(c.Now)
	}
	l.found("v2 PUT /latest/api/token - token unanswered")
	l.Flush()
	l.found("v2 PUT /latest/api/token - token unanswered")
}

func TestCorpusSlowAnswer(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(put())
	l.hear(c)
	c.Wait(20 * time.Second)
	l.Tick(c.Now)
	c.Server(tokenAnswer())
	l.hear(c)
	l.found("v2 PUT /latest/api/token 200 token unanswered")
}

// What comes after a call was given up is not taken for the next one's.
func TestCorpusTooSlowAnswer(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(put())
	l.hear(c)
	c.Wait(40 * time.Second)
	l.Tick(c.Now)
	l.found("v2 PUT /latest/api/token - token unanswered")
	c.Server(answer("503 Service Unavailable", ""))
	c.Client(get("/b"))
	c.Server(ok())
	l.hear(c)
	l.found("v2 PUT /latest/api/token - token unanswered", "v1 GET /b 200")
}

// A client that gives up and connects again from another port.
func TestCorpusFallbackAfterHang(t *testing.T) {
	hang, fallback := packettest.New(), packettest.From("10.0.0.7:40001")
	hang.Open()
	hang.Client(put())
	hang.Wait(time.Second)
	hang.Close()
	fallback.Now = hang.Now
	fallback.Open()
	fallback.Client(get("/a"))
	fallback.Server(ok())
	got := found(t, nil, packettest.Merge(hang.Trace(), fallback.Trace()).Packets())
	checkLines(t, got.lines(), []string{"v2 PUT /latest/api/token - token unanswered", "10.0.0.7:40001 v1 GET /a 200"})
}

// A connection may be idle for long between calls.
func TestCorpusIdle(t *testing.T) {
	for _, pause := range []time.Duration{time.Minute, 10 * time.Minute, 3 * time.Hour} {
		t.Run(fmt.Sprint(pause), func(t *testing.T) {
			l, c := newLive(t), packettest.New()
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			l.hear(c)
			for range 60 {
				c.Wait(pause / 60)
				l.Tick(c.Now)
			}
			c.Client(get("/b", tokenField))
			c.Server(answer("404 Not Found", ""))
			c.Close()
			l.hear(c)
			l.Flush()
			l.found("v1 GET /a 200", "v2 GET /b 404")
		})
	}
}

// A head that stops half-way is reported at last, once, and never as v1.
func TestCorpusIdleInsideOfHead(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client("GET /a HTTP/1.1\r\nHost: h\r\n")
	l.hear(c)
	for range 48 {
		c.Wait(time.Hour)
		l.Tick(c.Now)
	}
	l.Flush()
	if len(l.calls) != 1 || l.calls[0].Request.Version() != imds.VersionUnknown || l.calls[0].Request.Target != "/a" {
		t.Errorf("got %q", l.lines())
	}
}

// Connections that are never heard of again are closed at last.
func TestCorpusIdleExpires(t *testing.T) {
	l := newLive(t)
	for port := range 200 {
		c := packettest.From(fmt.Sprintf("10.0.0.9:%d", 20000+port))
		c.Open()
		c.Client(get("/a"))
		l.fed = 0
		l.hear(c)
	}
	now := packettest.Start
	for range 48 {
		now = now.Add(time.Hour)
		l.Tick(now)
	}
	if len(l.closed) != 200 || len(l.calls) != 200 {
		t.Errorf("%d calls, %d of %d connections closed", len(l.calls), len(l.closed), len(l.opened))
	}
}

// A tick that lies before what was seen changes nothing.
func TestCorpusTimeRunsBack(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(get("/a"))
	l.hear(c)
	l.Tick(packettest.Start.Add(-time.Hour))
	c.Now = packettest.Start.Add(-time.Minute)
	c.Server(ok())
	l.hear(c)
	l.Flush()
	l.found("v1 GET /a 200")
}

// An Analyzer that was never fed.
func TestCorpusNothing(t *testing.T) {
	l := newLive(t)
	l.Tick(packettest.Start)
	l.Packet(&capture.Packet{})
	l.Flush()
	l.found()
}

// The times of packets are told of all, in whatever order they come, and of those only
// that have one.
func TestCorpusPacketTimes(t *testing.T) {
	l := newLive(t)
	if s := l.Stats(); !s.First.IsZero() || !s.Last.IsZero() {
		t.Errorf("of no packets: %v to %v", s.First, s.Last)
	}
	at := func(d time.Duration) capture.Packet {
		return capture.Packet{Time: packettest.Start.Add(d), LinkType: capture.LinkEthernet, Data: []byte("no packet of the service")}
	}
	for _, p := range []capture.Packet{{}, at(2 * time.Hour), at(0), {}, at(3 * time.Hour), at(time.Hour)} {
		l.Packet(&p)
	}
	if s := l.Stats(); !s.First.Equal(packettest.Start) || !s.Last.Equal(packettest.Start.Add(3*time.Hour)) || s.Packets != 6 {
		t.Errorf("%d packets from %v to %v", s.Packets, s.First, s.Last)
	}
}

// Captures can be of any year from 1 to 9999, and the nanoseconds that 64 bits hold end in
// 2262: calls are told the same way of all, and time ends.
func TestCorpusYears(t *testing.T) {
	for _, start := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1677, 9, 21, 0, 12, 43, 0, time.UTC),
		time.Date(2262, 4, 11, 23, 37, 16, 0, time.UTC),
		time.Date(2262, 4, 11, 23, 47, 16, 850000000, time.UTC),
		time.Date(2262, 4, 11, 23, 47, 16, 900000000, time.UTC),
		time.Date(2300, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		l, c := newLive(t), packettest.New()
		c.Now = start
		c.Open()
		for range 3 {
			c.Client(get("/a"))
			c.Server(ok())
		}
		c.Client(get("/hangs"))
		l.hear(c)
		l.found("v1 GET /a 200", "v1 GET /a 200", "v1 GET /a 200")
		l.Tick(c.Now.Add(30 * time.Second))
		l.found("v1 GET /a 200", "v1 GET /a 200", "v1 GET /a 200", "v1 GET /hangs -")
		l.Tick(c.Now.Add(10 * time.Minute))
		if len(l.closed) != 1 {
			t.Errorf("%s: %d connections closed", start, len(l.closed))
		}
	}
}
