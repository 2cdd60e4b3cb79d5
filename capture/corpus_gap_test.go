package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// Requests of which the capture misses segments.
func TestCorpusLostRequest(t *testing.T) {
	const (
		line  = "GET /lost HTTP/1.1\r\nHost: 169.25"
		hosts = "4.169.254\r\nUser-Agent: cu"
		end   = "rl\r\nAccept: */*\r\n\r\n"
	)
	next := func(c *packettest.Conversation) {
		c.Server(ok())
		c.Client(get("/next"))
		c.Server(answer("404 Not Found", ""))
		c.Close()
	}
	runCorpus(t, []corpusCase{
		{name: "the first of three", want: []string{"unknown - - 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.LoseClient(line)
			c.Client(hosts, end)
			next(c)
		}},
		{name: "the middle of three", want: []string{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(line)
			c.LoseClient(hosts)
			c.Client(end)
			next(c)
		}},
		{name: "the last of three", want: []string{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(line, hosts)
			c.LoseClient(end)
			next(c)
		}},
		{name: "the last of three, and the connection closes", want: []string{"unknown GET /lost 200 lost_segment"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(line, hosts)
			c.LoseClient(end)
			c.Server(ok())
			c.Close()
		}},
		{name: "the first and the last of three", talk: func(c *packettest.Conversation) {
			c.Open()
			c.LoseClient(line)
			c.Client(hosts)
			c.LoseClient(end)
			next(c)
		}, want: []string{"unknown - - 200 lost_segment", "v1 GET /next 404"}, or: [][]string{{"v1 GET /next 404"}}},
		{name: "all of three", want: []string{"v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.LoseClient(line, hosts, end)
			next(c)
		}},
		{name: "all of the second of three calls", want: []string{"v1 GET /a 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			c.LoseClient(get("/lost"))
			c.Server(answer("500 Internal Server Error", ""))
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "all of the second of three calls, and its answer", want: []string{"v1 GET /a 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			c.LoseClient(get("/lost"))
			c.LoseServer(answer("500 Internal Server Error", ""))
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		// The answer acknowledges nothing of the request that is there.
		{name: "all of the first request but a byte, and the SYN-ACK", want: []string{"v1 GET /next 404"},
			or: [][]string{{"unknown - - 200 lost_segment", "v1 GET /next 404"}, {"unknown - - - lost_segment", "v1 GET /next 404"}},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client("G")
					c.LoseClient(get("/lost")[1:])
					next(c)
				}).Drop(1)
			}},
		// Once a status is given to the wrong call, each later one is too.
		{name: "all of the second of four calls, and the third's answer comes before it",
			want: []string{"v1 GET /a 200", "v1 GET /c 404", "v1 GET /d 503"},
			or:   [][]string{{"v1 GET /a 200", "v1 GET /c -", "v1 GET /d 503"}},
			trace: func() packettest.Trace {
				t := trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(get("/a"))
					c.Server(ok())
					c.LoseClient(get("/lost"))
					c.Server(answer("500 Internal Server Error", ""))
					c.Client(get("/c"))
					c.Server(answer("404 Not Found", ""))
					c.Client(get("/d"))
					c.Server(answer("503 Service Unavailable", ""))
				})
				return t.Move(t.Data(false)[2], t.Data(true)[1])
			}},
		{name: "ten calls in a row", want: []string{"v1 GET /a 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			for range 10 {
				c.LoseClient(get("/lost"))
				c.LoseServer(answer("200 OK", text(9000)))
			}
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "the token was seen before the gap", want: []string{"v2 GET /lost 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /lost HTTP/1.1\r\n" + tokenField + "\r\nHost: ")
			c.LoseClient(hosts)
			c.Client(end)
			next(c)
		}},
		{name: "the token's field name ends at the gap", want: []string{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /lost HTTP/1.1\r\nX-aws-ec2-metadata-token")
			c.LoseClient("s: 1\r\nHost")
			c.Client(": h\r\n\r\n")
			next(c)
		}},
		{name: "the token comes after the gap", want: []string{"v2 GET /lost 200", "v1 GET /next 404"},
			or: [][]string{{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(line)
				c.LoseClient(hosts)
				c.Client("rl\r\n" + tokenField + "\r\n\r\n")
				next(c)
			}},
		{name: "the field's name only looks whole after the gap", want: []string{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /lost HTTP/1.1\r\nHost: h\r\n")
			c.LoseClient("My-")
			c.Client("X-aws-ec2-metadata-token: no\r\n\r\n")
			next(c)
		}},
		{name: "a token request's middle", want: []string{"v2 PUT /latest/api/token 200 token", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("PUT /latest/api/token HTTP/1.1\r\nHost")
			c.LoseClient(": 169.254.169.254\r\nX-aws-ec2-meta")
			c.Client("data-token-ttl-seconds: 60\r\n\r\n")
			next(c)
		}},
		{name: "one byte of a head", want: []string{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /lost HTTP/1.1\r\nHost: 169.254.169.25")
			c.LoseClient("4")
			c.Client("\r\nAccept: */*\r\n\r\n")
			next(c)
		}},
		{name: "the blank line's last byte", want: []string{"unknown GET /lost 200 lost_segment", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET /lost HTTP/1.1\r\nHost: 169.254.169.254\r\n\r")
			c.LoseClient("\n")
			next(c)
		}},
		{name: "the first of three, captured in one direction", want: []string{"unknown - - - lost_segment", "v1 GET /next -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.LoseClient(line)
					c.Client(hosts, end)
					next(c)
				}).Only(fromClient)
			}},
		{name: "the middle of three, captured in one direction", want: []string{"unknown GET /lost - lost_segment", "v1 GET /next -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(line)
					c.LoseClient(hosts)
					c.Client(end)
					next(c)
				}).Only(fromClient)
			}},
		{name: "the last of three, captured in one direction", want: []string{"unknown GET /lost - lost_segment", "v1 GET /next -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(line, hosts)
					c.LoseClient(end)
					next(c)
				}).Only(fromClient)
			}},
		{name: "the first request of a connection, captured in one direction", want: []string{"v1 GET /next -"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.LoseClient(get("/lost"))
					next(c)
				}).Only(fromClient)
			}},
		{name: "the gap ends the connection", want: []string{"unknown GET /lost - lost_segment"},
			or: [][]string{{"unknown GET /lost - connection_closed"}}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(line)
				c.LoseClient(hosts + end)
				c.Close()
			}},
		{name: "the gap ends the capture", want: []string{"unknown GET /lost - lost_segment"},
			or: [][]string{{"unknown GET /lost - capture_end"}}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(line)
				c.LoseClient(hosts + end)
			}},
		{name: "everything of a call but the handshake and the close", talk: func(c *packettest.Conversation) {
			c.Open()
			c.LoseClient(get("/lost"))
			c.LoseServer(ok())
			c.Close()
		}},
	})
	runCorpus(t, lostBodies(next))
}

