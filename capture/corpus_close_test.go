package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// How connections end (RFC 9293, sections 3.5.2 and 3.6), and what that makes
// of calls that have no answer or no whole head yet.
func TestCorpusClose(t *testing.T) {
	head := get("/latest/meta-data/")
	runCorpus(t, []corpusCase{
		{name: "closed by the client", want: oneCallLines, talk: func(c *packettest.Conversation) { oneCall(c) }},
		{name: "closed by the service", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
			c.CloseByServer()
		}},
		{name: "not closed", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
		}},
		{name: "half-closed by the client before the answer", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Finish(fromClient)
			c.Server(ok())
			c.Finish(fromServer)
		}},
		{name: "half-closed by the client long before the answer", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Finish(fromClient)
			c.Wait(20 * time.Second)
			c.Server(ok())
			c.Finish(fromServer)
		}},
		{name: "the request's segment has the FIN", want: oneCallLines, trace: func() packettest.Trace {
			t := trace(func(c *packettest.Conversation) {
				c.Open()
				c.Client(head)
				c.Finish(fromClient)
				c.Server(ok())
			})
			at := t.Data(true)[0]
			return t.Edit(func(i int, s *packettest.Segment) {
				if i == at {
					s.Flags |= packettest.FIN
				}
			}).Drop(at + 2)
		}},
		{name: "the answer's segment has the FIN", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			at := t.Data(false)[0]
			return t.Edit(func(i int, s *packettest.Segment) {
				if i == at {
					s.Flags |= packettest.FIN
				}
			})
		}},
		{name: "the client closes without waiting", want: []string{"v1 GET /latest/meta-data/ -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Close()
		}},
		{name: "the service closes without an answer", want: []string{"v2 PUT /latest/api/token - token unanswered"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(put())
			c.CloseByServer()
		}},
		{name: "the service resets without an answer", want: []string{"v1 GET /latest/meta-data/ - reset"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Reset(fromServer)
		}},
		{name: "the service resets a token request", want: []string{"v2 PUT /latest/api/token - token unanswered reset"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(put())
			c.Reset(fromServer)
		}},
		{name: "the service resets after an answer", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
			c.Reset(fromServer)
		}},
		{name: "the service resets at the second of two calls", want: []string{"v1 GET /a 200", "v1 GET /b - reset"},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				c.Client(get("/b"))
				c.Reset(fromServer)
			}},
		{name: "the client resets without an answer", want: []string{"v1 GET /latest/meta-data/ -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Reset(fromClient)
		}},
		{name: "the client resets after an answer", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
			c.Reset(fromClient)
		}},
		{name: "the SYN is refused", talk: func(c *packettest.Conversation) { refused(c) }},
		{name: "the SYN is never answered", trace: func() packettest.Trace {
			syn := oneCall(packettest.New())[:1]
			return syn.Repeat(0, 1).Repeat(0, 1).Repeat(0, 1)
		}},
		{name: "opened and closed without a word", talk: func(c *packettest.Conversation) {
			c.Open()
			c.Close()
		}},
		{name: "request again after both FINs", want: oneCallLines, talk: lateAfter(50*time.Millisecond, true)},
		{name: "request again seconds after both FINs", want: oneCallLines, talk: lateAfter(10*time.Second, true)},
		{name: "request again after a reset", want: oneCallLines, talk: lateAfter(50*time.Millisecond, false)},
		{name: "request again seconds after a reset", want: oneCallLines, talk: lateAfter(10*time.Second, false)},
		{name: "SYN-ACK and request again after both FINs", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			return t.Repeat(1, len(t)).Repeat(3, len(t)+1).Repeat(5, len(t)+2)
		}},
		{name: "the handshake's last segment and request again after both FINs", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			return t.Repeat(2, len(t)).Repeat(3, len(t)+1).Repeat(5, len(t)+2)
		}},
		{name: "FIN and request again after both FINs", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			return t.Repeat(7, len(t)).Repeat(3, len(t)+1).Repeat(8, len(t)+2)
		}},
		{name: "SYN and a later segment of a head again after both FINs", want: oneCallLines, trace: func() packettest.Trace {
			t := trace(func(c *packettest.Conversation) {
				c.Open()
				c.Client(head[:30], head[30:])
				c.Server(ok())
				c.Close()
			})
			return t.Repeat(0, len(t)).Repeat(4, len(t)+1)
		}},
		{name: "SYN again after both FINs", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			return t.Repeat(0, len(t))
		}},
		// All of it once more, as two captures of the same host joined have it.
		{name: "all of it again after both FINs", want: oneCallLines, or: [][]string{append(oneCallLines, oneCallLines...)},
			trace: func() packettest.Trace {
				t := oneCall(packettest.New())
				for i := range t {
					t = t.Repeat(i, len(t))
				}
				return t
			}},
		// The same packets from a second socket that is read late.
		{name: "all of it again, captured when it was", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			return append(t, t...)
		}},
		{name: "only a later segment of a head again after both FINs", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head[:30], head[30:])
			c.Server(ok())
			c.Close()
			c.Again(fromClient, 1)
			c.Again(fromServer, 0)
		}},
		{name: "request text after the client's FIN", want: oneCallLines, plain: true, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Finish(fromClient)
			c.Stray(fromClient, ahead(0, get("/evil")))
			c.Server(ok())
		}},
		{name: "request text after the client's reset", want: oneCallLines, plain: true, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
			c.Reset(fromClient)
			c.Stray(fromClient, ahead(0, ""))
		}},
	})
}

func refused(c *packettest.Conversation) {
	c.Opened()
	c.Stray(fromClient, func(s *packettest.Segment) {
		s.Seq--
		s.Flags = packettest.SYN
	})
	c.Stray(fromServer, func(s *packettest.Segment) {
		s.Seq = 0
		s.Flags = packettest.RST | packettest.ACK
	})
}

func lateAfter(pause time.Duration, orderly bool) talk {
	return func(c *packettest.Conversation) {
		oneCallOpen(c)
		if orderly {
			c.Close()
		} else {
			c.Reset(fromClient)
		}
		c.Wait(pause)
		c.Again(fromClient, 0)
		c.Again(fromServer, 0)
		c.Again(fromClient, 0)
	}
}

func oneCallOpen(c *packettest.Conversation) {
	c.Open()
	c.Client(get("/latest/meta-data/"))
	c.Server(ok())
}
