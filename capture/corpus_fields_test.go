package capture_test

import (
	"fmt"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// onlyCall analyzes and returns the one call that there is.
func onlyCall(t *testing.T, trace packettest.Trace) imds.Call {
	t.Helper()
	got := found(t, nil, trace.Packets())
	if len(got.calls) != 1 {
		t.Fatalf("got %q", got.lines())
	}
	return got.calls[0]
}

// tokenLooks are what the corpus calls what a token looks like.
var tokenLooks = map[imds.TokenValue]string{
	imds.NoToken: "none", imds.EmptyToken: "empty", imds.NotAToken: "not a token", imds.OpaqueToken: "opaque",
}

func TestCorpusRequestFields(t *testing.T) {
	host := func(r imds.Request) string { return r.Host }
	agent := func(r imds.Request) string { return r.UserAgent }
	ttl := func(r imds.Request) string { return fmt.Sprint(r.TTLHeader, " ", r.TTLSeconds) }
	forwarded := func(r imds.Request) string { return fmt.Sprint(r.ForwardedFor) }
	token := func(r imds.Request) string { return fmt.Sprint(r.TokenHeader) }
	look := func(r imds.Request) string { return tokenLooks[r.Token] }
	clients := func(r imds.Request) string { return r.ForwardedClient }
	expects := func(r imds.Request) string { return fmt.Sprint(r.ExpectContinue) }
	proto := func(r imds.Request) string { return r.Proto }
	for _, c := range []struct {
		name, request string
		field         func(imds.Request) string
		want          string
	}{
		{"host", "GET / HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", host, "169.254.169.254"},
		{"host without a blank", "GET / HTTP/1.1\r\nHOST:h:80\r\n\r\n", host, "h:80"},
		{"host with blanks", "GET / HTTP/1.1\r\nhost: \t h \t \r\n\r\n", host, "h"},
		{"no host", "GET / HTTP/1.0\r\n\r\n", host, ""},
		{"user agent", "GET / HTTP/1.1\r\nUser-Agent: curl/8.5.0 (x; y)\r\n\r\n", agent, "curl/8.5.0 (x; y)"},
		{"user agent in lower case, line feeds", "GET / HTTP/1.1\nuser-agent: aws-cli/2\n\n", agent, "aws-cli/2"},
		{"no user agent", "GET / HTTP/1.1\r\n\r\n", agent, ""},
		{"TTL", put(), ttl, "true 21600"},
		{"TTL without a blank", request("PUT", "/latest/api/token", "x-aws-ec2-metadata-token-ttl-seconds:60"), ttl, "true 60"},
		{"TTL that is no number", request("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: soon"), ttl, "true 0"},
		{"TTL below zero", request("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: -5"), ttl, "true 0"},
		{"TTL of nothing", request("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds:"), ttl, "true 0"},
		{"TTL of many digits", request("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: "+strings.Repeat("9", 40)), ttl, "true 0"},
		{"no TTL", get("/"), ttl, "false 0"},
		{"forwarded", get("/", "X-Forwarded-For: 1.2.3.4"), forwarded, "true"},
		{"forwarded in upper case, empty", get("/", "X-FORWARDED-FOR:"), forwarded, "true"},
		{"not forwarded", get("/", "X-Forwarded-Proto: http", "Via: X-Forwarded-For: 1"), forwarded, "false"},
		{"token", get("/", tokenField), token, "true"},
		{"the TTL is no token", put(), token, "false"},
		{"token and TTL", request("PUT", "/latest/api/token", tokenField, ttlField), token, "true"},
		{"no token", get("/"), look, "none"},
		{"the TTL does not look like a token", put(), look, "none"},
		{"opaque token", get("/", tokenField), look, "opaque"},
		{"empty token", get("/", "X-aws-ec2-metadata-token:"), look, "empty"},
		{"token of blanks", get("/", "X-aws-ec2-metadata-token:  \t "), look, "empty"},
		{"error page", get("/", "X-aws-ec2-metadata-token: <html><head><title>403"), look, "not a token"},
		{"error text", get("/", "x-aws-ec2-metadata-token:404 page not found"), look, "not a token"},
		{"a token, folded", get("/", "X-aws-ec2-metadata-token:\r\n "+secret), look, "opaque"},
		{"error text, folded", get("/", "X-aws-ec2-metadata-token: not\r\n found"), look, "not a token"},
		{"an empty token, then one", get("/", "X-aws-ec2-metadata-token:", tokenField), look, "opaque"},
		{"a token, then an error text", get("/", tokenField, "X-aws-ec2-metadata-token: Bad Request"), look, "opaque"},
		{"client of a proxy", get("/", "X-Forwarded-For: 10.1.2.3"), clients, "10.1.2.3"},
		{"client of several proxies", get("/", "x-forwarded-for: fd00:ec2::7, 10.1.2.3 ", "X-Forwarded-For: unknown"), clients, "fd00:ec2::7, 10.1.2.3, unknown"},
		{"client of a proxy, empty", get("/", "X-Forwarded-For:", "X-Forwarded-For: a"), clients, "a"},
		{"clients of no end", get("/", "X-Forwarded-For: "+strings.Repeat("1.2.3.4, ", 100)), clients, strings.Repeat("1.2.3.4, ", 100)[:256]},
		{"clients in fields of no end", get("/", strings.Repeat("X-Forwarded-For: 1.2.3.4\r\n", 99)+"A: b"), clients, strings.Repeat("1.2.3.4, ", 100)[:256]},
		{"no client of a proxy", get("/", "Forwarded: for=1.2.3.4"), clients, ""},
		{"expects 100", request("PUT", "/latest/api/token", ttlField, "expect: 100-Continue"), expects, "true"},
		{"expects another", request("PUT", "/latest/api/token", ttlField, "Expect: 200-ok"), expects, "false"},
		{"expects nothing", put(), expects, "false"},
		{"1.0", "GET / HTTP/1.0\r\n\r\n", proto, "1.0"},
		{"1.1", "GET / HTTP/1.1\r\n\r\n", proto, "1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1448, 9, 1} {
				conversation := packettest.New()
				conversation.SegmentSize = size
				conversation.Open()
				conversation.Client(c.request)
				conversation.Server(ok())
				if got := c.field(onlyCall(t, conversation.Trace()).Request); got != c.want {
					t.Errorf("in segments of %d: got %q, want %q", size, got, c.want)
				}
			}
		})
	}
}

