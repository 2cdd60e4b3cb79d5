package capture_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// cut is a trace captured with a snaplen that leaves n bytes of payload.
func cut(t packettest.Trace, n int) []capture.Packet {
	var packets []capture.Packet
	for _, s := range t {
		packets = append(packets, s.Cut(n))
	}
	return packets
}

// A snaplen that leaves so and so many bytes of each payload.
func TestCorpusSnaplen(t *testing.T) {
	two := func(first, second string) packettest.Trace {
		return trace(func(c *packettest.Conversation) {
			c.Open()
			c.Client(first)
			c.Server(answer("200 OK", text(800)))
			c.Client(second)
			c.Server(answer("404 Not Found", text(800)))
			c.Close()
		})
	}
	const line = "GET /latest/meta-data/ HTTP/1.1\r\n"
	token := line + tokenField + "\r\nHost: h\r\n\r\n"
	name := len(line + "X-aws-ec2-metadata-token")
	cases := []struct {
		name  string
		trace packettest.Trace
		keep  int
		want  []string
		or    [][]string
	}{
		{"54 bytes, as snaplen 120 has it", two(get("/latest/meta-data/"), get("/b", tokenField)), 54,
			[]string{"unknown GET /latest/meta-data/ 200 snaplen", "unknown GET /b 404 snaplen"}, nil},
		{"the request line without its end", two(get("/latest/meta-data/"), get("/latest/b")), len(line) - 2,
			[]string{"unknown GET /latest/meta-data/ 200 snaplen", "unknown GET /latest/b 404 snaplen"},
			[][]string{{"unknown GET - 200 snaplen", "unknown GET /latest/b 404 snaplen"}}},
		{"a head but not an answer's body", two("GET /a HTTP/1.1\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n"), 20,
			[]string{"v1 GET /a 200", "v1 GET /b 404"}, nil},
		{"all of a head but its last byte", two(get("/a"), get("/b")), len(get("/a")) - 1,
			[]string{"unknown GET /a 200 snaplen", "unknown GET /b 404 snaplen"}, nil},
		{"exactly a head", two(get("/a"), get("/b")), len(get("/a")),
			[]string{"v1 GET /a 200", "v1 GET /b 404"}, nil},
		{"one head whole and one cut", two("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", get("/b")), 40,
			[]string{"v1 GET /a 200", "unknown GET /b 404 snaplen"}, nil},
		{"one head cut and one whole", two(get("/a"), "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"), 40,
			[]string{"unknown GET /a 200 snaplen", "v1 GET /b 404"}, nil},
		{"the token's name in part", two(token, token), name - 5,
			[]string{"unknown GET /latest/meta-data/ 200 snaplen", "unknown GET /latest/meta-data/ 404 snaplen"}, nil},
		{"the token's name without its colon, which may go on", two(token, token), name,
			[]string{"unknown GET /latest/meta-data/ 200 snaplen", "unknown GET /latest/meta-data/ 404 snaplen"}, nil},
		{"the token's name with its colon", two(token, token), name + 1,
			[]string{"v2 GET /latest/meta-data/ 200", "v2 GET /latest/meta-data/ 404"}, nil},
		{"the token in part", two(token, token), name + 6,
			[]string{"v2 GET /latest/meta-data/ 200", "v2 GET /latest/meta-data/ 404"}, nil},
		{"a token request's line", two(put(), put()), 40,
			[]string{"v2 PUT /latest/api/token 200 token", "v2 PUT /latest/api/token 404 token"}, nil},
		{"a token request's line in part", two(put(), put()), 16,
			[]string{"unknown PUT /latest/api/ 200 snaplen", "unknown PUT /latest/api/ 404 snaplen"},
			[][]string{{"unknown PUT - 200 snaplen", "unknown PUT - 404 snaplen"}}},
		{"no more of an answer than HTTP/1.1", two("GET /a HTTP/1.1\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n"), 9,
			[]string{"unknown GET /a - snaplen", "unknown GET /b - snaplen"}, [][]string{{"unknown GET - - snaplen", "unknown GET - - snaplen"}}},
	}
	var list []corpusCase
	for _, c := range cases {
		list = append(list, corpusCase{name: c.name, want: c.want, or: c.or, packets: func() []capture.Packet { return cut(c.trace, c.keep) }})
	}
	runCorpus(t, append(list, snaplenOdd()...))
}

