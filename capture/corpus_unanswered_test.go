package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

const (
	inVain   = "v2 PUT /latest/api/token - token unanswered"
	noAnswer = "v2 PUT /latest/api/token - token" // and nothing says that there was none
	answered = "v2 PUT /latest/api/token 200 token"
)

// asks opens a connection with a token request on it.
func asks(c *packettest.Conversation) {
	c.Open()
	c.Client(put())
}

// That a token request has no answer is told if the client gave it up, or had the time
// to, and only if the capture would hold the answer.
func TestCorpusUnanswered(t *testing.T) {
	runCorpus(t, []corpusCase{
		{name: "the client closes", want: []string{inVain}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Close()
		}},
		{name: "the client resets", want: []string{inVain}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Reset(fromClient)
		}},
		{name: "the client closes, and the service says nothing", want: []string{inVain}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Finish(fromClient)
		}},
		{name: "the client waits, and the service closes", want: []string{inVain}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Wait(5 * time.Second)
			c.CloseByServer()
		}},
		{name: "the capture ends before the client does", want: []string{noAnswer}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Wait(300 * time.Millisecond)
			c.Stray(fromServer, func(*packettest.Segment) {})
		}},
		{name: "the capture ends after the client's time", want: []string{inVain}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Wait(500 * time.Millisecond)
			c.Stray(fromServer, func(*packettest.Segment) {})
		}},
		{name: "answered in time", want: []string{answered, "v2 GET /a 200"}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Wait(300 * time.Millisecond)
			c.Server(tokenAnswer())
			c.Wait(time.Second)
			c.Client(get("/a", tokenField))
			c.Server(ok())
			c.Close()
		}},
		{name: "answered too late", want: []string{answered + " unanswered", "v2 GET /a 200"}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Wait(2 * time.Second)
			c.Server(tokenAnswer())
			c.Client(get("/a", tokenField))
			c.Server(ok())
			c.Close()
		}},
		{name: "answered behind the client's half-close", want: []string{answered + " unanswered"}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Finish(fromClient)
			c.Server(tokenAnswer())
			c.Finish(fromServer)
		}},
		{name: "refused, and asked again in vain", talk: func(c *packettest.Conversation) {
			asks(c)
			c.Server(answer("403 Forbidden", text(2000)))
			c.Client(put())
			c.Close()
		}, want: []string{"v2 PUT /latest/api/token 403 token", inVain}},
		{name: "a GET has no answer", want: []string{"v1 GET /a -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Wait(time.Second)
			c.Close()
		}},
		{name: "a token request behind a slow GET", plain: true, want: []string{"v1 GET /a -", inVain}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"), put())
			c.Wait(time.Second)
			c.Close()
		}},
		{name: "two token requests at once", want: []string{inVain, inVain}, plain: true, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(put() + put())
			c.Close()
		}},
		{name: "an answer has begun", whole: true, want: []string{answered}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Server("HTTP/1.1 200 OK\r\nServer: EC2ws\r\n")
			c.Wait(time.Second)
			c.Server("Content-Length: 0\r\n\r\n")
			c.Close()
		}},
		{name: "the answer is not in the capture", want: []string{noAnswer}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.LoseServer(tokenAnswer())
			c.Close()
		}},
		{name: "the answer is not in the capture, and the client stays", talk: func(c *packettest.Conversation) {
			asks(c)
			c.LoseServer(tokenAnswer())
			c.Stray(fromClient, func(*packettest.Segment) {})
			c.Wait(time.Second)
			c.Client(get("/a", tokenField))
			c.Server(ok())
			c.Close()
		}, want: []string{noAnswer, "v2 GET /a 200"}},
		{name: "of an answer there is only what follows a loss", want: []string{noAnswer}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Stray(fromServer, func(s *packettest.Segment) {
				s.Seq += 30
				s.Payload = []byte("Content-Length: 0\r\n\r\n")
			})
			c.Finish(fromClient)
		}},
		{name: "what is sent back is not HTTP", want: []string{noAnswer}, talk: func(c *packettest.Conversation) {
			asks(c)
			c.Server("SSH-2.0-OpenSSH\r\n")
			c.Close()
		}},
		{name: "one direction is captured", want: []string{noAnswer}, trace: func() packettest.Trace {
			return trace(func(c *packettest.Conversation) {
				asks(c)
				c.Server(tokenAnswer())
				c.Wait(time.Second)
				c.Close()
			}).Only(true)
		}},
		{name: "one direction is captured, and the client gives up", want: []string{noAnswer}, trace: func() packettest.Trace {
			return trace(func(c *packettest.Conversation) {
				asks(c)
				c.Wait(time.Second)
				c.Close()
			}).Only(true)
		}},
		{name: "from the middle on", want: []string{inVain}, talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Client(put())
			c.Wait(time.Second)
			c.Close()
		}},
	})
}

