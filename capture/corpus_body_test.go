package capture_test

import (
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// Request bodies (RFC 9112, section 6 and 7), which hold no calls.
func TestCorpusBodies(t *testing.T) {
	evil := get("/evil", tokenField)
	next := get("/next")
	up := []string{"v1 PUT /up 200", "v1 GET /next 200"}
	body := func(name string, requests ...string) corpusCase {
		return corpusCase{name: name, want: up, talk: said(requests...)}
	}
	runCorpus(t, []corpusCase{
		body("a body of a length", upload("PUT", "/up", "hello"), next),
		body("a body of length 0", upload("PUT", "/up", ""), next),
		body("no body and no length", request("PUT", "/up"), next),
		body("a request in a body", upload("PUT", "/up", evil), next),
		body("a request after a line in a body", upload("PUT", "/up", "x\r\n\r\n"+evil), next),
		body("many requests in a body", upload("PUT", "/up", strings.Repeat(evil, 40)), next),
		body("a length in lower case, without a blank", "PUT /up HTTP/1.1\r\ncontent-length:5\r\n\r\nhello", next),
		body("a length with leading zeros", "PUT /up HTTP/1.1\r\nContent-Length: 0005\r\n\r\nhello", next),
		body("a length with blanks around", "PUT /up HTTP/1.1\r\nContent-Length:   5  \r\n\r\nhello", next),
		body("the same length twice", "PUT /up HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", next),
		body("chunks", chunkedUpload("PUT", "/up", "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"), next),
		body("no chunk but the last", chunkedUpload("PUT", "/up", "0\r\n\r\n"), next),
		body("chunk extensions", chunkedUpload("PUT", "/up", "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"), next),
		body("chunk sizes in either case with leading zeros", chunkedUpload("PUT", "/up", "000A\r\n0123456789\r\n00b\r\n0123456789a\r\n00\r\n\r\n"), next),
		body("a blank after a chunk size", chunkedUpload("PUT", "/up", "5 \r\nhello\r\n0 \r\n\r\n"), next),
		body("trailers", chunkedUpload("PUT", "/up", "5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n"), next),
		body("a request in a chunk", chunkedUpload("PUT", "/up", hex(evil)+"\r\n"+evil+"\r\n0\r\n\r\n"), next),
		body("a last chunk in a chunk", chunkedUpload("PUT", "/up", "5\r\n0\r\n\r\n\r\n"+hex(evil)+"\r\n"+evil+"\r\n0\r\n\r\n"), next),
		body("chunks with line feeds only", chunkedUpload("PUT", "/up", "5\nhello\n0\n\n"), next),
		body("Transfer-Encoding in any case", "PUT /up HTTP/1.1\r\ntransfer-ENCODING:Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", next),
		body("several encodings, chunked last", "PUT /up HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", next),
		body("encodings in two fields", "PUT /up HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", next),
		// RFC 9112, section 6.3: the encoding overrides the length.
		body("chunks and a length", "PUT /up HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"+hex(evil)+"\r\n"+evil+"\r\n0\r\n\r\n", next),
		body("a length and chunks", "PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"+hex(evil)+"\r\n"+evil+"\r\n0\r\n\r\n", next),
		{name: "GET with a body", want: []string{"v1 GET /up 200", "v1 GET /next 200"}, talk: said(upload("GET", "/up", evil), next)},
		{name: "HEAD with a body", want: []string{"v1 HEAD /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(upload("HEAD", "/up", evil))
			c.Server(message("HTTP/1.1 200 OK", "Content-Length: 500"))
			c.Client(next)
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "a body in a segment of its own", want: up, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", length(evil)))
			c.Client(evil)
			c.Server(ok())
			c.Client(next)
			c.Server(ok())
		}},
		{name: "a body in many segments, each of which begins like a request", want: up, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", length(strings.Repeat(evil, 3))))
			c.Client(evil, evil, evil)
			c.Server(ok())
			c.Client(next)
			c.Server(ok())
		}},
		{name: "a body reordered, each of whose segments begins like a request", want: up, trace: func() packettest.Trace {
			t := trace(func(c *packettest.Conversation) {
				c.Open()
				c.Client(request("PUT", "/up", length(strings.Repeat(evil, 3))))
				c.Client(evil, evil, evil)
				c.Server(ok())
				c.Client(next)
				c.Server(ok())
			})
			return t.Permute(t.Data(true)[:4], []int{3, 1, 2, 0})
		}},
		{name: "a body shorter than its length, and the connection closes", want: []string{"v1 PUT /up -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("PUT /up HTTP/1.1\r\nContent-Length: 9999\r\n\r\n" + evil)
			c.Close()
		}},
		{name: "a body of 3 MB", want: up, trace: func() packettest.Trace {
			return trace(said(upload("PUT", "/up", strings.Repeat(evil, 3<<20/len(evil))), next))
		}},
		{name: "the next request right after a body, in one segment", want: []string{"v1 PUT /up 200", "v2 GET /b 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(upload("PUT", "/up", "hello") + get("/b", tokenField))
			c.Server(ok() + answer("404 Not Found", ""))
		}},
		{name: "the next request right after chunks, in one segment", want: []string{"v1 PUT /up 200", "v2 GET /b 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(chunkedUpload("PUT", "/up", "5\r\nhello\r\n0\r\nX: y\r\n\r\n") + get("/b", tokenField))
			c.Server(ok() + answer("404 Not Found", ""))
		}},
		{name: "a token request with a form's empty body", want: []string{"v2 PUT /latest/api/token 200 token", "v2 GET /b 200"},
			talk: said(request("PUT", "/latest/api/token", ttlField, "Content-Length: 0"), get("/b", tokenField))},
		{name: "a token request with a body", want: []string{"v2 PUT /latest/api/token 200 token", "v2 GET /b 200"},
			talk: said(upload("PUT", "/latest/api/token", evil, ttlField), get("/b", tokenField))},
	})
}

