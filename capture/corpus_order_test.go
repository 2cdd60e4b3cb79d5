package capture_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// type talk is short for what a case does.
type talk = func(c *packettest.Conversation)

// trace runs a talk and returns what was captured.
func trace(do talk) packettest.Trace {
	c := packettest.New()
	do(c)
	return c.Trace()
}

// inOrder returns all orders of n things.
func inOrder(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var orders [][]int
	for _, order := range inOrder(n - 1) {
		for at := 0; at <= len(order); at++ {
			orders = append(orders, slices.Insert(slices.Clone(order), at, n-1))
		}
	}
	return orders
}

// fourPieces is a call whose head comes in four segments.
func fourPieces(c *packettest.Conversation) {
	c.Open()
	c.Client("GET /latest/meta-data/iam/ HTTP/1.1\r\nHo", "st: 169.254.169.254\r\nX-aws-ec2-met", "adata-token: "+secret, "=\r\nAccept: */*\r\n\r\n")
	c.Server(ok())
	c.Client(get("/next"))
	c.Server(answer("404 Not Found", "no"))
	c.Close()
}

var fourPiecesLines = []string{"v2 GET /latest/meta-data/iam/ 200", "v1 GET /next 404"}

func TestCorpusEveryOrder(t *testing.T) {
	var cases []corpusCase
	for _, order := range inOrder(4) {
		cases = append(cases, corpusCase{name: fmt.Sprint(order), want: fourPiecesLines, trace: func() packettest.Trace {
			t := trace(fourPieces)
			return t.Permute(t.Data(true)[:4], order)
		}})
	}
	runCorpus(t, cases)
}

// A capture may hold an answer in any order too, and a conversation in which
// directions overtake each other: several queues or interfaces do that.
func TestCorpusOvertaking(t *testing.T) {
	answered := func(c *packettest.Conversation) {
		c.Open()
		c.Client(get("/a"))
		c.Server("HTTP/1.1 20", "0 OK\r\nContent-", "Length: 10\r\n\r\n01234", "56789")
		c.Client(get("/b"))
		c.Server(answer("404 Not Found", ""))
		c.Close()
	}
	lines := []string{"v1 GET /a 200", "v1 GET /b 404"}
	var cases []corpusCase
	for _, order := range inOrder(4) {
		cases = append(cases, corpusCase{name: fmt.Sprint("an answer ", order), want: lines, trace: func() packettest.Trace {
			t := trace(answered)
			return t.Permute(t.Data(false)[:4], order)
		}})
	}
	whole := trace(answered)
	requests, answers := whole.Data(true), whole.Data(false)
	cases = append(cases,
		corpusCase{name: "the acknowledgement before the request", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[0]+1, requests[0]) }},
		corpusCase{name: "the answer before the request", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[1], answers[4]) }},
		corpusCase{name: "the answer and its acknowledgement before the request", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[1], answers[4]+1) }},
		corpusCase{name: "the request before the handshake's last segment", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[0], 2) }},
		corpusCase{name: "the request before the SYN-ACK", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[0], 1) }},
		corpusCase{name: "the SYN-ACK before the SYN", want: lines,
			trace: func() packettest.Trace { return whole.Move(1, 0) }},
		corpusCase{name: "the request before the SYN", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[0], 0) }},
		corpusCase{name: "the second request before the SYN", want: lines, or: [][]string{{"v1 GET /a -", "v1 GET /b 404"}},
			trace: func() packettest.Trace { return whole.Move(requests[1], 0) }},
		corpusCase{name: "the second answer before the SYN", want: lines,
			trace: func() packettest.Trace { return whole.Move(answers[4], 0) }},
		corpusCase{name: "the second answer before the SYN-ACK", want: lines,
			trace: func() packettest.Trace { return whole.Move(answers[4], 1) }},
		corpusCase{name: "the second request before the first, and the SYN-ACK was lost", want: lines, or: [][]string{{"v1 GET /a -", "v1 GET /b 404"}},
			trace: func() packettest.Trace { return whole.Move(requests[1], 2).Drop(1) }},
		corpusCase{name: "the request before the SYN, and the answer's second segment before its first", want: lines,
			trace: func() packettest.Trace { return whole.Move(requests[0], 0).Move(answers[1], answers[0]) }},
		corpusCase{name: "the answer's second segment before its first and before the handshake's last", want: lines,
			trace: func() packettest.Trace { return whole.Move(answers[1], 2) }},
		corpusCase{name: "the client's FIN before its request", want: lines,
			trace: func() packettest.Trace { return whole.Move(len(whole)-3, requests[1]) }},
		corpusCase{name: "the service's FIN before its answer", want: lines,
			trace: func() packettest.Trace { return whole.Move(len(whole)-2, answers[4]) }},
		corpusCase{name: "both FINs before the last request", want: lines,
			trace: func() packettest.Trace {
				n := len(whole)
				return whole.Move(n-3, requests[1]).Move(n-2, requests[1]+1)
			}},
		corpusCase{name: "time runs back by a little", want: lines,
			packets: func() []capture.Packet {
				packets := whole.Packets()
				for i := range packets {
					if i%2 == 1 {
						packets[i].Time = packets[i].Time.Add(-3 * 1e6)
					}
				}
				return packets
			}},
		corpusCase{name: "all times are equal", want: lines,
			packets: func() []capture.Packet {
				packets := whole.Packets()
				for i := range packets {
					packets[i].Time = packettest.Start
				}
				return packets
			}},
	)
	runCorpus(t, cases)
}

