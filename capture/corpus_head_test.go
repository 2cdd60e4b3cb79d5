package capture_test

import (
	"fmt"
	"strings"
	"testing"

	"imds-analyzer/capture/packettest"
)

// said is a connection on which each request is answered with 200.
func said(requests ...string) talk {
	return func(c *packettest.Conversation) {
		c.Open()
		for _, request := range requests {
			c.Client(request)
			c.Server(ok())
		}
		c.Close()
	}
}

// What makes a request v2, and what does not.
func TestCorpusVersion(t *testing.T) {
	v1, v2 := []string{"v1 GET /a 200"}, []string{"v2 GET /a 200"}
	field := func(field string, want []string) corpusCase {
		return corpusCase{name: fmt.Sprintf("%.60q", field), want: want, talk: said("GET /a HTTP/1.1\r\nHost: h\r\n" + field + "\r\nAccept: */*\r\n\r\n")}
	}
	one := func(name, line, request string) corpusCase {
		return corpusCase{name: name, want: []string{line}, talk: said(request)}
	}
	runCorpus(t, []corpusCase{
		field(tokenField, v2),
		field("x-aws-ec2-metadata-token: "+secret, v2),
		field("X-AWS-EC2-METADATA-TOKEN: "+secret, v2),
		field("x-AwS-eC2-MeTaDaTa-ToKeN: "+secret, v2),
		field("X-aws-ec2-metadata-token:"+secret, v2),
		field("X-aws-ec2-metadata-token:\t"+secret, v2),
		field("X-aws-ec2-metadata-token:     "+secret+"   ", v2),
		field("X-aws-ec2-metadata-token:", v2),
		field("X-aws-ec2-metadata-token: ", v2),
		field("X-aws-ec2-metadata-token: \"quoted\"", v2),
		field("X-aws-ec2-metadata-token: :", v2),
		field("X-aws-ec2-metadata-token: \xff\xfe\x80", v2),
		field("X-aws-ec2-metadata-token:\r\n "+secret, v2),
		field("X-aws-ec2-metadata-token:\r\n\t"+secret+"\r\n "+secret, v2),
		field("X-aws-ec2-metadata-token: a\r\nX-aws-ec2-metadata-token: b", v2),
		field("X-aws-ec2-metadata-tokens: a", v1),
		field("My-X-aws-ec2-metadata-token: a", v1),
		field("X-X-aws-ec2-metadata-token: a", v1),
		field("X-aws-ec2-metadata-toke: a", v1),
		field("X-aws-ec2-metadata: token", v1),
		field("X_aws_ec2_metadata_token: a", v1),
		field("X-aws-ec2-metadata-token-ttl-seconds: 60", v1),
		field("X-aws-ec2-metadata-token-v2: a", v1),
		field("X-Forwarded: X-aws-ec2-metadata-token: a", v1),
		field("X-Any: a\r\n X-aws-ec2-metadata-token: b", v1),
		field("X-Any: a\r\n\tX-aws-ec2-metadata-token: b", v1),
		field("X-Any:\r\n X-aws-ec2-metadata-token: b\r\n X-aws-ec2-metadata-token: c", v1),
		field("Referer: http://h/\\r\\nX-aws-ec2-metadata-token: a", v1),
		field("Cookie: X-aws-ec2-metadata-token: a; X-aws-ec2-metadata-token=b", v1),
		field("User-Agent: x\\nX-aws-ec2-metadata-token: a", v1),
		field("Access-Control-Request-Headers: x-aws-ec2-metadata-token", v1),
		field("Connection: X-aws-ec2-metadata-token", v1),
		one("the token field first", "v2 GET /a 200", "GET /a HTTP/1.1\r\n"+tokenField+"\r\nHost: h\r\n\r\n"),
		one("the token field alone", "v2 GET /a 200 1.0", "GET /a HTTP/1.0\r\n"+tokenField+"\r\n\r\n"),
		one("the token field with line feeds only", "v2 GET /a 200", "GET /a HTTP/1.1\nHost: h\n"+tokenField+"\n\n"),
		one("the token in the query is no field", "v1 GET /a?X-aws-ec2-metadata-token=REDACTED 200", "GET /a?X-aws-ec2-metadata-token=b HTTP/1.1\r\n\r\n"),
		one("the token field in a body", "v1 PUT /a 200", upload("PUT", "/a", tokenField+"\r\n\r\n")),
		one("the token field in a chunk", "v1 PUT /a 200", chunkedUpload("PUT", "/a", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(tokenField), tokenField))),
		// RFC 9110, section 6.5: a trailer is no part of the header section.
		one("the token field in a trailer", "v1 PUT /a 200", chunkedUpload("PUT", "/a", "1\r\nx\r\n0\r\n"+tokenField+"\r\n\r\n")),
		one("a blank before the colon of another field", "v1 GET /a 200", "GET /a HTTP/1.1\r\nHost : h\r\nAccept: */*\r\n\r\n"),
		{name: "a blank before the token's colon", talk: said("GET /a HTTP/1.1\r\nX-aws-ec2-metadata-token : x\r\n\r\n"),
			want: v1, or: [][]string{v2}}, // RFC 9112, section 5.1: the server refuses it

		one("PUT to the token's path", "v2 PUT /latest/api/token 200 token", put()),
		one("PUT to the token's path without a TTL", "v2 PUT /latest/api/token 200 token", request("PUT", "/latest/api/token", "Content-Length: 0")),
		one("PUT to another path with a TTL", "v2 PUT /2021-01-03/api/token 200 token", request("PUT", "/2021-01-03/api/token", ttlField)),
		one("PUT with a TTL without a blank, in lower case", "v2 PUT /x 200 token", request("PUT", "/x", "x-aws-ec2-metadata-token-ttl-seconds:60")),
		one("PUT to the token's path with a query", "v2 PUT /latest/api/token?a=b 200 token", request("PUT", "/latest/api/token?a=b")),
		one("PUT to the token's path, absolute", "v2 PUT http://169.254.169.254/latest/api/token 200 token", request("PUT", "http://169.254.169.254/latest/api/token")),
		one("PUT to the token's path, percent-encoded", "v2 PUT /latest/api/%74oken 200 token", request("PUT", "/latest/api/%74oken")),
		one("PUT to another path", "v1 PUT /latest/api/tokens 200", request("PUT", "/latest/api/tokens", "Content-Length: 0")),
		one("PUT to another path with a token", "v2 PUT /latest/api/tokens 200", request("PUT", "/latest/api/tokens", tokenField)),
		one("GET of the token's path", "v1 GET /latest/api/token 200", get("/latest/api/token")),
		one("GET of the token's path with a TTL", "v1 GET /latest/api/token 200", get("/latest/api/token", ttlField)),
		one("POST to the token's path with a TTL", "v1 POST /latest/api/token 200", request("POST", "/latest/api/token", ttlField, "Content-Length: 0")),
		one("a method is told by its case", "v1 put /latest/api/token 200", request("put", "/latest/api/token", ttlField)),
	})
}