func hex(s string) string {
	const digits = "0123456789abcdef"
	n := len(s)
	return string([]byte{digits[n>>8&15], digits[n>>4&15], digits[n&15]})
}

// Expect: 100-continue (RFC 9110, section 10.1.1).
func TestCorpusExpect(t *testing.T) {
	expect := func(method, target, body string) string {
		return request(method, target, length(body), "Expect: 100-continue")
	}
	const goOn = "HTTP/1.1 100 Continue\r\n\r\n"
	next := func(c *packettest.Conversation) {
		c.Client(get("/next", tokenField))
		c.Server(answer("404 Not Found", ""))
		c.Close()
	}
	evil := get("/evil")
	// Where the body is not sent, the next request shows by how its segment
	// begins: those cases keep it whole.
	runCorpus(t, []corpusCase{
		{name: "100, then the body", want: []string{"v1 PUT /up 200", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", evil))
			c.Server(goOn)
			c.Client(evil)
			c.Server(ok())
			next(c)
		}},
		{name: "the body without waiting, then 100 and the answer", want: []string{"v1 PUT /up 200", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", evil) + evil)
			c.Server(goOn + ok())
			next(c)
		}},
		{name: "the body after a second of waiting, without 100", want: []string{"v1 PUT /up 200", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", "hello world"))
			c.Wait(time.Second)
			c.Client("hello world")
			c.Server(ok())
			next(c)
		}},
		{name: "417, and no body", whole: true, want: []string{"v1 PUT /up 417", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", "hello world"))
			c.Server(answer("417 Expectation Failed", ""))
			next(c)
		}},
		{name: "417, and the same again without Expect", whole: true, want: []string{"v1 PUT /up 417", "v1 PUT /up 200", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", evil))
			c.Server(answer("417 Expectation Failed", ""))
			c.Client(upload("PUT", "/up", evil))
			c.Server(ok())
			next(c)
		}},
		{name: "401, and no body", whole: true, want: []string{"v1 POST /up 401", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("POST", "/up", text(5000)))
			c.Server(answer("401 Unauthorized", "go away"))
			next(c)
		}},
		{name: "403, and the body nevertheless", want: []string{"v1 PUT /up 403", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", "hello world"))
			c.Server(answer("403 Forbidden", ""))
			c.Client("hello world")
			next(c)
		}},
		{name: "100, the body and no answer", want: []string{"v2 PUT /latest/api/token - token unanswered"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/latest/api/token", ttlField, "Content-Length: 2", "Expect: 100-continue"))
			c.Server(goOn)
			c.Client("{}")
			c.Close()
		}},
		{name: "100 and a reset", want: []string{"v1 PUT /up - reset"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(expect("PUT", "/up", "hello"))
			c.Server(goOn)
			c.Reset(fromServer)
		}},
		{name: "100, then chunks", want: []string{"v1 PUT /up 200", "v2 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", "Transfer-Encoding: chunked", "Expect: 100-continue"))
			c.Server(goOn)
			c.Client(hex(evil) + "\r\n" + evil + "\r\n0\r\n\r\n")
			c.Server(ok())
			next(c)
		}},
	})
}