// splitCases are one head, cut once before each of its bytes.
func TestCorpusEverySplit(t *testing.T) {
	heads := []struct{ name, head, line string }{
		{"v1", get("/latest/meta-data/"), "v1 GET /latest/meta-data/ 200"},
		{"v2", get("/latest/meta-data/", tokenField), "v2 GET /latest/meta-data/ 200"},
		{"token", put(), "v2 PUT /latest/api/token 200 token"},
		{"LF only", "GET / HTTP/1.0\nX-aws-ec2-metadata-token:" + secret + "\n\n", "v2 GET / 200 1.0"},
		{"folded", "GET / HTTP/1.1\r\nX-Long: a\r\n X-aws-ec2-metadata-token: b\r\nHost: h\r\n\r\n", "v1 GET / 200"},
	}
	var cases []corpusCase
	for _, h := range heads {
		for at := 1; at < len(h.head); at++ {
			two := func(order ...int) func() packettest.Trace {
				return func() packettest.Trace {
					t := trace(func(c *packettest.Conversation) {
						c.Open()
						c.Client(h.head[:at], h.head[at:])
						c.Server(ok())
						c.Close()
					})
					return t.Permute(t.Data(true), order)
				}
			}
			cases = append(cases,
				corpusCase{name: fmt.Sprintf("%s/%d", h.name, at), trace: two(0, 1), want: []string{h.line}},
				corpusCase{name: fmt.Sprintf("%s/%d reversed", h.name, at), trace: two(1, 0), want: []string{h.line}})
		}
	}
	runCorpus(t, cases)
}

// An answer's head in two segments, cut before each of its bytes.
func TestCorpusEveryAnswerSplit(t *testing.T) {
	head := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nHTTP/\r\n0\r\nA: b\r\n\r\n"
	var cases []corpusCase
	for at := 1; at < len(head); at++ {
		cases = append(cases, corpusCase{name: fmt.Sprint(at), want: []string{"v1 GET /a 404", "v1 GET /b 200"},
			trace: func() packettest.Trace {
				return trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(get("/a"))
					c.Server(head[:at], head[at:])
					c.Client(get("/b"))
					c.Server(ok())
				})
			}})
	}
	runCorpus(t, cases)
}

// The sequence numbers wrap before each byte of a head, and of an answer.
func TestCorpusWrap(t *testing.T) {
	head := get("/wrap", tokenField)
	reply := ok()
	for offset := range uint32(max(len(head), len(reply)) + 3) {
		c := packettest.New()
		c.ClientISN, c.ServerISN = -offset, -offset
		c.SegmentSize = 50
		c.Open()
		c.Client(head)
		c.Server(reply)
		c.Client(get("/after"))
		c.Server(answer("404 Not Found", ""))
		c.Close()
		whole := c.Trace()
		data := whole.Data(true)
		swapped := whole.Permute(data[:3], []int{2, 1, 0})
		for _, packets := range [][]capture.Packet{whole.Packets(), swapped.Packets()} {
			got := found(t, nil, packets)
			checkLines(t, got.lines(), []string{"v2 GET /wrap 200", "v1 GET /after 404"})
		}
	}
}

// Where captures of both directions were merged, one of them by a clock that is ahead, all of
// that side comes before what it answers, also the SYN-ACK and answers before the SYN.
func TestCorpusClockAhead(t *testing.T) {
	var cases []corpusCase
	for _, side := range []bool{fromClient, fromServer} {
		for ahead := 500 * time.Microsecond; ahead < 25*time.Millisecond; ahead += time.Millisecond {
			cases = append(cases, corpusCase{name: fmt.Sprintf("client %t, by %v", side, ahead), want: fourPiecesLines, trace: func() packettest.Trace {
				whole := trace(fourPieces)
				other := whole.Only(!side).Edit(func(_ int, s *packettest.Segment) { s.Time = s.Time.Add(ahead) })
				return packettest.Merge(whole.Only(side), other)
			}})
		}
	}
	runCorpus(t, cases)
}