// Bodies of requests of which the capture misses segments.
func lostBodies(next talk) []corpusCase {
	return []corpusCase{
		{name: "a body's middle", want: []string{"v1 PUT /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", "Content-Length: 30"), "0123456789")
			c.LoseClient("0123456789")
			c.Client("0123456789")
			next(c)
		}},
		{name: "a body's middle, before text that looks like a request", want: []string{"v1 PUT /up 200", "v1 GET /next 404"},
			talk: func(c *packettest.Conversation) {
				evil := get("/evil", tokenField)
				c.Open()
				c.Client(request("PUT", "/up", length("0123456789"+text(50)+evil)), "0123456789")
				c.LoseClient(text(50))
				c.Client(evil)
				next(c)
			}},
		{name: "a body's end", want: []string{"v1 PUT /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", "Content-Length: 20"), "0123456789")
			c.LoseClient("0123456789")
			next(c)
		}},
		{name: "all of a body", want: []string{"v1 PUT /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", "Content-Length: 2000"))
			c.LoseClient(text(2000))
			next(c)
		}},
		{name: "a body's end and the next call's head", want: []string{"v1 PUT /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", "Content-Length: 20"), "0123456789")
			c.LoseClient("0123456789")
			c.Server(ok())
			c.LoseClient(get("/lost"))
			next(c)
		}},
		{name: "a chunked body's middle", want: []string{"v1 PUT /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(chunkedUpload("PUT", "/up", "a\r\n0123"))
			c.LoseClient("456789\r\na\r\n0123")
			c.Client("456789\r\n0\r\n\r\n")
			next(c)
		}},
		{name: "a chunked body's end", want: []string{"v1 PUT /up 200", "v1 GET /next 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(chunkedUpload("PUT", "/up", "a\r\n0123"))
			c.LoseClient("456789\r\n0\r\n\r\n")
			next(c)
		}},
	}
}