// Answers that come before the request is complete (RFC 9112, section 9.3).
func TestCorpusEarlyAnswers(t *testing.T) {
	evil := get("/evil")
	body := text(600) + evil
	runCorpus(t, []corpusCase{
		{name: "an answer before the body", want: []string{"v1 PUT /up 401", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", length(body)))
			c.Server(answer("401 Unauthorized", ""))
			c.Client(body)
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "an answer inside of the body", want: []string{"v1 PUT /up 413", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", length(body)) + body[:100])
			c.Server(answer("413 Content Too Large", ""))
			c.Client(body[100:600], body[600:])
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "an answer inside of chunks", want: []string{"v1 PUT /up 413", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(chunkedUpload("PUT", "/up", "5\r\nhello\r\n"))
			c.Server(answer("413 Content Too Large", ""))
			c.Client(hex(evil) + "\r\n" + evil + "\r\n0\r\n\r\n")
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "an answer and the service's FIN inside of the body", want: []string{"v1 PUT /up 413"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", length(body)) + body[:100])
			c.Server(answer("413 Content Too Large", "", "Connection: close"))
			c.Finish(fromServer)
			c.Client(body[100:])
			c.Finish(fromClient)
			c.Reset(fromServer)
		}},
		{name: "an answer after the request line", want: []string{"v2 GET /a 400"}, or: [][]string{{"v2 GET /a -"}}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /a HTTP/1.1\r\n")
			c.Server(answer("400 Bad Request", ""))
			c.Client(tokenField + "\r\n\r\n")
			c.CloseByServer()
		}},
		{name: "an answer before anything was asked", want: []string{"v1 GET /a 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Server(answer("503 Service Unavailable", ""))
			c.Client(get("/a"))
			c.Server(ok())
		}, or: [][]string{{"v1 GET /a 503"}, {"v1 GET /a -"}}},
	})
}

// Requests sent without waiting for answers (RFC 9112, section 9.3.2).
func TestCorpusPipelining(t *testing.T) {
	three := []string{"v1 GET /a 200", "v2 GET /b 404", "v1 GET /c 503"}
	requests := get("/a") + get("/b", tokenField) + get("/c")
	answers := ok() + answer("404 Not Found", "no") + answer("503 Service Unavailable", "later")
	runCorpus(t, []corpusCase{
		{name: "all in one segment each", want: three, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(requests)
			c.Server(answers)
			c.Close()
		}},
		{name: "requests in one segment, answers apart", want: three, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(requests)
			c.Server(ok())
			c.Server(answer("404 Not Found", "no"))
			c.Server(answer("503 Service Unavailable", "later"))
		}},
		{name: "the second request before the first answer", want: three, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Client(get("/b", tokenField))
			c.Server(ok())
			c.Client(get("/c"))
			c.Server(answer("404 Not Found", "no"))
			c.Server(answer("503 Service Unavailable", "later"))
		}},
		{name: "fewer answers than requests", want: []string{"v1 GET /a 200", "v2 GET /b -", "v1 GET /c -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(requests)
			c.Server(answer("200 OK", "x", "Connection: close"))
			c.CloseByServer()
		}},
		{name: "HEAD between", want: []string{"v1 GET /a 200", "v1 HEAD /h 200", "v1 GET /c 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a") + request("HEAD", "/h") + get("/c"))
			c.Server(ok() + message("HTTP/1.1 200 OK", "Content-Length: 5000") + answer("404 Not Found", "no"))
		}},
		{name: "interim answers between", want: three, talk: func(c *packettest.Conversation) {
			const hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
			c.Open()
			c.Client(requests)
			c.Server(hints + ok() + hints + hints + answer("404 Not Found", "no") + "HTTP/1.1 102 Processing\r\n\r\n" + answer("503 Service Unavailable", "later"))
		}},
		{name: "fifty", want: repeated(50, "v1 GET /a 200"), talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(strings.Repeat(get("/a"), 50))
			c.Server(strings.Repeat(ok(), 50))
		}},
		{name: "token and use at once", want: []string{"v2 PUT /latest/api/token 200 token", "v2 GET /b 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(put() + get("/b", tokenField))
			c.Server(tokenAnswer() + ok())
		}},
		{name: "the second request's head in two segments", want: []string{"v1 GET /a 200", "v2 GET /b 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a") + get("/b", tokenField)[:30])
			c.Server(ok())
			c.Client(get("/b", tokenField)[30:])
			c.Server(ok())
		}},
	})
}
