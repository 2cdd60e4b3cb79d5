package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// Heads of which the end was never sent.
func TestCorpusPartialHeads(t *testing.T) {
	partial := "GET /latest/meta-data/ HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Ag"
	partialToken := "GET /latest/meta-data/ HTTP/1.1\r\n" + tokenField + "\r\nUser-Ag"
	ends := []struct {
		name, reason string
		end          talk
	}{
		{"capture ends", "capture_end", func(*packettest.Conversation) {}},
		{"client closes", "connection_closed", func(c *packettest.Conversation) { c.Close() }},
		{"service closes", "connection_closed", func(c *packettest.Conversation) { c.CloseByServer() }},
		{"client resets", "connection_closed", func(c *packettest.Conversation) { c.Reset(fromClient) }},
		{"service resets", "connection_closed", func(c *packettest.Conversation) { c.Reset(fromServer) }},
	}
	var cases []corpusCase
	for _, e := range ends {
		unknown := "unknown GET /latest/meta-data/ - " + e.reason
		proven := "v2 GET /latest/meta-data/ -"
		if e.name == "service resets" {
			unknown = "unknown GET /latest/meta-data/ - reset " + e.reason
			proven += " reset"
		}
		cases = append(cases,
			corpusCase{name: "no token yet, " + e.name, want: []string{unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(partial)
				e.end(c)
			}},
			corpusCase{name: "only the request line, " + e.name, want: []string{unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client("GET /latest/meta-data/ HTTP/1.1\r\n")
				e.end(c)
			}},
			corpusCase{name: "all but the last line feed, " + e.name, want: []string{unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				h := get("/latest/meta-data/")
				c.Client(h[:len(h)-1])
				e.end(c)
			}},
			corpusCase{name: "all but the blank line, " + e.name, want: []string{unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				h := get("/latest/meta-data/")
				c.Client(h[:len(h)-2])
				e.end(c)
			}},
			corpusCase{name: "token seen, " + e.name, want: []string{proven}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(partialToken)
				e.end(c)
			}},
			corpusCase{name: "the name of the token field is cut, " + e.name, want: []string{unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client("GET /latest/meta-data/ HTTP/1.1\r\nX-aws-ec2-metadata-tok")
				e.end(c)
			}},
			corpusCase{name: "the name of the token field ends there, " + e.name, want: []string{unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client("GET /latest/meta-data/ HTTP/1.1\r\nX-aws-ec2-metadata-token")
				e.end(c)
			}},
			corpusCase{name: "after a whole call, " + e.name, want: []string{"v1 GET /a 200", unknown}, talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				c.Client(partial)
				e.end(c)
			}})
	}
	cases = append(cases,
		corpusCase{name: "a token request of which only the request line came", want: []string{"v2 PUT /latest/api/token - token"},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client("PUT /latest/api/token HTTP/1.1\r\nHost: 1")
				c.Close()
			}},
		corpusCase{name: "the service gives up waiting for the rest", want: []string{"unknown GET /latest/meta-data/ 408 connection_closed"},
			or: [][]string{{"unknown GET /latest/meta-data/ - connection_closed"}},
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Client(partial)
				c.Wait(20 * time.Second)
				c.Server(message("HTTP/1.1 408 Request Timeout", "Connection: close"))
				c.CloseByServer()
			}},
		corpusCase{name: "the service gives up waiting for anything",
			talk: func(c *packettest.Conversation) {
				c.Open()
				c.Wait(20 * time.Second)
				c.Server(message("HTTP/1.1 408 Request Timeout", "Connection: close"))
				c.CloseByServer()
			}})
	runCorpus(t, cases)
}