// Times are those of the packets with the first bytes.
func TestCorpusTimes(t *testing.T) {
	whole := trace(func(c *packettest.Conversation) {
		c.Open()
		c.Client("GET /a HT", "TP/1.1\r\nHost: h\r", "\n\r\n")
		c.Server("HTTP/1.1 103 Early Hints\r\n\r\n")
		c.Server("HTTP/1.1 2", "00 OK\r\nContent-Length: 0\r\n\r\n")
	})
	requests, answers := whole.Data(true), whole.Data(false)
	check := func(name string, trace packettest.Trace, request, answer int) {
		t.Run(name, func(t *testing.T) {
			call := onlyCall(t, trace)
			if want := trace[request].Time; !call.Request.Time.Equal(want) {
				t.Errorf("the request is at %v, want %v", call.Request.Time, want)
			}
			if call.Response == nil {
				t.Fatal("no answer")
			}
			if want := trace[answer].Time; !call.Response.Time.Equal(want) {
				t.Errorf("the answer is at %v, want %v", call.Response.Time, want)
			}
		})
	}
	check("in order", whole, requests[0], answers[1])
	check("the request reversed", whole.Permute(requests, []int{2, 1, 0}), requests[2], answers[1])
	check("the answer reversed", whole.Permute(answers[1:], []int{1, 0}), requests[0], answers[2])
	check("the request again", whole.Repeat(requests[0], requests[0]+1), requests[0], answers[1]+1)
}