// Heads in all the forms that a receiver takes (RFC 9112, sections 2 and 3).
func TestCorpusHeads(t *testing.T) {
	one := func(name, line, request string) corpusCase {
		return corpusCase{name: name, want: []string{line}, talk: said(request)}
	}
	runCorpus(t, []corpusCase{
		one("the least", "v1 GET / 200", "GET / HTTP/1.1\r\n\r\n"),
		one("the least with line feeds", "v1 GET / 200", "GET / HTTP/1.1\n\n"),
		one("line ends mixed", "v1 GET / 200", "GET / HTTP/1.1\nHost: h\r\nAccept: */*\n\r\n"),
		one("line ends mixed the other way", "v2 GET / 200", "GET / HTTP/1.1\r\nHost: h\n"+tokenField+"\r\n\n"),
		one("HTTP/1.0", "v1 GET / 200 1.0", "GET / HTTP/1.0\r\n\r\n"),
		one("a blank line before", "v1 GET / 200", "\r\nGET / HTTP/1.1\r\n\r\n"),
		one("blank lines before", "v1 GET / 200", "\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
		one("bare line feeds before", "v1 GET / 200", "\n\nGET / HTTP/1.1\r\n\r\n"),
		one("a query", "v1 GET /latest/meta-data?a=b&c=%20d 200", get("/latest/meta-data?a=b&c=%20d")),
		one("absolute form", "v1 GET http://169.254.169.254/latest/ 200", get("http://169.254.169.254/latest/")),
		one("absolute form without a path", "v1 GET http://169.254.169.254 200", get("http://169.254.169.254")),
		one("absolute form of another host", "v1 GET http://example.com/latest/ 200", get("http://example.com/latest/")),
		one("asterisk form", "v1 OPTIONS * 200", request("OPTIONS", "*")),
		one("double slashes", "v1 GET //latest//meta-data/ 200", get("//latest//meta-data/")),
		one("dot segments", "v1 GET /latest/../latest/./meta-data 200", get("/latest/../latest/./meta-data")),
		one("a fragment, which should not be sent", "v1 GET /latest#x 200", get("/latest#x")),
		one("bytes beyond ASCII in the target", "v1 GET /\xff\xfe 200", get("/\xff\xfe")),
		one("DELETE", "v1 DELETE /x 200", request("DELETE", "/x")),
		one("PATCH", "v1 PATCH /x 200", upload("PATCH", "/x", "{}")),
		one("TRACE", "v1 TRACE /x 200", request("TRACE", "/x")),
		one("an unknown method", "v1 FETCHALL /x 200", request("FETCHALL", "/x")),
		one("a method of one letter", "v1 G /x 200", request("G", "/x")),
		one("a method with a dash", "v1 M-SEARCH /x 200", request("M-SEARCH", "/x")),
		one("an unknown method with a token", "v2 FETCHALL /x 200", request("FETCHALL", "/x", tokenField)),
		one("a method in lower case", "v1 get /x 200", request("get", "/x")),
		one("a field without a value", "v1 GET / 200", "GET / HTTP/1.1\r\nA:\r\n\r\n"),
		one("fields that repeat", "v1 GET / 200", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: x\r\nAccept: y\r\n\r\n"),
		one("a value with colons", "v1 GET / 200", "GET / HTTP/1.1\r\nHost: [fd00:ec2::254]:80\r\nX: a:b: c\r\n\r\n"),
		one("a folded line", "v1 GET / 200", "GET / HTTP/1.1\r\nX: a\r\n  b\r\n\tc\r\nHost: h\r\n\r\n"),
		one("a folded line of blanks", "v2 GET / 200", "GET / HTTP/1.1\r\nX: a\r\n  \r\n"+tokenField+"\r\n\r\n"),
		one("a carriage return inside of a value", "v1 GET / 200", "GET / HTTP/1.1\r\nX: a\rb\r\nHost: h\r\n\r\n"),
		{name: "blank lines between requests", want: []string{"v1 GET /a 200", "v2 GET /b 200"},
			talk: said(get("/a")+"\r\n", "\r\n\r\n"+get("/b", tokenField))},
		{name: "blank lines and no request", talk: said("\r\n\r\n\r\n\r\n")},
		{name: "blank lines and no request on a new connection", talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("\r\n\r\n\r\n\r\n")
			c.Close()
		}},
		{name: "a body's length with an extra CRLF after", want: []string{"v1 POST /a 200", "v1 GET /b 200"},
			talk: said(upload("POST", "/a", "hello")+"\r\n", get("/b"))},
		one("a hundred and fifty fields", "v2 GET / 200", "GET / HTTP/1.1\r\n"+strings.Repeat("X-Filler: 0123456789\r\n", 150)+tokenField+"\r\n\r\n"),
		one("a target of 2000 bytes", "v1 GET "+shortened("/"+strings.Repeat("a", 2000))+" 200", get("/"+strings.Repeat("a", 2000))),
		one("a field of 4000 bytes", "v2 GET / 200", "GET / HTTP/1.1\r\nCookie: "+strings.Repeat("b", 4000)+"\r\n"+tokenField+"\r\n\r\n"),
	})
}

// Heads that are too large to keep: either all of it was read, or the call is
// unknown; and what comes after it is seen.
func TestCorpusLargeHeads(t *testing.T) {
	filler := func(n int) string { return strings.Repeat("X-Filler: "+strings.Repeat("f", 500)+"\r\n", n/512) }
	long := "X-Long: " + strings.Repeat("l", 100_000)
	next := "v1 GET /next 200"
	unknown := []string{"unknown GET /big 200 headers_too_large", next}
	v1, v2 := []string{"v1 GET /big 200", next}, []string{"v2 GET /big 200", next}
	first := "GET /big HTTP/1.1\r\nHost: h\r\n"
	big := func(name, head string, want []string, or ...[]string) corpusCase {
		return corpusCase{name: name, want: want, or: or, trace: func() packettest.Trace {
			return trace(said(head, get("/next")))
		}}
	}
	const kept = 128 << 10 // of a head, at most
	ending := func(at int) string {
		return first + "X: " + strings.Repeat("x", at-len(first)-len("X: \r\n\r\n")) + "\r\n\r\n"
	}
	target := "/" + strings.Repeat("t", 100_000)
	runCorpus(t, []corpusCase{
		big("as much as is kept", ending(kept), v1),
		big("a byte more than is kept", ending(kept+1), unknown),
		big("a blank line more than is kept", ending(kept+2), unknown),
		big("three bytes more than is kept", ending(kept+3), unknown),
		big("16 KB of fields", first+filler(16<<10)+"\r\n", v1, unknown),
		big("100 KB of fields", first+filler(100_000)+"\r\n", v1, unknown),
		big("1 MB of fields", first+filler(1<<20)+"\r\n", v1, unknown),
		big("one field of 100 KB", first+long+"\r\n\r\n", v1, unknown),
		big("the token before 100 KB", first+tokenField+"\r\n"+filler(100_000)+"\r\n", v2),
		big("the token before a field of 100 KB", first+tokenField+"\r\n"+long+"\r\n\r\n", v2),
		big("the token after 100 KB", first+filler(100_000)+tokenField+"\r\n\r\n", v2, unknown),
		big("the token after a field of 100 KB", first+long+"\r\n"+tokenField+"\r\n\r\n", v2, unknown),
		big("the token's name inside of a field of 100 KB", first+long+" "+tokenField+"\r\n\r\n", v1, unknown),
		big("a token of 100 KB", first+tokenField+strings.Repeat("=", 100_000)+"\r\n\r\n", v2),
		big("a folded field of 100 KB", first+"X: a\r\n"+strings.Repeat(" "+tokenField+"\r\n", 1500)+"\r\n", v1, unknown),
		big("request text after 100 KB of fields", first+filler(100_000)+"X: \r\n GET /evil HTTP/1.1\r\n\r\n", v1, unknown),
		big("a target of 100 KB", get(target), []string{"v1 GET " + shortened(target[:4<<10]+"…") + " 200", next},
			[]string{"unknown GET " + shortened(target[:4<<10]+"…") + " 200 headers_too_large", next},
			[]string{"unknown GET - 200 headers_too_large", next}, []string{next}),
		{name: "a body after 100 KB of fields", want: []string{"v1 PUT /big 200", next},
			or: [][]string{{"unknown PUT /big 200 headers_too_large", next}}, trace: func() packettest.Trace {
				return trace(said("PUT /big HTTP/1.1\r\nContent-Length: "+fmt.Sprint(len(get("/evil")))+"\r\n"+filler(100_000)+"\r\n"+get("/evil"), get("/next")))
			}},
		{name: "a head without an end", want: []string{"unknown GET /big - headers_too_large"},
			or: [][]string{{"unknown GET /big - connection_closed"}}, trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(first + filler(16<<20))
					c.Close()
				})
			}},
		{name: "a line without an end", plain: true, trace: func() packettest.Trace {
			return trace(func(c *packettest.Conversation) {
				c.Open()
				c.Client(strings.Repeat("A", 16<<20))
				c.Close()
			})
		}, or: [][]string{{"unknown - - - headers_too_large"}}},
		{name: "an answer's head of 100 KB", want: []string{"v1 GET /a 404", next}, trace: func() packettest.Trace {
			return trace(func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Server("HTTP/1.1 404 Not Found\r\n" + filler(100_000) + "Content-Length: 2\r\n\r\nno")
				c.Client(get("/next"))
				c.Server(ok())
			})
		}},
	})
}