// Answers of which the capture misses segments.
func TestCorpusLostAnswer(t *testing.T) {
	next := func(c *packettest.Conversation) {
		c.Client(get("/next"))
		c.Server(answer("404 Not Found", "not"))
		c.Client(get("/last", tokenField))
		c.Server(ok())
		c.Close()
	}
	seen := []string{"v1 GET /a 200", "v1 GET /next 404", "v2 GET /last 200"}
	unseen := []string{"v1 GET /a -", "v1 GET /next 404", "v2 GET /last 200"}
	lost := func(before, gap, after string, want []string, name string) corpusCase {
		return corpusCase{name: name, want: want, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			if before != "" {
				c.Server(before)
			}
			c.LoseServer(gap)
			if after != "" {
				c.Server(after)
			}
			next(c)
		}}
	}
	head := message("HTTP/1.1 200 OK", "Content-Length: 3000")
	chunked := message("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
	part := text(1000)
	fake := message("HTTP/1.1 500 Fake", "Content-Length: 0")
	runCorpus(t, []corpusCase{
		lost(head+part, part, part, seen, "a body's middle"),
		lost(head+part+part, part, "", seen, "a body's end"),
		lost(head, part, part+part, seen, "a body's beginning"),
		lost(head, part+part+part, "", seen, "all of a body"),
		lost(head+part, part, fake+part[len(fake):], seen, "a body's middle, before text that looks like an answer"),
		lost(chunked+"3e8\r\n"+part[:400], part[400:]+"\r\n3e8\r\n"+part[:500], part[500:]+"\r\n0\r\n\r\n", seen, "chunks in the middle"),
		lost(chunked+"3e8\r\n"+part[:400], part[400:]+"\r\n0\r\n\r\n", "", seen, "the last chunk"),
		lost(chunked+"3e8\r\n"+part, "\r", "\n0\r\n\r\n", seen, "a byte between chunks"),
		lost(chunked, "3e8\r\n"+part, "\r\n0\r\n\r\n", seen, "the first chunk"),
		lost("", head+part, part+part, unseen, "the head and a body's beginning"),
		lost("", head+part+part+part, "", unseen, "all of it"),
		lost("", "HTTP/1.1 2", "00 OK\r\nContent-Length: 4\r\n\r\nabcd", unseen, "the beginning of the status line"),
		lost("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 1000\r\n", "\r\n"+part, seen, "the middle of the head"),
		lost("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 1000\r\n\r\n"+part, "", seen, "the end of the head"),
		{name: "an interim answer", want: seen, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.LoseServer("HTTP/1.1 103 Early Hints\r\n\r\n")
			c.Server(ok())
			next(c)
		}},
		{name: "a body without a length, then the close", want: []string{"v1 GET /a 200"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(message("HTTP/1.0 200 OK") + part)
			c.LoseServer(part)
			c.Server(part)
			c.CloseByServer()
		}},
		{name: "every answer", want: []string{"v1 GET /a -", "v1 GET /b -", "v1 GET /c -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			for _, target := range []string{"/a", "/b", "/c"} {
				c.Client(get(target))
				c.LoseServer(ok())
			}
			c.Close()
		}},
		{name: "the second of three", want: []string{"v1 GET /a 200", "v1 GET /b -", "v1 GET /c 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			c.Client(get("/b"))
			c.LoseServer(ok())
			c.Client(get("/c"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "the end of one and the beginning of the next", want: []string{"v1 GET /a 200", "v1 GET /b -", "v1 GET /c 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(head + part)
			c.LoseServer(part + part)
			c.Client(get("/b"))
			c.LoseServer(head + part)
			c.Server(part + part)
			c.Client(get("/c"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "the answer to HEAD", want: []string{"v1 HEAD /a -", "v1 GET /c 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("HEAD", "/a"))
			c.LoseServer(head)
			c.Client(get("/c"))
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "a large one, all but its head", want: []string{"v1 GET /a 200", "v1 GET /c 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/a"))
			c.Server(message("HTTP/1.1 200 OK", "Content-Length: 10000000"))
			c.LoseServer(text(10_000_000))
			c.Client(get("/c"))
			c.Server(answer("404 Not Found", ""))
		}},
	})
}

// Where answers are missing, the next one is not taken for that to a request whose head is
// not complete, but if its client had all that comes before it.
func TestCorpusAnswerBehindLostOnes(t *testing.T) {
	a := get("/a")
	one := func(lost ...string) talk {
		return func(c *packettest.Conversation) {
			c.Open()
			c.LoseClient(lost...)
			c.LoseServer(lost...)
			c.Client(a[:40])
			c.LoseClient(a[40:])
		}
	}
	runCorpus(t, []corpusCase{
		{name: "its own", plain: true, want: []string{"unknown GET /a 404 lost_segment"}, talk: func(c *packettest.Conversation) {
			one("anything")(c)
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "that to a later one", plain: true, want: []string{"unknown GET /a - lost_segment"}, talk: func(c *packettest.Conversation) {
			one()(c)
			c.LoseServer(ok())
			c.LoseClient(get("/b"))
			c.Server(answer("404 Not Found", ""))
		}},
	})
}

// A request of which too little was seen to be told is a gap, if the end of its head does not
// tell of it.
func TestCorpusBarelyBegunRequest(t *testing.T) {
	a := get("/a", tokenField)
	for _, test := range []struct {
		name       string
		begin, end int // what is captured of its beginning and of its end
		want       []string
		gaps       uint64
	}{
		{"a letter", 1, 0, nil, 1},
		{"a method", len("GET"), 0, nil, 1},
		{"a method that ends", len("GET "), 0, []string{"unknown GET - - lost_segment"}, 0},
		{"a letter, and the end", 1, 60, []string{"v2 - - -"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := packettest.New()
			c.Open()
			c.Client(a[:test.begin])
			c.LoseClient(a[test.begin : len(a)-test.end])
			c.Client(a[len(a)-test.end:])
			c.LoseServer(ok())
			c.Client(get("/b"))
			c.Server(answer("404 Not Found", ""))
			got, stats := counted(t, nil, c.Packets())
			checkLines(t, got.lines(), append(test.want, "v1 GET /b 404"))
			if stats.RequestGaps != test.gaps {
				t.Errorf("%d gaps, want %d", stats.RequestGaps, test.gaps)
			}
		})
	}
}

// Behind the end of a head there may be a body, of which the beginning that was lost has told.
func TestCorpusBodyBehindTail(t *testing.T) {
	for _, body := range []string{"Lorem", "Lorem ipsum", "{}", "P"} {
		t.Run(body, func(t *testing.T) {
			upload := request("POST", "/a", length(body), "X: y") + body
			c := packettest.New()
			c.Open()
			c.LoseClient(upload[:len(upload)-len(body)-10])
			c.Client(upload[len(upload)-len(body)-10:])
			c.Server(ok())
			c.Client(get("/next"))
			c.Server(answer("404 Not Found", ""))
			checkLines(t, found(t, nil, c.Packets()).lines(), []string{"unknown - - 200 lost_segment", "v1 GET /next 404"})
		})
	}
}

// What is lost of a body, or in the place of one, makes no call of what is none, and hides none behind it.
func TestCorpusLostInBody(t *testing.T) {
	a, upload := get("/a"), chunkedUpload("PUT", "/up", "5\r\nhel")
	runCorpus(t, []corpusCase{
		{name: "a chunk and the beginning of a trailer", plain: true, want: []string{"v1 PUT /up 200", "v1 GET /a 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(upload)
			c.LoseClient("lo\r\n5\r\nworld\r\n0\r\nX: ")
			c.Client("y\r\nZ: y\r\n\r\n")
			c.Server(ok())
			c.Client(a)
			c.Server(answer("404 Not Found", ""))
		}},
		{name: "a request in the place of a body that was withheld", plain: true, want: []string{"v1 PUT /up 417", "v1 GET /a 404"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(request("PUT", "/up", "Content-Length: 300", "Expect: 100-continue"))
			c.Server(answer("417 Expectation Failed", ""))
			c.LoseClient(get("/lost")[:40])
			c.Client(get("/lost")[40:70])
			c.LoseClient(get("/lost")[70:])
			c.Server(answer("500 Internal Server Error", ""))
			c.Client(a)
			c.Server(answer("404 Not Found", ""))
		}},
	})
}

// An answer goes to no request that it may not be of, where others were lost.
func TestCorpusAnswerToLostRequest(t *testing.T) {
	a := get("/a")
	runCorpus(t, []corpusCase{
		{name: "pipelined before another", plain: true, want: []string{"v1 GET /a 200", "v1 GET /c -"}, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(a)
			c.Server(ok())
			c.LoseClient(get("/b"))
			c.Client(get("/c"))
			c.Server(answer("500 Internal Server Error", ""), answer("404 Not Found", ""))
		}},
		{name: "HEAD, of which the method was lost", plain: true, want: []string{"unknown - - 200 lost_segment", "v1 GET /b 404", "v1 GET /c 500"},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.LoseClient("HEAD /a HT")
				c.Client("TP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
				c.Server(message("HTTP/1.1 200 OK", "Content-Length: 1000"))
				c.Client(get("/b"))
				c.Server(answer("404 Not Found", ""))
				c.Client(get("/c"))
				c.Server(answer("500 Internal Server Error", ""))
			}},
	})
}

// A reset is not why a request has no answer, where the service has answered a later one.
func TestCorpusResetBehindLostAnswer(t *testing.T) {
	c := packettest.New()
	c.Step = 10 * time.Microsecond
	c.Open()
	c.Client(get("/a"))
	c.LoseServer(ok())
	c.Client(get("/b"))
	c.Server(answer("404 Not Found", ""))
	c.Reset(fromServer)
	// All of what the service says is captured before it is known that some of it was lost.
	got := found(t, nil, c.Trace().Edit(func(_ int, s *packettest.Segment) {
		if s.FromClient && s.Flags == packettest.ACK {
			s.Ack = c.ServerISN + 1
		}
	}).Packets())
	checkLines(t, got.lines(), []string{"v1 GET /a -", "v1 GET /b 404"})
}
