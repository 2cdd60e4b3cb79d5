package cli

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// Steps of the clock: only one back is one that something would wait for.
func TestWallClock(t *testing.T) {
	noon := time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name string
		to   time.Time
		back bool
	}{
		{"it goes on", noon.Add(time.Second), false},
		{"adjusted by a little", noon.Add(-clockStep), false},
		{"forward by hours", noon.Add(5 * time.Hour), false},
		{"back by hours", noon.Add(-5 * time.Hour), true},
		{"to 1970", time.Unix(0, 0), true},
	} {
		var w wallClock
		if w.setBack(noon) {
			t.Errorf("%s: set back at the first look", test.name)
		}
		if got := w.setBack(test.to); got != test.back {
			t.Errorf("%s: %v", test.name, got)
		}
		if w.setBack(test.to) {
			t.Errorf("%s: set back twice", test.name)
		}
	}
}

// counter is a Handler that counts what it is told of.
type counter struct{ calls, closed int }

func (c *counter) Opened(imds.Conn)     {}
func (c *counter) Unanswered(imds.Call) {}
func (c *counter) Call(imds.Call)       { c.calls++ }
func (c *counter) Closed(imds.Conn)     { c.closed++ }

// The clock was set back by an hour, and what is read next was captured before: it ends no
// connection, and nothing waits for that hour.
func TestPacketsFromBeforeSetBack(t *testing.T) {
	const back = time.Hour
	for _, several := range []bool{false, true} {
		var handler counter
		s := &session{analyzer: capture.NewAnalyzer(imds.DefaultEndpoints(), capture.LiveLimits(), &handler)}
		if several {
			s.merge = &capture.Merge{}
		}
		before := packettest.New()
		before.Now = time.Now().Add(back - time.Minute)
		before.Open()
		before.Client("GET /before HTTP/1.1\r\n\r\n")
		for _, p := range before.Packets() {
			s.analyzer.Packet(&p)
		}
		s.wall.setBack(time.Now().Add(back))

		late := packettest.From("10.0.0.9:4000")
		late.Now = time.Now().Add(back - time.Second)
		late.Open()
		late.Client("GET /late HTTP/1.1\r\n\r\n")
		feed := capture.NewFeed(&queue{packets: late.Packets()})
		feed.Start()
		for ended := false; !ended; {
			<-feed.Ready()
			ended = s.take(feed.Take())
		}
		if handler.calls+handler.closed > 0 {
			t.Errorf("several %v: they have ended %d calls", several, handler.calls)
		}
		if due, ok := s.analyzer.Due(); !ok || time.Until(due) > time.Minute {
			t.Errorf("several %v: something waits for %s", several, time.Until(due))
		}
		if got := s.analyzer.Stats(); got.Connections != 2 {
			t.Errorf("several %v: %d connections", several, got.Connections)
		}
		s.tick()
		s.analyzer.Tick(time.Now().Add(time.Minute))
		if handler.calls != 2 {
			t.Errorf("several %v: %d calls are told a minute later", several, handler.calls)
		}
	}
}

// The clock was set back by hours, and nothing comes any more: what waits is looked at after
// a minute all the same, however often something else has its turn meanwhile.
func TestSetBackIsNoticedBesideOthers(t *testing.T) {
	for _, test := range []struct {
		name  string
		every time.Duration
	}{
		{"nothing else", time.Hour},
		{"the state is saved", stateInterval},
		{"the watchdog is told, or counts are asked for", 15 * time.Second},
		{"all of it at once", time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handler counter
				s := &session{analyzer: capture.NewAnalyzer(imds.DefaultEndpoints(), capture.LiveLimits(), &handler)}
				before := packettest.New()
				before.Now = time.Now().Add(5 * time.Hour)
				before.Open()
				before.Client("GET /before HTTP/1.1\r\n\r\n")
				for _, p := range before.Packets() {
					s.analyzer.Packet(&p)
				}
				s.wall.setBack(before.Now)
				others := time.Tick(test.every)
				for end := time.Now().Add(3 * lookAtClock); handler.calls == 0 && time.Now().Before(end); {
					select {
					case <-s.clock():
						s.tick()
					case <-others:
					}
				}
				if handler.calls != 1 {
					t.Errorf("%d calls are told", handler.calls)
				}
			})
		})
	}
}

// The clock is set back within a connection, of which what came before waits for packets of
// other sources still: it goes before the rest, by however much that was.
func TestSetBackWithinConnection(t *testing.T) {
	const request = "GET /latest/ HTTP/1.1\r\n\r\n"
	for _, test := range []struct {
		name  string
		back  time.Duration
		asked bool // before
	}{
		{"behind the handshake, by a second", time.Second, false},
		{"behind the handshake, by half a minute", 30 * time.Second, false},
		{"behind the handshake, by hours", 5 * time.Hour, false},
		{"behind the request, by a second", time.Second, true},
		{"behind the request, by half a minute", 30 * time.Second, true},
		{"behind the request, by hours", 5 * time.Hour, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handler keeping
				s := &session{analyzer: capture.NewAnalyzer(imds.DefaultEndpoints(), capture.LiveLimits(), &handler), merge: &capture.Merge{}}
				c := packettest.New()
				c.Now = time.Now().Add(test.back)
				c.Open()
				if test.asked {
					c.Client(request)
				}
				before := len(c.Packets())
				time.Sleep(10 * time.Millisecond)
				c.Now = time.Now()
				if !test.asked {
					c.Client(request)
				}
				c.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				packets := c.Packets()
				for i := range packets[:before] {
					s.merge.Add(&packets[i])
				}
				s.wall.setBack(time.Now().Add(test.back))
				feed := capture.NewFeed(&queue{packets: packets[before:]})
				feed.Start()
				for ended := false; !ended; {
					<-feed.Ready()
					ended = s.take(feed.Take())
				}
				for end := time.Now().Add(time.Second); time.Now().Before(end); {
					select {
					case <-s.clock():
						s.tick()
					case <-time.After(time.Second):
					}
				}
				if len(handler.calls) != 1 || !handler.calls[0].Conn.Handshake || handler.calls[0].Response == nil {
					t.Errorf("a second later there are %+v", handler.calls)
				}
			})
		})
	}
}

// keeping is a Handler that keeps the calls.
type keeping struct {
	counter
	calls []imds.Call
}

func (k *keeping) Call(c imds.Call) {
	if c.Response != nil {
		c.Response = new(*c.Response)
	}
	k.calls = append(k.calls, c)
}

// queue is a live source of those packets.
type queue struct {
	capture.LiveSource
	packets []capture.Packet
}

func (q *queue) Next() (*capture.Packet, error) {
	if len(q.packets) == 0 {
		return nil, io.EOF
	}
	p := &q.packets[0]
	q.packets = q.packets[1:]
	return p, nil
}
