package capture_test

import (
	"maps"
	"net/netip"
	"testing"

	"imds-analyzer/capture/packettest"
)

// shapeOf is the shape of the request with the fields, captured.
func shapeOf(t *testing.T, method string, fields string) uint64 {
	t.Helper()
	call := onlyCall(t, trace(func(c *packettest.Conversation) {
		c.Open()
		c.Client(method + " / HTTP/1.1\r\n" + fields + "\r\n")
		c.Server(ok())
		c.Close()
	}))
	return call.Request.Shape
}

func TestCorpusShape(t *testing.T) {
	const plain = "Host: a\r\nUser-Agent: b\r\nAccept: c\r\n"
	want := shapeOf(t, "GET", plain)
	if want != 0x540b66f5bad46abc {
		t.Errorf("%#x: not the one of other runs", want)
	}
	for _, same := range []string{
		"Host: x\r\nUser-Agent: y\r\nAccept:\r\n",
		"Host:x\nUser-Agent :y\n folded\nAccept:\n",
		tokenField + "\r\n" + plain,
		"Host: a\r\n" + ttlField + "\r\nUser-Agent: b\r\nContent-Length: 0\r\nContent-Type: t\r\nExpect: 100-continue\r\nAccept: c\r\n",
		plain + "Transfer-Encoding: chunked\r\n",
	} {
		if got := shapeOf(t, "GET", same); got != want {
			t.Errorf("%q: %#x, want %#x", same, got, want)
		}
	}
	others := map[uint64]string{want: plain}
	for _, other := range []string{
		"",
		"host: a\r\nUser-Agent: b\r\nAccept: c\r\n",
		"User-Agent: b\r\nHost: a\r\nAccept: c\r\n",
		"Host: a\r\nUser-Agent: b\r\n",
		"Host: a\r\nUser-AgentA: b\r\nccept: c\r\n",
		plain + "Via: d\r\n",
		plain + "Accept: d\r\n",
	} {
		got := shapeOf(t, "GET", other)
		if others[got] != "" || got == 0 {
			t.Errorf("%q: %#x, as of %q", other, got, others[got])
		}
		others[got] = other
	}
}

// A client's token requests have the shapes of its other ones, also where they are all
// that tells clients apart; different clients mostly have different ones.
func TestShapesOfRealClients(t *testing.T) {
	type client struct{ name, userAgent string }
	asking, going := map[client]map[uint64]bool{}, map[client]map[uint64]bool{}
	all := map[uint64]bool{}
	for _, name := range []string{"boto", "cloud-init", "fallback-403", "fallback-puthang", "go-tools", "npm-http", "proxy-haproxy-any"} {
		names := clientNames(t, name)
		for _, call := range analyze(t, captureOf(t, name)) {
			c := client{name + " " + names[call.Conn.Client], call.Request.UserAgent}
			shapes := going
			if call.Request.IsTokenRequest() {
				shapes = asking
			}
			if shapes[c] == nil {
				shapes[c] = map[uint64]bool{}
			}
			shapes[c][call.Request.Shape] = true
			all[call.Request.Shape] = true
		}
	}
	compared := 0
	for c, shapes := range asking {
		if going[c] == nil {
			continue // none, or with another User-Agent
		}
		compared++
		if !maps.Equal(shapes, going[c]) {
			t.Errorf("%+v: %v for tokens, %v otherwise", c, shapes, going[c])
		}
	}
	if compared < 25 || len(all) < 15 || all[0] {
		t.Errorf("%d clients compared, shapes %v", compared, all)
	}
}

// clientNames are what the truth calls the clients of a capture.
func clientNames(t *testing.T, name string) map[netip.AddrPort]string {
	names := map[netip.AddrPort]string{}
	for _, l := range readTruthLines(t, "../testdata/captures/"+name+".truth.jsonl") {
		names[netip.AddrPortFrom(netip.MustParseAddr(l.SrcIP), l.SrcPort)] = l.Client
	}
	return names
}
