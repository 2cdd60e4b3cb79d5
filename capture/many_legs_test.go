package capture_test

import (
	"fmt"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// A file can say of one packet that it came by in any number of network namespaces. Of all of
// them it is one connection, of which so many places are remembered: each of them was looked
// through for each that came.
func TestConnectionInManyNetworks(t *testing.T) {
	tests := []struct {
		name     string
		networks int
		ignored  uint64 // of the SYN, its answer, the request and its answer in each
	}{
		{"as many as a host has", 16, 0},
		{"as many as are remembered", 64, 0},
		{"more", 100, 4 * (100 - 64)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			one := packettest.New()
			one.Open()
			one.Client("GET /latest/meta-data/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
			one.Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			var found collector
			a := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &found)
			for _, p := range one.Packets() {
				for i := range test.networks {
					p.Network = fmt.Sprintf("net:[%d]", 4026532001+i)
					a.Packet(&p)
				}
			}
			a.Flush()
			s := a.Stats()
			if len(found.calls) != 1 || s.Connections != 1 || s.SegmentsIgnored != test.ignored {
				t.Errorf("%d calls of %d connections, and %d segments were ignored, want %d", len(found.calls), s.Connections, s.SegmentsIgnored, test.ignored)
			}
		})
	}
}