// Blank lines before a request are none of its bytes, the second of two
// pipelined requests begins where it begins.
func TestCorpusPipelinedTimes(t *testing.T) {
	whole := trace(func(c *packettest.Conversation) {
		c.Open()
		c.Client(get("/a"), get("/b"))
		c.Server(ok(), answer("404 Not Found", ""))
	})
	got := found(t, nil, whole.Packets())
	if len(got.calls) != 2 {
		t.Fatalf("got %q", got.lines())
	}
	for i, call := range got.calls {
		if !call.Request.Time.Equal(whole[whole.Data(true)[i]].Time) || !call.Response.Time.Equal(whole[whole.Data(false)[i]].Time) {
			t.Errorf("call %d: request at %v, answer at %v", i, call.Request.Time, call.Response.Time)
		}
	}
}

func TestCorpusConn(t *testing.T) {
	call := onlyCall(t, oneCall(packettest.New()))
	conn := call.Conn
	if conn.Client != packettest.Client || conn.Service != packettest.Service || !conn.Opened.Equal(packettest.Start) || !conn.Handshake {
		t.Errorf("got %+v", conn)
	}
	later := onlyCall(t, oneCall(packettest.New())[1:])
	if later.Conn.Handshake || !later.Conn.Opened.Equal(packettest.Start.Add(1e6)) {
		t.Errorf("without the SYN: got %+v", later.Conn)
	}
	six := onlyCall(t, oneCall(packettest.New6()))
	if six.Conn.Client != packettest.Client6 || six.Conn.Service != packettest.Service6 {
		t.Errorf("IPv6: got %+v", six.Conn)
	}
}

func TestCorpusConnIDs(t *testing.T) {
	a, b := packettest.New(), packettest.New()
	b.ClientISN, b.ServerISN, b.Now = 9, 9, packettest.Start.Add(1e9)
	got := found(t, nil, packettest.Merge(oneCall(a), oneCall(b)).Packets())
	if len(got.calls) != 2 || got.calls[0].Conn.ID == got.calls[1].Conn.ID {
		t.Errorf("got %q with equal IDs", got.lines())
	}
}

// The interface is the one nearest to the client.
func TestCorpusInterface(t *testing.T) {
	call := onlyCall(t, oneCall(packettest.New()).Through(packettest.InterfaceHops(translated)...))
	if call.Conn.Interface != "veth1" {
		t.Errorf("got %q, want veth1", call.Conn.Interface)
	}
}

func TestCorpusHopLimit(t *testing.T) {
	for _, ttl := range []uint8{1, 64, 127, 255} {
		for _, c := range []*packettest.Conversation{packettest.New(), packettest.New6()} {
			trace := oneCall(c).Edit(func(_ int, s *packettest.Segment) {
				if !s.FromClient && len(s.Payload) > 0 {
					s.TTL = ttl
				}
			})
			if call := onlyCall(t, trace); call.Response == nil || call.Response.HopLimit != ttl {
				t.Errorf("want %d, got %+v", ttl, call.Response)
			}
		}
	}
}

// Tokens are looked for in all that a call holds, wherever a client puts one.
func TestCorpusSecrets(t *testing.T) {
	for _, request := range []string{
		get("/a", tokenField),
		get("/a?X-aws-ec2-metadata-token=" + secret),
		get("/a?x=y&x-aws-ec2-metadata-token=" + secret + "&z"),
		"GET /a HTTP/1.1\r\nX-aws-ec2-metadata-token:\r\n " + secret + "\r\n\r\n",
		"GET /a HTTP/1.1\r\n" + tokenField + "\r\n" + tokenField + "\r\n\r\n",
		"GET /a HTTP/1.1\r\n" + tokenField,
		get("/a", `X-aws-ec2-metadata-token: "`+secret+`"`),
		get("/a", "X-aws-ec2-metadata-token: <b> "+secret),
		get("/a", "X-Forwarded-For: token="+secret),
		get("/a", "X-Forwarded-For: 10.1.2.3", "X-Forwarded-For: a, token="+secret+", b"),
		request("PUT", "/latest/api/token", ttlField, tokenField, "Expect: "+secret),
	} {
		for _, size := range []int{1448, 10, 1} {
			c := packettest.New()
			c.SegmentSize = size
			c.Open()
			c.Client(request)
			c.Server(tokenAnswer())
			got := found(t, nil, c.Packets()) // checks for the secret
			if len(got.calls) != 1 {
				t.Errorf("%.40q: got %q", request, got.lines())
			}
		}
	}
}

