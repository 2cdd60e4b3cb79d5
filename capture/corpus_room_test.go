package capture_test

import (
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// little are limits with which only so many bytes can wait.
func little(bytes int) capture.Limits {
	return capture.Limits{Connections: 300, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: bytes}
}

// A segment that fills a hole is read before those that wait behind it, also where there is no
// room for one more: nothing is missing then.
func TestHoleFilledWithoutRoom(t *testing.T) {
	long := get("/filled", "X: "+strings.Repeat("x", 400))
	for _, test := range []struct {
		name                  string
		bytes, segment, first int
	}{
		{"memory is used up", 700, 200, 400},
		{"as many segments wait as may", 1 << 20, 1, 257},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := packettest.New()
			c.Step, c.SegmentSize = time.Microsecond, test.segment
			c.Open()
			c.Client(long[:test.first])
			data := c.Trace().Data(true)
			trace := c.Trace().Move(data[0], data[len(data)-1])
			c.SegmentSize = 1448
			opened := len(trace)
			c.Client(long[test.first:])
			c.Server(ok())
			found, _ := limited(little(test.bytes), append(trace, c.Trace()[opened:]...).Packets())
			if len(found.calls) != 1 || found.calls[0].Request.Incomplete != imds.Whole {
				t.Errorf("%d calls, the first %+v", len(found.calls), found.calls)
			}
		})
	}
}

// roomCase is what is said on two connections while there is memory for so many bytes, and
// what is found on the first. The second one speaks when the first has paused.
type roomCase struct {
	name        string
	bytes       int
	talk, after talk
	other       string // what the second client sends meanwhile
	want        []string
	gaps, gone  uint64
}

func (r *roomCase) check(t *testing.T) {
	c, other := packettest.New(), packettest.From("10.0.0.9:999")
	c.Open()
	r.talk(c)
	c.Wait(time.Second)
	if r.other != "" {
		other.Now = c.Now
		other.Open()
		other.Client(r.other)
	}
	c.Wait(time.Second)
	r.after(c)
	found, stats := limited(little(r.bytes), packettest.Merge(c.Trace(), other.Trace()).Packets())
	lines := []string{}
	for _, call := range found.calls {
		if call.Conn.Client == packettest.Client {
			lines = append(lines, line(call))
		}
	}
	checkLines(t, lines, r.want)
	if stats.RequestGaps != r.gaps || stats.Evicted != r.gone {
		t.Errorf("%d gaps and %d given up, want %d and %d", stats.RequestGaps, stats.Evicted, r.gaps, r.gone)
	}
}

// What is lost for want of memory is told once or counted, and no answer is given to a request
// that it may not be of.
func TestLostForRoom(t *testing.T) {
	nothing := func(*packettest.Conversation) {}
	long := strings.Repeat("x", 1000)
	head := get("/a", "X: "+long)
	const chunk = "5\r\nhello\r\n0\r\n\r\n"
	for _, test := range []roomCase{
		{
			name: "a request behind chunks, of which nothing has to be kept", bytes: 0,
			talk:  func(c *packettest.Conversation) { c.Client(chunkedUpload("PUT", "/a", chunk) + get("/b")) },
			after: nothing, want: []string{"v1 PUT /a -", "v1 GET /b -"},
		},
		{
			name: "a request behind chunks that come in pieces", bytes: 0,
			talk: func(c *packettest.Conversation) {
				c.Client(chunkedUpload("PUT", "/a", chunk[:1]), chunk[1:]+get("/b"))
			},
			after: func(c *packettest.Conversation) { c.Client(get("/c")) },
			want:  []string{"v1 PUT /a -", "v1 GET /c -"}, gone: 1,
		},
		{
			name: "a request behind a line of chunks that gives way", bytes: 1200, other: get("/other", "X: "+long)[:500],
			talk:  func(c *packettest.Conversation) { c.Client(chunkedUpload("PUT", "/a", "5;"+long)) },
			after: func(c *packettest.Conversation) { c.Client("\r\nhello\r\n0\r\nX: y\r\n\r\n"+get("/b"), get("/c")) },
			want:  []string{"v1 PUT /a -", "v1 GET /c -"}, gone: 1,
		},
		{
			name: "a request of which a letter was read", bytes: 287, other: get("/other"),
			talk:  func(c *packettest.Conversation) { c.Client(get("/a")[:1]) },
			after: func(c *packettest.Conversation) { c.Client(get("/a")[1:], get("/b")) },
			want:  []string{"v1 GET /b -"}, gone: 1,
		},
		{
			name: "an answer behind chunks", bytes: 700,
			talk: func(c *packettest.Conversation) {
				c.Client(get("/a"), get("/b"))
				c.Server(chunkedAnswer("200 OK", "5;"+long), "\r\nhello\r\n0\r\n\r\n"+ok())
			},
			after: func(c *packettest.Conversation) { c.Client(get("/c")); c.Server(answer("404 Not Found", "")) },
			want:  []string{"v1 GET /a 200", "v1 GET /b -", "v1 GET /c 404"},
		},
		{
			name: "an answer of which there is no status", bytes: 700, other: get("/other"),
			talk: func(c *packettest.Conversation) {
				c.Client(get("/a"), get("/b"))
				c.Server("HTTP/1.1 20")
			},
			after: func(c *packettest.Conversation) {
				c.Server("0 OK\r\nContent-Length: 0\r\n\r\n", answer("401 Unauthorized", ""))
				c.Client(get("/c"))
				c.Server(answer("404 Not Found", ""))
			},
			want: []string{"v1 GET /a -", "v1 GET /b -", "v1 GET /c 404"},
		},
		{
			name: "the rest of a request that was told", bytes: 1700, other: get("/other", "X: "+long)[:700],
			talk: func(c *packettest.Conversation) {
				c.Client(head[:60])
				c.LoseClient(head[60:80])
				c.Client(head[80 : len(head)-20])
			},
			after: func(c *packettest.Conversation) { c.Client(head[len(head)-20:len(head)-2] + "Y: y\r\n\r\n") },
			want:  []string{"unknown GET /a - lost_segment"},
		},
		{
			name: "a gap behind which nothing is found", bytes: 1700, other: get("/other", "X: "+long)[:700],
			talk: func(c *packettest.Conversation) {
				c.LoseClient(get("/lost"))
				c.Client("Y: " + long)
			},
			after: nothing, want: []string{}, gaps: 1,
		},
		{
			name: "a request with a SYN on an open connection", bytes: 1200, other: get("/other", "X: "+long)[:700],
			talk: func(c *packettest.Conversation) {
				c.Client(get("/a"))
				c.Server(ok())
				c.Stray(fromClient, func(s *packettest.Segment) {
					s.Flags, s.Seq, s.Payload = packettest.SYN, s.Seq+1<<29, []byte(head)
				})
			},
			after: func(c *packettest.Conversation) { c.Client(get("/b")); c.Server(ok()) },
			want:  []string{"v1 GET /a 200", "v1 GET /b 200"}, gone: 1,
		},
	} {
		t.Run(test.name, test.check)
	}
}
