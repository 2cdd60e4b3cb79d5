package capture_test

import (
	"fmt"
	"testing"

	"imds-analyzer/capture/packettest"
)

// Captures that begin after the connection did.
func TestCorpusMidstream(t *testing.T) {
	whole := func() packettest.Trace {
		return trace(func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(answer("200 OK", text(3000)))
			c.Client(get("/b", tokenField))
			c.Server(answer("404 Not Found", text(2000)))
			c.Client(put())
			c.Server(tokenAnswer())
			c.Close()
		})
	}
	all := []string{"v1 GET /a 200", "v2 GET /b 404", "v2 PUT /latest/api/token 200 token"}
	var cases []corpusCase
	at := whole()
	requests := at.Data(true)
	for from := range at {
		missed := 0
		for _, request := range requests {
			if from > request {
				missed++
			}
		}
		cases = append(cases,
			corpusCase{name: fmt.Sprintf("from packet %d", from), want: all[missed:], trace: func() packettest.Trace { return whole()[from:] }},
			corpusCase{name: fmt.Sprintf("from packet %d, the client's side", from), want: withoutStatus(all[missed:]),
				trace: func() packettest.Trace { return whole()[from:].Only(fromClient) }},
			corpusCase{name: fmt.Sprintf("from packet %d, the service's side", from),
				trace: func() packettest.Trace { return whole()[from:].Only(fromServer) }})
	}
	runCorpus(t, append(append(cases, oneDirection()...), midHead()...))
}

// withoutStatus are the lines as they are if no answer was seen.
func withoutStatus(lines []string) []string {
	var without []string
	for _, l := range lines {
		var version, method, target, status, rest string
		fmt.Sscan(l, &version, &method, &target, &status, &rest)
		l = version + " " + method + " " + target + " -"
		if rest != "" {
			l += " " + rest
		}
		without = append(without, l)
	}
	return without
}

func oneDirection() []corpusCase {
	return []corpusCase{
		{name: "the client's side of a head in segments", want: withoutStatus(fourPiecesLines),
			trace: func() packettest.Trace { return trace(fourPieces).Only(fromClient) }},
		{name: "the client's side of a head in segments, reversed", want: withoutStatus(fourPiecesLines),
			trace: func() packettest.Trace {
				t := trace(fourPieces).Only(fromClient)
				return t.Permute(t.Data(true)[:4], []int{3, 2, 1, 0})
			}},
		{name: "the client's side without its handshake, pipelined", want: []string{"v1 GET /a -", "v1 GET /b -", "v1 GET /c -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Opened()
					c.Client(get("/a") + get("/b") + get("/c"))
					c.Server(ok() + ok() + ok())
				}).Only(fromClient)
			}},
		{name: "the client's side with bodies", want: []string{"v1 PUT /a -", "v1 POST /b -", "v1 GET /c -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(upload("PUT", "/a", get("/evil")))
					c.Client(chunkedUpload("POST", "/b", "5\r\nGET /\r\n0\r\n\r\n"))
					c.Client(get("/c"))
				}).Only(fromClient)
			}},
		{name: "the client's side, reset by the client", want: []string{"v1 GET /a -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(get("/a"))
					c.Server(ok())
					c.Reset(fromClient)
				}).Only(fromClient)
			}},
	}
}

// Captures that begin inside of a request's head. What is there of it is one
// call without a request line; it is v2 where a whole field line proves that.
func midHead() []corpusCase {
	started := func(tail string) talk {
		return func(c *packettest.Conversation) {
			c.Opened()
			c.Client(tail)
			c.Server(ok())
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
			c.Close()
		}
	}
	unknown := []string{"unknown - - 200 capture_start", "v1 GET /next 404"}
	v2 := []string{"v2 - - 200", "v1 GET /next 404"}
	tail := "3.1\r\nHost: 169.254.169.254\r\nAccept: */*\r\n\r\n"
	return []corpusCase{
		{name: "inside of the target", talk: started("a-data/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"), want: unknown},
		{name: "inside of the HTTP version", talk: started("TTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"), want: unknown},
		{name: "inside of the field lines", talk: started(tail), want: unknown},
		{name: "inside of the field lines, in several segments", want: unknown, plain: true, talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Client(tail[:10], tail[10:30], tail[30:])
			c.Server(ok())
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		// One line alone is a field line, or the end of a body that looks like one.
		{name: "at the last field line", talk: started("Accept: */*\r\n\r\n"), want: unknown, or: [][]string{unknown[1:]}},
		{name: "at the last but one field line", talk: started("Host: h\r\nAccept: */*\r\n\r\n"), want: unknown},
		{name: "at the token's field line, which may be the end of a longer name", plain: true,
			talk: started("X-aws-ec2-metadata-token: " + secret + "\r\nAccept: */*\r\n\r\n"), want: unknown},
		{name: "before the token's field line", plain: true,
			talk: started("ost: h\r\nX-aws-ec2-metadata-token: " + secret + "\r\nAccept: */*\r\n\r\n"), want: v2, or: [][]string{unknown}},
		{name: "inside of the token's field name", plain: true,
			talk: started("data-token: " + secret + "\r\nAccept: */*\r\n\r\n"), want: unknown},
		{name: "inside of the token", plain: true,
			talk: started("g7Lm==\r\nAccept: */*\r\n\r\n"), want: unknown},
		{name: "inside of a head, captured in one direction", want: []string{"unknown - - - capture_start", "v1 GET /next -"},
			trace: func() packettest.Trace { return trace(started(tail)).Only(fromClient) }},
		{name: "inside of a head that pipelines the next", want: unknown, plain: true, talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Client(tail + get("/next"))
			c.Server(ok() + answer("404 Not Found", ""))
		}},
		{name: "inside of a head, and the answer is a reset", plain: true,
			want: []string{"unknown - - - reset capture_start"}, talk: func(c *packettest.Conversation) {
				c.Opened()
				c.Client(tail)
				c.Reset(fromServer)
			}},
		{name: "an answer that came before its request", want: []string{"v1 GET /a 200", "v1 GET /next 404"},
			or: [][]string{{"v1 GET /a -", "v1 GET /next 404"}}, trace: func() packettest.Trace {
				t := trace(func(c *packettest.Conversation) {
					c.Opened()
					c.Client(get("/a"))
					c.Server(ok())
					c.Client(get("/next"))
					c.Server(answer("404 Not Found", ""))
				})
				return t.Move(t.Data(false)[0], 0)
			}},
		{name: "inside of an answer's head", want: []string{"v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Server("ngth: 20\r\n\r\n01234567890123456789")
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "inside of an answer's body, with more of it after", want: []string{"v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Server(text(1000), text(1000), text(700))
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "inside of an answer's chunks", want: []string{"v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Server("01234\r\n5\r\nabcde\r\n0\r\n\r\n")
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
	}
}