// A packet's bytes are the Source's again after Packet returns: feed
// overwrites them. What a call holds must not change with them.
func TestCorpusOwnBytes(t *testing.T) {
	c := packettest.New()
	c.Open()
	c.Client(get("/a", "X-Long: "+text(60)))
	c.Server(ok())
	packets := c.Packets()
	buffer := make([]byte, 4096)
	r := newRecorder(t)
	a := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), r)
	for _, p := range packets {
		n := copy(buffer, p.Data)
		p.Data = buffer[:n]
		a.Packet(&p)
		clear(buffer)
	}
	a.Flush()
	if len(r.calls) != 1 || r.calls[0].Request.Target != "/a" || r.calls[0].Request.UserAgent != "curl/8.5.0" {
		t.Errorf("got %+v", r.calls)
	}
}

// What a value looks like is not said of one whose end was not seen, nor whose
// client it is.
func TestCorpusCutFields(t *testing.T) {
	for _, line := range []string{"X-aws-ec2-metadata-token: not a", "X-aws-ec2-metadata-token:", "X-Forwarded-For: 10.1.2.3", "Expect: 100-continue"} {
		call := onlyCall(t, trace(func(c *packettest.Conversation) {
			c.Open()
			c.Client("GET / HTTP/1.1\r\n" + line)
			c.Close()
		}))
		if r := call.Request; r.Token != imds.NoToken || r.ForwardedClient != "" || r.ExpectContinue || r.Shape != 0 {
			t.Errorf("%s: got %+v", line, r)
		}
	}
}

func TestCorpusServer(t *testing.T) {
	for _, c := range []struct{ name, answer, want string }{
		{"the service's", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: EC2ws\r\n\r\n", "EC2ws"},
		{"in small letters", "HTTP/1.1 403 Forbidden\r\nserver:Kube2iam \r\nContent-Length: 0\r\n\r\n", "Kube2iam"},
		{"two", "HTTP/1.1 200 OK\r\nServer: a\r\nServer: b\r\nContent-Length: 0\r\n\r\n", "a"},
		{"none", "HTTP/1.1 200 OK\r\nX-Server: a\r\nContent-Length: 0\r\n\r\n", ""},
		{"of the final response", "HTTP/1.1 103 Early Hints\r\nServer: early\r\n\r\nHTTP/1.1 200 OK\r\nServer: final\r\nContent-Length: 0\r\n\r\n", "final"},
		{"long", "HTTP/1.1 200 OK\r\nServer: " + strings.Repeat("EC2 ", 400) + "\r\nContent-Length: 0\r\n\r\n", strings.Repeat("EC2 ", 64)},
		{"a secret", "HTTP/1.1 200 OK\r\nServer: token=" + secret + "\r\nContent-Length: 0\r\n\r\n", imds.Redact("token=" + secret)},
		{"of a head that goes on", "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Le", "EC2ws"},
		{"cut", "HTTP/1.1 200 OK\r\nServer: EC2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1448, 9, 1} {
				conversation := packettest.New()
				conversation.SegmentSize = size
				conversation.Open()
				conversation.Client(get("/"))
				conversation.Server(c.answer)
				conversation.CloseByServer()
				call := onlyCall(t, conversation.Trace())
				if call.Response == nil || call.Response.Server != c.want {
					t.Errorf("in segments of %d: got %+v, want %q", size, call.Response, c.want)
				}
			}
		})
	}
}
