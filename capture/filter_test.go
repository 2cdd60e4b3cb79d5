//go:build cgo && !windows

package capture_test

import (
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// The kernel hands over what can tell something of a call, and little else.
func TestFilter(t *testing.T) {
	filter, err := pcap.NewBPF(layers.LinkTypeEthernet, 65535, capture.Filter(imds.DefaultEndpoints()))
	if err != nil {
		t.Fatal(err)
	}
	down := func(c *packettest.Conversation) []byte {
		notComing(c)
		return c.Trace()[len(c.Trace())-1].IP()
	}
	answer4, answer6 := down(packettest.New()), down(packettest.New6())
	host, host6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00:1::1")
	other := netip.MustParseAddr("10.9.9.9")
	for _, tt := range []struct {
		name string
		ip   []byte
		want bool
	}{
		{"a segment", answer4, true},
		{"a segment over IPv6", answer6, true},
		{"a later fragment", packettest.Fragment4(answer4, 24, 48), true},
		{"time exceeded", packettest.ICMP(host, packettest.Service.Addr(), packettest.ICMPTimeExceeded, answer4), true},
		{"time exceeded over IPv6", packettest.ICMPv6(host6, packettest.Service6.Addr(), packettest.ICMPv6TimeExceeded, answer6), true},
		{"other ICMP", packettest.ICMP(host, packettest.Service.Addr(), packettest.ICMPUnreachable, answer4), false},
		{"time exceeded of others", packettest.ICMP(host, other, packettest.ICMPTimeExceeded, answer4), false},
		{"UDP", packettest.UDP(packettest.Client, packettest.Service, "x"), false},
	} {
		data := packettest.Ethernet().Packet(tt.ip, packettest.Start).Data
		if got := filter.Matches(gopacket.CaptureInfo{CaptureLength: len(data), Length: len(data)}, data); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
