package capture_test

import (
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// What clients are known to have sent and the capture does not hold is counted, once for
// each place, unless a call of unknown version tells of it or it can hold no request.
func TestCorpusRequestGaps(t *testing.T) {
	acknowledged := func(c *packettest.Conversation) { // by a packet that does nothing else
		c.Stray(false, func(s *packettest.Segment) { s.Flags, s.Payload = packettest.ACK, nil })
	}
	for _, tt := range []struct {
		name string
		want uint64
		talk func(c *packettest.Conversation)
	}{
		{"nothing is missing", 0, func(c *packettest.Conversation) {
			c.Client(get("/a"))
			c.Server(ok())
			c.Close()
		}},
		{"the only one, before the end", 1, func(c *packettest.Conversation) {
			c.LoseClient(get("/lost"))
			c.LoseServer(ok())
			c.Close()
		}},
		{"the only one, and its answer is there", 1, func(c *packettest.Conversation) {
			c.LoseClient(get("/lost"))
			c.Server(ok())
			c.Close()
		}},
		{"the only one, acknowledged", 1, func(c *packettest.Conversation) {
			c.LoseClient(get("/lost"))
			acknowledged(c)
		}},
		{"nothing, before a probe that keeps the connection", 0, func(c *packettest.Conversation) {
			c.Client(get("/a"))
			c.Server(ok())
			c.Stray(true, func(s *packettest.Segment) { s.Flags, s.Payload, s.Seq = packettest.ACK, []byte{0}, s.Seq-1 })
			acknowledged(c)
		}},
		{"the last one, acknowledged before a reset", 1, func(c *packettest.Conversation) {
			c.Client(get("/a"))
			c.Server(ok())
			c.LoseClient(get("/lost"))
			acknowledged(c)
			c.Reset(true)
		}},
		{"one of two, with its answer", 1, func(c *packettest.Conversation) {
			c.LoseClient(get("/lost"))
			c.LoseServer(ok())
			c.Client(get("/a"))
			c.Server(ok())
			c.Close()
		}},
		{"one before one that comes in pieces", 1, func(c *packettest.Conversation) {
			c.LoseClient(get("/lost"))
			c.LoseServer(ok())
			c.Client("GE", "T /a HT", "TP/1.1\r\nHo", "st: a\r\n\r\n")
			c.Server(ok())
			c.Close()
		}},
		{"two of three, in two places", 2, func(c *packettest.Conversation) {
			for _, target := range []string{"/lost", "/a", "/lost"} {
				say := c.Client
				if target == "/lost" {
					say = c.LoseClient
				}
				say(get(target))
				c.LoseServer(ok())
			}
			c.Close()
		}},
		{"all but the last bytes of a head", 1, func(c *packettest.Conversation) {
			request := get("/lost")
			c.LoseClient(request[:len(request)-3])
			c.Client(request[len(request)-3:])
			c.LoseServer(ok())
			c.Close()
		}},
		{"the beginning of a head, of which the end tells", 0, func(c *packettest.Conversation) {
			c.LoseClient("GET /lost HTTP/1.1\r\nHo")
			c.Client("st: 169.254.169.254\r\nAccept: */*\r\n\r\n")
			c.Server(ok())
			c.Close()
		}},
		{"the end of a head, of which the beginning tells", 0, func(c *packettest.Conversation) {
			c.Client("GET /lost HTTP/1.1\r\nHo")
			c.LoseClient("st: 169.254.169.254\r\nAccept: */*\r\n\r\n")
			c.Server(ok())
			c.Close()
		}},
		{"a body", 0, func(c *packettest.Conversation) {
			c.Client("PUT /a HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
			c.LoseClient(string(make([]byte, 100)))
			c.Server(ok())
			c.Close()
		}},
		{"an answer", 0, func(c *packettest.Conversation) {
			c.Client(get("/a"))
			c.LoseServer(ok())
			c.Client(get("/b"))
			c.Server(ok())
			c.Close()
		}},
		{"less than a request, acknowledged", 0, func(c *packettest.Conversation) {
			c.Client(get("/a"))
			c.LoseClient("\r\n\r\n")
			c.Server(ok())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := packettest.From("10.0.0.1:40000")
			c.Open()
			tt.talk(c)
			if _, stats := limited(capture.OfflineLimits(), c.Packets()); stats.RequestGaps != tt.want {
				t.Errorf("%d gaps, want %d", stats.RequestGaps, tt.want)
			}
		})
	}
}

// A packet that holds nothing tells how far its sender was, or its sender's peer.
func TestCorpusGapsToldByLastPacket(t *testing.T) {
	alone := func(s *packettest.Segment) { s.Flags, s.Payload = packettest.ACK, nil }
	for _, tt := range []struct {
		name string
		last func(c *packettest.Conversation)
	}{
		{"the client's acknowledgment", func(c *packettest.Conversation) { c.Stray(true, alone) }},
		{"the service's acknowledgment", func(c *packettest.Conversation) { c.Stray(false, alone) }},
		{"the service's reset", func(c *packettest.Conversation) { c.Reset(false) }},
	} {
		c := packettest.From("10.0.0.1:40000")
		c.Open()
		c.Client(get("/a"))
		c.Server(ok())
		seen := len(c.Packets())
		c.Client(get("/lost"))
		c.Server(ok())
		tt.last(c)
		packets := c.Packets()
		packets = append(packets[:seen:seen], packets[len(packets)-1])
		if found, stats := limited(capture.OfflineLimits(), packets); stats.RequestGaps != 1 || len(found.calls) != 1 {
			t.Errorf("%s: %d gaps, %d calls; want 1, 1", tt.name, stats.RequestGaps, len(found.calls))
		}
	}
}