// The end of a head that is too large is of no other request, also if bytes before it are lost.
func TestCorpusLargeHeadWithGap(t *testing.T) {
	large := get("/large", "X: "+strings.Repeat("x", 140<<10), "Y: y")
	runCorpus(t, []corpusCase{{name: "a gap in the rest", plain: true, want: []string{"unknown GET /large 200 headers_too_large", "v1 GET /next 404"},
		talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(large[:135<<10])
			c.LoseClient(large[135<<10 : 136<<10])
			c.Client(large[136<<10:])
			c.Server(ok())
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}}})
}

// After a head that is too large there may be a body, which is no beginning of the request
// behind it.
func TestCorpusBodyOfLargeHead(t *testing.T) {
	const body = "Lorem ipsum"
	large := upload("POST", "/large", body, "X: "+strings.Repeat("x", 130<<10))
	want := []string{"unknown POST /large 200 headers_too_large", "v1 GET /next 200"}
	var cases []corpusCase
	for _, last := range []int{0, 1, len(body), len(body) + 2} {
		cases = append(cases, corpusCase{name: fmt.Sprintf("the last %d bytes by themselves", last), plain: true, want: want,
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(large[:len(large)-last], large[len(large)-last:])
				c.Server(ok())
				c.Client(get("/next"))
				c.Server(ok())
			}})
	}
	runCorpus(t, cases)
}
