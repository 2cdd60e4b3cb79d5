package capture_test

import (
	"bytes"
	"testing"
	"time"

	"imds-analyzer/capture"
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

// Whatever a connection waits with when the clock is set back, it waits as long as always.
func TestSetBackWaits(t *testing.T) {
	for _, test := range []struct {
		name string
		says func(c *packettest.Conversation)
	}{
		{"a request behind a hole", func(c *packettest.Conversation) {
			c.Open()
			c.LoseClient(get("/lost"))
			c.Client(get("/a"))
			c.Server(ok(), ok())
		}},
		{"a hole that was not acknowledged", func(c *packettest.Conversation) {
			c.Open()
			c.Quiet = true
			c.LoseClient(get("/lost"))
			c.Client(get("/a"))
		}},
		{"an answer behind a hole", func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.LoseServer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
			c.Client(get("/b"))
			c.Server(ok())
		}},
		{"the end of a connection", func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.LoseServer(ok())
			c.Close()
		}},
		{"a connection without its beginning", func(c *packettest.Conversation) {
			c.Opened()
			c.Client(get("/a"))
			c.Server(ok())
		}},
		{"a request without an answer", func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
		}},
		{"a token request without an answer", func(c *packettest.Conversation) {
			c.Open()
			c.Client(put())
		}},
		{"a token that was not acknowledged", func(c *packettest.Conversation) {
			c.Open()
			c.Client(put())
			c.ServerInVain(tokenAnswer())
		}},
		{"a token that did not come", func(c *packettest.Conversation) {
			c.Open()
			c.Client(put())
			c.ServerInVain(tokenAnswer())
			c.Wait(time.Millisecond)
			c.Finish(true)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, waits := setBackWait(t, test.says, 0)
			if len(lines) == 0 || len(waits) == 0 {
				t.Fatal("there is nothing to wait for")
			}
			for _, back := range []time.Duration{2 * time.Hour, 30 * 24 * time.Hour} {
				gotLines, gotWaits := setBackWait(t, test.says, back)
				checkLines(t, gotLines, lines)
				for i, wait := range gotWaits {
					if late := wait - waits[i]; late < 0 || late > 13*time.Second { // a hole that is waited for twice
						t.Errorf("set back by %v: after %v, and after %v if not", back, wait, waits[i])
					}
				}
			}
		})
	}
}

// setBackWait has the clock set back when a client and the service have said something,
// and returns what is told of it within a minute, and after how long of that.
func setBackWait(t *testing.T, says func(*packettest.Conversation), back time.Duration) (lines []string, waits []time.Duration) {
	t.Helper()
	l, c := newLive(t), packettest.New()
	says(c)
	l.hear(c)
	now := c.Now.Add(-back)
	if back > 0 {
		l.SetBack(now)
	}
	const step = 50 * time.Millisecond
	for wait := time.Duration(0); wait < time.Minute; wait += step {
		before := 2*len(l.calls) + len(l.inVain) // from which they are taken
		l.Tick(now.Add(wait))
		if 2*len(l.calls)+len(l.inVain) > before {
			waits = append(waits, wait)
		}
	}
	return l.lines(), waits
}

// A fragment from before the clock was set back, of which the rest never came, is given up in
// time, and is no part of a later datagram that has its number.
func TestSetBackFragments(t *testing.T) {
	for _, back := range []time.Duration{0, time.Minute, 2 * time.Hour} {
		l, c := newLive(t), packettest.New()
		c.Open()
		c.Client(get("/a", tokenField))
		l.hear(c)
		lost := c.Trace()[c.Trace().Data(fromClient)[0]]
		lost.Time = c.Now
		feed(l.Analyzer, []capture.Packet{lost.Wrap(packettest.Fragment4(lost.IP(), 0, 64))})
		now := c.Now.Add(-back)
		if back > 0 {
			l.SetBack(now)
		}
		c.Server(ok())
		c.Client(get("/b"))
		later := c.Trace()[c.Trace().Data(fromClient)[1]]
		later.Time, later.ID = now.Add(time.Minute), lost.ID
		feed(l.Analyzer, []capture.Packet{
			later.Wrap(packettest.Fragment4(later.IP(), 0, 64)), later.Wrap(packettest.Fragment4(later.IP(), 64, 1<<20)),
		})
		l.Flush()
		l.found("v2 GET /a -", "v1 GET /b -")
		if s := l.Stats(); s.RequestsPartial != 1 {
			t.Errorf("set back by %v: %d datagrams lack a part, want 1", back, s.RequestsPartial)
		}
	}
}

// Packets that were captured before the clock was set back are read after it: they end
// nothing, and what they begin is given up in time.
func TestSetBackLatePackets(t *testing.T) {
	for _, back := range []time.Duration{time.Minute, time.Hour, 30 * 24 * time.Hour} {
		l, waiting, late := newLive(t), packettest.New(), packettest.From("10.0.0.9:4000")
		var saved []capture.Saved
		l.SaveTo(func(s capture.Saved) {
			s.Data = bytes.Clone(s.Data)
			saved = append(saved, s)
		})
		waiting.Open()
		waiting.Client(get("/answered"), get("/begun")[:20])
		l.hear(waiting)
		now := waiting.Now.Add(-back)
		clock := func() {
			l.Latest(now.Add(time.Second))
			if l.Ahead() {
				l.SetBack(now)
			}
		}
		l.Latest(now.Add(time.Second))
		l.SetBack(now)
		l.fed = 0
		late.Open()
		late.Client(get("/late"))
		l.hear(late)
		if !l.Ahead() {
			t.Errorf("set back by %v: they are not known to be late", back)
		}
		clock()
		if l.Ahead() {
			t.Errorf("set back by %v: they are late for ever", back)
		}
		l.found()
		before := len(waiting.Trace())
		waiting.Client(get("/begun")[20:])
		waiting.Server(ok(), ok())
		rest := waiting.Packets()[before:]
		for i := range rest {
			rest[i].Time = rest[i].Time.Add(-back) // their TCP timestamps are by a clock that nobody sets
		}
		feed(l.Analyzer, rest)
		l.found("v1 GET /answered 200", "v1 GET /begun 200")
		for _, s := range saved {
			if s.Length > len(s.Data) {
				t.Errorf("set back by %v: a packet is saved with %d of %d bytes", back, len(s.Data), s.Length)
			}
		}
		l.Tick(now.Add(time.Minute))
		if len(l.calls) != 3 {
			t.Errorf("set back by %v: the late request is not given up: %v", back, l.lines())
		}
		l.Tick(now.Add(12 * time.Minute))
		if len(l.closed) != 2 {
			t.Errorf("set back by %v: %d connections closed", back, len(l.closed))
		}
	}
}
