package capture_test

import (
	"strings"
	"testing"

	"imds-analyzer/capture/packettest"
)

const fromClient, fromServer = true, false

// ahead makes a segment's place in the sequence space n bytes away.
func ahead(n int, payload string) func(*packettest.Segment) {
	return func(s *packettest.Segment) {
		s.Seq += uint32(n)
		s.Payload = []byte(payload)
	}
}

// Retransmissions, overlaps and probes (RFC 9293, section 3.8; RFC 1122,
// section 4.2.3.6).
func TestCorpusRepeats(t *testing.T) {
	head := get("/latest/meta-data/")
	runCorpus(t, []corpusCase{
		{name: "SYN three times", want: oneCallLines, trace: func() packettest.Trace {
			return oneCall(packettest.New()).Repeat(0, 1).Repeat(0, 1)
		}},
		{name: "SYN again after the request", want: oneCallLines, trace: func() packettest.Trace {
			return oneCall(packettest.New()).Repeat(0, 5)
		}},
		{name: "SYN-ACK again after the request", want: oneCallLines, trace: func() packettest.Trace {
			return oneCall(packettest.New()).Repeat(1, 5)
		}},
		{name: "request again before the answer", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Again(fromClient, 0)
			c.Server(ok())
		}},
		{name: "request again after the answer", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
			c.Again(fromClient, 0)
		}},
		{name: "request and answer again after the next call", want: []string{"v1 GET /a 200", "v2 GET /b 404"},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				c.Client(get("/b", tokenField))
				c.Server(answer("404 Not Found", ""))
				c.Again(fromClient, 0)
				c.Again(fromServer, 0)
				c.Close()
			}},
		{name: "answer again before the next request's answer", want: []string{"v1 GET /a 200", "v1 GET /b 404"},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				c.Client(get("/b"))
				c.Again(fromServer, 0)
				c.Server(answer("404 Not Found", ""))
			}},
		{name: "the first of two segments again, in between", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head[:30])
			c.Again(fromClient, 0)
			c.Client(head[30:])
			c.Server(ok())
		}},
		{name: "retransmission with the next bytes added to it", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head[:30])
			c.Stray(fromClient, ahead(-30, head[:50]))
			c.Client(head[30:])
			c.Server(ok())
		}},
		{name: "retransmission cut differently", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Stray(fromClient, ahead(-len(head), head[:20]))
			c.Stray(fromClient, ahead(-len(head)+20, head[20:]))
			c.Server(ok())
		}},
		{name: "every request is sent again in one with the next", want: []string{"v1 GET /a 200", "v2 GET /b 200"},
			plain: true, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				c.Stray(fromClient, ahead(-len(get("/a")), get("/a")+get("/b", tokenField)))
				c.Client(get("/b", tokenField))
				c.Server(ok())
			}},
		{name: "keep-alive probes without a byte", want: twoCallLines, talk: probes("")},
		{name: "keep-alive probes with a byte of garbage", want: twoCallLines, talk: probes("\x00")},
		{name: "keep-alive probes before the first request", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Stray(fromClient, ahead(-1, "\x00"))
			c.Stray(fromServer, ahead(-1, "\x00"))
			c.Client(head)
			c.Server(ok())
		}},
		{name: "zero-window probe with the next byte", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head[:60])
			c.Stray(fromServer, func(s *packettest.Segment) { s.Window = 0 })
			c.Stray(fromClient, ahead(0, head[60:61]))
			c.Stray(fromServer, func(s *packettest.Segment) { s.Window = 0 })
			c.Stray(fromClient, ahead(0, head[60:61]))
			c.Client(head[60:])
			c.Server(ok())
		}},
	})
	runCorpus(t, overlaps(head))
}

var twoCallLines = []string{"v1 GET /a 200", "v1 GET /b 200"}

func probes(payload string) talk {
	return func(c *packettest.Conversation) {
		c.Open()
		c.Client(get("/a"))
		c.Server(ok())
		for range 5 {
			c.Wait(15e9)
			c.Stray(fromClient, ahead(-1, payload))
			c.Stray(fromServer, func(*packettest.Segment) {})
			c.Stray(fromServer, ahead(-1, payload))
		}
		c.Client(get("/b"))
		c.Server(ok())
	}
}

