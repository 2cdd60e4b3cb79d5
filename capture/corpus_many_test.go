package capture_test

import (
	"fmt"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// A thousand connections at once, of every kind, each with its own truth.
func TestCorpusThousandConnections(t *testing.T) {
	var traces []packettest.Trace
	want := map[string][]string{}
	for i := range 1000 {
		client := fmt.Sprintf("10.0.%d.%d:%d", i/200, 10+i%200, 30000+i)
		c := packettest.From(client)
		c.Now = c.Now.Add(time.Duration(i%100) * 100 * time.Microsecond)
		c.SegmentSize = 20 + i%200
		target := fmt.Sprintf("/%d", i)
		c.Open()
		switch i % 4 {
		case 0:
			c.Client(get(target))
			c.Server(ok())
			c.Close()
			want[client] = []string{client + " v1 GET " + target + " 200"}
		case 1:
			c.Client(put())
			c.Server(tokenAnswer())
			c.Client(get(target, tokenField))
			c.Server(answer("404 Not Found", text(500)))
			want[client] = []string{client + " v2 PUT /latest/api/token 200 token", client + " v2 GET " + target + " 404"}
		case 2:
			c.Client(upload("POST", target, get("/evil")) + get(target))
			c.Server(chunkedAnswer("200 OK", "3\r\nabc\r\n0\r\n\r\n"))
			c.Reset(fromServer)
			want[client] = []string{client + " v1 POST " + target + " 200", client + " v1 GET " + target + " - reset"}
		case 3:
			c.Client(get(target)[:60])
			c.Close()
			want[client] = []string{client + " unknown GET " + target + " - connection_closed"}
		}
		traces = append(traces, c.Trace())
	}
	got := found(t, nil, packettest.Merge(traces...).Packets())
	byClient := map[string][]string{}
	for i, call := range got.calls {
		client := call.Conn.Client.String()
		byClient[client] = append(byClient[client], line(got.calls[i]))
	}
	for client, lines := range want {
		checkLines(t, byClient[client], lines)
	}
	if len(byClient) != len(want) {
		t.Errorf("%d clients, want %d", len(byClient), len(want))
	}
}

// A connection on which thousands of calls are made.
func TestCorpusThousandCalls(t *testing.T) {
	c := packettest.New()
	c.Open()
	var want []string
	for i := range 2000 {
		target := fmt.Sprintf("/%d", i)
		if i%3 == 0 {
			c.Client(get(target, tokenField))
			want = append(want, "v2 GET "+target+" 200")
		} else {
			c.Client(get(target))
			want = append(want, "v1 GET "+target+" 200")
		}
		c.Server(answer("200 OK", text(i%4000)))
	}
	c.Close()
	checkLines(t, found(t, nil, c.Packets()).lines(), want)
}

// Ports go around: the same tuple thousands of times, closed in all ways.
func TestCorpusPortsGoAround(t *testing.T) {
	var all packettest.Trace
	var want []string
	now := packettest.Start
	for i := range 1000 {
		c := packettest.New()
		c.Now, c.Step = now, 100*time.Microsecond
		c.ClientISN, c.ServerISN = uint32(i)*250_007, uint32(i)*77_777_777
		c.Open()
		c.Client(get("/a"))
		c.Server(ok())
		switch i % 4 {
		case 0:
			c.Close()
		case 1:
			c.Reset(fromClient)
		case 2:
			c.CloseByServer()
		}
		want = append(want, "v1 GET /a 200")
		all = append(all, c.Trace()...)
		now = c.Now
	}
	checkLines(t, found(t, nil, all.Packets()).lines(), want)
}
