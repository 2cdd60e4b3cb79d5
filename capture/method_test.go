package capture_test

import (
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// What stands where a method should be may be the rest of a body, or of a target with blanks.
func TestCorpusMethods(t *testing.T) {
	for sent, want := range map[string]string{
		"GET": "GET", "get": "get", "PROPFIND": "PROPFIND", "PROPPATCH": "PROPPATCH", "ORDERPATCH": "ORDERPATCH", "VERSION-CONTROL": "VERSION-CONTROL",
		"hunter2GET": "GET", "hunter2PUT": "PUT", "hunter2": "REDACTED", "hunter2get": "REDACTED", "Hunter": "REDACTED",
	} {
		c := packettest.New()
		c.Open()
		c.Client(sent + " /a HTTP/1.1\r\nHost: h\r\n\r\n")
		c.Server(ok())
		for _, packets := range [][]capture.Packet{c.Packets(), packetsIn(savedOf(c.Packets()))} {
			got := found(t, nil, packets)
			if len(got.calls) != 1 || got.calls[0].Request.Method != want || got.calls[0].Request.Target != "/a" {
				t.Errorf("of %s there is told %q", sent, got.lines())
			}
		}
	}
}