// Of bytes that came twice with different content those count that Linux's receiver
// reads: the first in order and, out of order, those of the segment that begins first or
// covers the other.
func overlaps(head string) []corpusCase {
	other := strings.ReplaceAll(head, "/latest/meta-data/", "/LATEST/USER-DATA.")
	withToken := "GET / HTTP/1.1\r\nX-aws-ec2-metadata-token: " + secret + "\r\n\r\n"
	withoutToken := strings.ReplaceAll(withToken, "X-aws", "Y-aws")
	return []corpusCase{
		{name: "the whole request again with other content", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Stray(fromClient, ahead(-len(head), other))
			c.Server(ok())
		}},
		{name: "the first half again with other content", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(head[:40])
			c.Stray(fromClient, ahead(-40, other[:40]))
			c.Client(head[40:])
			c.Server(ok())
		}},
		{name: "a token kept out of order, and a copy without that begins before it", want: []string{"v1 GET / 200"},
			trace: func() packettest.Trace { return keptThenOverlapped(withToken, withoutToken) }},
		{name: "a token in the copy that begins before what was kept out of order", want: []string{"v2 GET / 200"},
			trace: func() packettest.Trace { return keptThenOverlapped(withoutToken, withToken) }},
		{name: "two overlapping segments out of order", want: oneCallLines, trace: func() packettest.Trace {
			t := trace(func(c *packettest.Conversation) {
				c.Open()
				c.Client(head[:8], head[8:60], head[60:])
				c.Server(ok())
			})
			first, second := t.Data(true)[0], t.Data(true)[1]
			moved := t.Permute([]int{first, second}, []int{1, 0})
			moved = moved.Repeat(first, first+1)
			return moved.Edit(func(i int, s *packettest.Segment) {
				if i == first+1 {
					s.Seq += 10
					s.Payload = []byte(other[18:50])
				}
			})
		}},
		{name: "a token that only the later copy has", want: []string{"v1 GET / 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(withoutToken)
			c.Stray(fromClient, ahead(-len(withToken), withToken))
			c.Server(ok())
		}},
		{name: "a token that only the earlier copy has", want: []string{"v2 GET / 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(withToken)
			c.Stray(fromClient, ahead(-len(withToken), withoutToken))
			c.Server(ok())
		}},
		{name: "an answer again with other content", want: []string{"v1 GET /latest/meta-data/ 200", "v1 GET /b 201"},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(head)
				c.Server(ok())
				c.Stray(fromServer, ahead(-len(ok()), strings.Replace(ok(), "200", "500", 1)))
				c.Client(get("/b"))
				c.Server(answer("201 Created", ""))
			}},
	}
}

// keptThenOverlapped is first in three segments. The third is captured first
// of the last two, and then the second with the beginning of then's third.
func keptThenOverlapped(first, then string) packettest.Trace {
	t := trace(func(c *packettest.Conversation) {
		c.Open()
		c.Client(first[:8], first[8:16], first[16:])
		c.Server(ok())
	})
	second, third := t.Data(true)[1], t.Data(true)[2]
	t = t.Permute([]int{second, third}, []int{1, 0})
	return t.Edit(func(i int, s *packettest.Segment) {
		if i == third {
			s.Payload = []byte(then[8:40])
		}
	})
}

// Segments outside of what the receiver's window allows are no part of the
// stream (RFC 9293, section 3.10.7.4).
func TestCorpusOutOfWindow(t *testing.T) {
	const far = 1 << 30
	evil := get("/evil")
	var cases []corpusCase
	for _, way := range []struct {
		name  string
		bytes int
	}{{"ahead", far}, {"behind", -far}} {
		cases = append(cases,
			corpusCase{name: "a request far " + way.name, want: oneCallLines, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/latest/meta-data/"))
				c.Stray(fromClient, ahead(way.bytes, evil))
				c.Server(ok())
				c.Stray(fromClient, ahead(way.bytes, evil))
				c.Close()
			}},
			corpusCase{name: "a request far " + way.name + " before the first", want: oneCallLines, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Stray(fromClient, ahead(way.bytes, evil))
				c.Client(get("/latest/meta-data/"))
				c.Server(ok())
				c.Close()
			}},
			corpusCase{name: "a request far " + way.name + " inside a head", want: oneCallLines, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/latest/meta-data/")[:40])
				c.Stray(fromClient, ahead(way.bytes, evil))
				c.Client(get("/latest/meta-data/")[40:])
				c.Server(ok())
				c.Close()
			}},
			corpusCase{name: "a request far " + way.name + ", and nothing else", talk: func(c *packettest.Conversation) {
				c.Open()
				c.Stray(fromClient, ahead(way.bytes, evil))
				c.Close()
			}},
			corpusCase{name: "an answer far " + way.name, want: oneCallLines, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/latest/meta-data/"))
				c.Stray(fromServer, ahead(way.bytes, answer("500 No", "")))
				c.Server(ok())
				c.Close()
			}},
			corpusCase{name: "a client's reset far " + way.name, want: twoCallLines, talk: strayFlags(fromClient, packettest.RST, way.bytes)},
			corpusCase{name: "a service's reset far " + way.name, want: twoCallLines, talk: strayFlags(fromServer, packettest.RST|packettest.ACK, way.bytes)},
			corpusCase{name: "a client's FIN far " + way.name, want: twoCallLines, talk: strayFlags(fromClient, packettest.FIN|packettest.ACK, way.bytes)},
			corpusCase{name: "a service's FIN far " + way.name, want: twoCallLines, talk: strayFlags(fromServer, packettest.FIN|packettest.ACK, way.bytes)},
		)
	}
	runCorpus(t, cases)
}

func strayFlags(fromClient bool, flags packettest.Flags, bytes int) talk {
	return func(c *packettest.Conversation) {
		c.Open()
		c.Client(get("/a"))
		c.Stray(fromClient, func(s *packettest.Segment) {
			s.Seq += uint32(bytes)
			s.Flags = flags
		})
		c.Server(ok())
		c.Client(get("/b"))
		c.Server(ok())
	}
}