func snaplenOdd() []corpusCase {
	return []corpusCase{
		{name: "a head in two segments, of which the first is cut", want: []string{"unknown GET /a 200 snaplen"},
			packets: func() []capture.Packet {
				return cut(trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client("GET /a HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Agent: curl\r\n", "Accept: */*\r\n\r\n")
					c.Server(ok())
				}), 30)
			}},
		{name: "a head in two segments, of which the last is cut", want: []string{"unknown GET /a 200 snaplen"},
			packets: func() []capture.Packet {
				return cut(trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client("GET /a HTTP/1.1\r\nHost: h\r\n", "Accept: */*\r\nUser-Agent: a long name of a client\r\n\r\n")
					c.Server(ok())
				}), 30)
			}},
		{name: "two heads pipelined in a segment, of which the second is cut", want: []string{"v1 GET /a 200", "unknown GET /b 404 snaplen"},
			packets: func() []capture.Packet {
				return cut(trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
					c.Server("HTTP/1.1 200 OK\r\nA: 0\r\n\r\n", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
				}), 40)
			}, or: [][]string{{"v1 GET /a 200", "unknown GET /b - snaplen"}}},
		{name: "a body that is cut", want: []string{"v1 PUT /a 200", "v1 GET /b 404"},
			packets: func() []capture.Packet {
				return cut(trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client("PUT /a HTTP/1.1\r\nContent-Length: 500\r\n\r\n" + text(500))
					c.Server(ok())
					c.Client("GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
					c.Server(answer("404 Not Found", ""))
				}), 60)
			}},
		{name: "nothing of any payload",
			packets: func() []capture.Packet {
				return cut(trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(get("/a"))
					c.Server(ok())
					c.Close()
				}), 0)
			}, or: [][]string{{"unknown - - - snaplen"}}},
		{name: "a request that was cut on one interface and not on the other", want: []string{"v1 GET /a 200"},
			packets: func() []capture.Packet {
				c := packettest.New()
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				t := c.Trace()
				return slices.Insert(t.Packets(), 3, t[3].Cut(30))
			}, or: [][]string{{"unknown GET /a 200 snaplen"}}},
	}
}

// No cut, wherever it is, proves a version that the bytes before it do not.
func TestCorpusSnaplenAnywhere(t *testing.T) {
	heads := []string{
		get("/latest/meta-data/", tokenField, "Accept-Language: en"),
		put(),
		get("/latest/meta-data/", "X-aws-ec2-metadata-tokens: no"),
		"GET / HTTP/1.0\nX-Aws-Ec2-Metadata-Token:\n\n",
	}
	for _, head := range heads {
		for keep := range len(head) {
			t.Run(fmt.Sprintf("%.12q %d", head, keep), func(t *testing.T) {
				got := found(t, nil, cut(trace(func(c *packettest.Conversation) {
					c.Open()
					c.Client(head)
					c.Server(ok())
					c.Close()
				}), keep))
				if len(got.calls) > 1 {
					t.Fatalf("one request is %q", got.lines())
				}
				for _, call := range got.calls {
					checkProof(t, head[:keep], call)
				}
				if len(got.calls) == 0 && strings.Contains(head[:keep], "\n") {
					t.Errorf("a request line was seen, and no call")
				}
			})
		}
	}
}

// checkProof holds a call to the part of its head that was captured.
func checkProof(t *testing.T, seen string, call imds.Call) {
	t.Helper()
	version := call.Request.Version()
	lower := strings.ToLower(seen)
	proven := strings.Contains(lower, "\nx-aws-ec2-metadata-token:") || strings.HasPrefix(seen, "PUT /latest/api/token HTTP/1.1\r") ||
		strings.HasPrefix(seen, "PUT") && strings.Contains(lower, "\nx-aws-ec2-metadata-token-ttl-seconds:")
	switch {
	case version == imds.V1:
		t.Errorf("a head that was cut is v1: %s", line(call))
	case version == imds.V2 && !proven && !strings.HasPrefix(seen, "PUT /latest/api/token "):
		t.Errorf("a head that was cut before the proof is v2: %s", line(call))
	case version == imds.VersionUnknown && proven:
		t.Errorf("a head that was cut after the proof is unknown: %s", line(call))
	case version == imds.VersionUnknown && call.Request.Incomplete != imds.Snaplen:
		t.Errorf("a head that was cut is not incomplete for that: %s", line(call))
	}
}