// An answer behind the client's own close in the capture has come before it on the wire.
func TestCorpusUnansweredOutOfOrder(t *testing.T) {
	whole := trace(func(c *packettest.Conversation) {
		asks(c)
		c.Server(tokenAnswer())
		c.Close()
	})
	at := whole.Data(false)[0]
	for behind := 1; at+behind < len(whole); behind++ {
		got := found(t, nil, whole.Move(at, at+behind).Packets())
		checkLines(t, got.lines(), []string{answered})
	}
}

// It is told at once, before the call that it explains, on a quiet wire too.
func TestCorpusUnansweredIsTold(t *testing.T) {
	ends := map[string]func(*live, *packettest.Conversation){
		"the client closes":  func(l *live, c *packettest.Conversation) { c.Finish(fromClient) },
		"the client resets":  func(l *live, c *packettest.Conversation) { c.Reset(fromClient) },
		"the service closes": func(l *live, c *packettest.Conversation) { c.Finish(fromServer) },
		"the service resets": func(l *live, c *packettest.Conversation) { c.Reset(fromServer) },
		"time passes": func(l *live, c *packettest.Conversation) {
			due, ok := l.Due()
			if wait := due.Sub(c.Now); !ok || wait > 500*time.Millisecond {
				t.Errorf("due in %v", wait)
			}
			l.Tick(due)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			l, c := newLive(t), packettest.New()
			asks(c)
			l.hear(c)
			if len(l.inVain) > 0 {
				t.Error("told at once")
			}
			end(l, c)
			l.hear(c)
			if len(l.inVain) != 1 || len(l.calls) > 0 {
				t.Fatalf("%d token requests told, %d calls", len(l.inVain), len(l.calls))
			}
			if reset := l.inVain[0].Reset; reset != (name == "the service resets") {
				t.Errorf("reset: %v", reset)
			}
			for range 40 {
				c.Wait(time.Second)
				l.Tick(c.Now)
			}
			if len(l.inVain) > 0 || len(l.calls) != 1 || !l.calls[0].Unanswered {
				t.Errorf("%d token requests told, calls %q", len(l.inVain), l.lines())
			}
		})
	}
}

// A clock that stands still, or jumps, is told of each once, and comes to an end.
func TestCorpusUnansweredDue(t *testing.T) {
	for _, step := range []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Hour} {
		l, c := newLive(t), packettest.New()
		asks(c)
		c.LoseServer(tokenAnswer())
		c.Stray(fromClient, func(*packettest.Segment) {}) // acknowledges what is not there
		asked := packettest.From("10.0.0.8:1")
		asks(asked)
		feed(l.Analyzer, packettest.Merge(c.Trace(), asked.Trace()).Packets())
		for now := c.Now; now.Before(c.Now.Add(time.Second)); now = now.Add(step) {
			l.Tick(now)
			l.Tick(now)
		}
		l.Tick(c.Now.Add(time.Minute))
		l.found(noAnswer, "10.0.0.8:1 "+inVain)
		l.check()
	}
}

// tellings is a collector that notes what is told, and before which call.
type tellings struct {
	collector
	unanswered []imds.Call
	before     []int // how many calls were complete by then
}

func (o *tellings) Unanswered(c imds.Call) {
	o.unanswered = append(o.unanswered, c)
	o.before = append(o.before, len(o.calls))
}

func tellingsOf(t *testing.T, name string) *tellings {
	t.Helper()
	source := packettest.Open(captureOf(t, name))
	defer source.Close()
	o := &tellings{}
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), o)
	for p, err := source.Next(); err == nil; p, err = source.Next() {
		analyzer.Packet(p)
	}
	analyzer.Flush()
	return o
}

// Where the token requests of real clients hang each is told, and before the call that
// its client made next; where they are answered or refused, none is.
func TestRealTokenRequestsInVain(t *testing.T) {
	o := tellingsOf(t, "fallback-puthang")
	if len(o.unanswered) < 50 {
		t.Errorf("%d told", len(o.unanswered))
	}
	for i, call := range o.calls {
		if call.Request.IsTokenRequest() != call.Unanswered {
			t.Errorf("%+v", call.Request)
		}
		for j, u := range o.unanswered {
			if !call.Unanswered && u.Request.Time.Before(call.Request.Time) && o.before[j] > i {
				t.Errorf("the one of %v is told after the call of %v", u.Request.Time, call.Request.Time)
			}
		}
	}
	for _, name := range []string{"fallback-403", "boto", "cloud-init", "container-nat-hostany", "curl-eth", "ec2-tools-snap120", "proxy-haproxy-any", "segmented"} {
		if o := tellingsOf(t, name); len(o.unanswered) > 0 {
			t.Errorf("%s: %+v", name, o.unanswered)
		}
	}
}
