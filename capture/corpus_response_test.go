package capture_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// Answers in all forms (RFC 9112, sections 4 and 6). A wrong end of one shows
// in the status of the next.
func TestCorpusAnswers(t *testing.T) {
	fake := answer("500 Fake", "") + get("/evil", tokenField)
	one := func(name, status, reply string) corpusCase {
		return corpusCase{name: name, want: []string{"v1 GET /a " + status, "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(reply)
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
			c.Close()
		}}
	}
	runCorpus(t, []corpusCase{
		one("a length", "200", ok()),
		one("length 0", "200", answer("200 OK", "")),
		one("no reason phrase", "200", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
		one("no reason phrase, with its blank", "200", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"),
		one("a reason phrase with numbers", "200", "HTTP/1.1 200 404 Not 500\r\nContent-Length: 0\r\n\r\n"),
		one("line feeds only", "200", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
		one("HTTP/1.0 with keep-alive", "200", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
		one("a status beyond the registry", "299", answer("299 Hm", "")),
		one("a status 599", "599", answer("599 Hm", "")),
		one("300", "300", answer("300 Multiple Choices", "x")),
		one("401", "401", answer("401 Unauthorized", text(400))),
		one("403", "403", answer("403 Forbidden", text(400))),
		one("a request and an answer in a body", "200", answer("200 OK", fake)),
		one("many of them", "200", answer("200 OK", strings.Repeat(fake, 30))),
		one("a request in a field's value", "200", answer("200 OK", "x", "X-Echo: GET /evil HTTP/1.1", "Y: HTTP/1.1 500 Fake")),
		one("chunks", "200", chunkedAnswer("200 OK", "5\r\nhello\r\n0\r\n\r\n")),
		one("chunks with extensions", "200", chunkedAnswer("200 OK", "5;a=\"b;c\"\r\nhello\r\n0;z\r\n\r\n")),
		one("chunks with trailers", "200", chunkedAnswer("200 OK", "5\r\nhello\r\n0\r\nHTTP: 1\r\nX: HTTP/1.1 500 Fake\r\n\r\n")),
		one("an answer in a chunk", "200", chunkedAnswer("200 OK", hex(fake)+"\r\n"+fake+"\r\n0\r\n\r\n")),
		one("chunks and a length", "200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"+hex(fake)+"\r\n"+fake+"\r\n0\r\n\r\n"),
		one("chunk sizes in upper case with zeros", "200", chunkedAnswer("200 OK", "00A\r\n0123456789\r\n0\r\n\r\n")),
		one("204", "204", "HTTP/1.1 204 No Content\r\n\r\n"),
		one("204 with a length", "204", "HTTP/1.1 204 No Content\r\nContent-Length: 100\r\n\r\n"),
		one("304 with a length", "304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"),
		one("304 with chunks announced", "304", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
		one("100", "200", "HTTP/1.1 100 Continue\r\n\r\n"+ok()),
		one("100 with a length", "200", "HTTP/1.1 100 Continue\r\nContent-Length: 50\r\n\r\n"+ok()),
		one("102 and 103", "200", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"+ok()),
		one("fields that repeat", "200", answer("200 OK", "x", "Set-Cookie: a", "Set-Cookie: b")),
		one("a folded field", "200", answer("200 OK", "x", "X: a\r\n Content-Length: 99")),
		one("a length in another case", "200", "HTTP/1.1 200 OK\r\nCONTENT-length:5\r\n\r\nhello"),
		one("a body of 100 KB", "200", answer("200 OK", text(100_000))),
	})
	runCorpus(t, append(headAnswers(), lastAnswers()...))
}

func headAnswers() []corpusCase {
	head := func(name, reply string) corpusCase {
		return corpusCase{name: name, want: []string{"v1 HEAD /a 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("HEAD", "/a"))
			c.Server(reply)
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
			c.Close()
		}}
	}
	return []corpusCase{
		head("HEAD with a length", message("HTTP/1.1 200 OK", "Content-Length: 300")),
		head("HEAD with chunks announced", message("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")),
		head("HEAD without either", message("HTTP/1.1 200 OK")),
		head("HEAD after an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n"+message("HTTP/1.1 200 OK", "Content-Length: 300")),
	}
}

// Answers after which the connection is no more what it was.
func lastAnswers() []corpusCase {
	fake := answer("500 Fake", "")
	return []corpusCase{
		{name: "a body up to the close", want: []string{"v1 GET /a 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + text(3000))
			c.CloseByServer()
		}},
		{name: "a body up to the close, with an answer in it", want: []string{"v1 GET /a 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("HTTP/1.0 200 OK\r\n\r\n"+text(100), fake, fake)
			c.CloseByServer()
		}},
		{name: "two requests, and a body up to the close with an answer in it", want: []string{"v1 GET /a 200", "v1 GET /b -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a") + get("/b"))
			c.Server("HTTP/1.0 200 OK\r\n\r\n"+text(100), fake+text(100))
			c.CloseByServer()
		}},
		{name: "HTTP/1.0 both ways", want: []string{"v1 GET /a 200 1.0"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /a HTTP/1.0\r\n\r\n")
			c.Server("HTTP/1.0 200 OK\r\n\r\nhello")
			c.CloseByServer()
		}},
		{name: "HTTP/1.0 with keep-alive both ways", want: []string{"v1 GET /a 200 1.0", "v2 GET /b 404 1.0"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
			c.Server("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello")
			c.Client("GET /b HTTP/1.0\r\n" + tokenField + "\r\n\r\n")
			c.Server("HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		}},
		{name: "h2c offered, not taken", want: []string{"v2 GET /a 200", "v1 GET /b 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", tokenField))
			c.Server(ok())
			c.Client(get("/b"))
			c.Server(answer("404 Not Found", ""))
		}},
		// RFC 7540, section 3.2: the answer itself is in HTTP/2 then.
		{name: "h2c offered and taken", want: []string{"v2 GET /a 101"}, or: [][]string{{"v2 GET /a -"}}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", tokenField))
			c.Server(message("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: h2c") + "\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			c.Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			c.Server("\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88")
			c.Close()
		}},
		{name: "a websocket", want: []string{"v1 GET /a 101"}, or: [][]string{{"v1 GET /a -"}}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a", "Connection: Upgrade", "Upgrade: websocket"))
			c.Server(message("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"))
			c.Client("\x81\x85\x00\x00\x00\x00hello")
			c.Server("\x81\x05world")
			c.Close()
		}},
		{name: "CONNECT refused", want: []string{"v1 CONNECT example.com:443 405", "v1 GET /b 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("CONNECT", "example.com:443"))
			c.Server(answer("405 Method Not Allowed", "no"))
			c.Client(get("/b"))
			c.Server(ok())
		}},
		{name: "CONNECT granted", want: []string{"v1 CONNECT example.com:443 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("CONNECT", "example.com:443"))
			c.Server("HTTP/1.1 200 Connection established\r\n\r\n")
			c.Client("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + text(300))
			c.Server("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + text(300))
			c.Close()
		}},
		// RFC 9112, section 6.3: a length does not count after CONNECT.
		{name: "CONNECT granted with a length", want: []string{"v1 CONNECT example.com:443 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("CONNECT", "example.com:443"))
			c.Server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
			c.Client("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + text(300))
			c.Server("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + text(300))
			c.Close()
		}},
		{name: "no answer but garbage", want: []string{"v1 GET /a -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("\x15\x03\x01\x00\x02\x02\x0a")
			c.Close()
		}},
		{name: "no answer but text", want: []string{"v1 GET /a -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("hello, this is not HTTP/1.1 200 OK\r\n\r\n")
			c.CloseByServer()
		}},
		{name: "only an interim answer", want: []string{"v1 GET /a -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("HTTP/1.1 103 Early Hints\r\n\r\n")
			c.Close()
		}},
		{name: "a status line in part", want: []string{"v1 GET /a -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("HTTP/1.1 20")
			c.Close()
		}},
		{name: "a status line without the rest of the head", want: []string{"v1 GET /a 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("HTTP/1.1 200 OK\r\nContent-Le")
			c.Close()
		}},
		{name: "a status line and a reset", want: []string{"v1 GET /a 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhe")
			c.Reset(fromServer)
		}},
		{name: "blank lines before an answer", want: []string{"v1 GET /a 200", "v1 GET /b 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(ok() + "\r\n")
			c.Client(get("/b"))
			c.Server("\r\n" + answer("404 Not Found", ""))
		}},
	}
}

// The answer to HEAD has no body, also where its request was told before it came.
func TestCorpusLateAnswerToHead(t *testing.T) {
	for _, heads := range []int{1, 2, 63, 64} {
		t.Run(fmt.Sprint(heads), func(t *testing.T) {
			c := packettest.New()
			c.Open()
			want := []string{}
			for i := range heads {
				c.Client(request("HEAD", fmt.Sprintf("/%d", i)))
				want = append(want, fmt.Sprintf("v1 HEAD /%d -", i))
			}
			c.Wait(time.Minute)
			c.Client(get("/next"))
			// In one segment: at the beginning of one an answer is found also in the place of a body.
			c.SegmentSize = 60_000
			c.Server(strings.Repeat(message("HTTP/1.1 200 OK", "Content-Length: 60"), heads) + answer("403 Forbidden", ""))
			want = append(want, "v1 GET /next 403")
			for _, status := range []string{"401", "404", "500"} {
				c.Client(get("/" + status))
				c.Server(answer(status+" Whatever", ""))
				want = append(want, "v1 GET /"+status+" "+status)
			}
			checkLines(t, found(t, nil, c.Packets()).lines(), want)
		})
	}
}
