package capture_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// A packet that the snaplen has cut before it tells where it goes may hold a request. With
// its addresses it is known, and one that is not cut is nobody's.
func TestCorpusShortPackets(t *testing.T) {
	const ethernet, ipv4, ipv6 = 14, 20, 40
	for _, tt := range []struct {
		name    string
		client  *packettest.Conversation
		service string // in the place of its own
		header  int
	}{
		{"IPv4", packettest.New(), "", ipv4},
		{"IPv6", packettest.New6(), "", ipv6},
		{"IPv4, of others", packettest.New(), "10.0.0.2:80", ipv4},
		{"IPv6, of others", packettest.New6(), "[2001:db8::2]:80", ipv6},
	} {
		if tt.service != "" {
			tt.client.ServiceAddr = netip.MustParseAddrPort(tt.service)
		}
		tt.client.Client(get("/a"))
		p := tt.client.Packets()[0]
		for size := 0; size <= ethernet+tt.header; size++ {
			cut, whole := p, p
			cut.Data, whole.Data, whole.Length = p.Data[:size], p.Data[:size], size
			want := uint64(1)
			if size == ethernet+tt.header && tt.service != "" {
				want = 0
			}
			if got := cutRequests(t, cut); got != want {
				t.Errorf("%s, %d bytes: %d requests were cut, want %d", tt.name, size, got, want)
			}
			if _, live := limited(capture.OfflineLimits(), []capture.Packet{whole}); live.RequestsCut != 0 && size < ethernet+tt.header {
				t.Errorf("%s, %d bytes on the wire: %d requests were cut, without a sieve", tt.name, size, live.RequestsCut)
			}
			if got := cutRequests(t, whole); got != 0 && size < ethernet+tt.header { // else its header tells of more
				t.Errorf("%s, %d bytes on the wire: %d requests were cut", tt.name, size, got)
			}
		}
	}
}

// A link-layer header that is cut hides what follows it, whichever it is; one that says that no
// IP header follows hides nothing.
func TestCorpusShortLinks(t *testing.T) {
	links := []packettest.Link{
		packettest.Ethernet(packettest.Tag{EtherType: 0x8100, ID: 5}), packettest.SNAP(), packettest.SLL(4), packettest.SLLTagged(4, 5),
		packettest.SLL2(1, 4), packettest.SLL2SNAP(), packettest.Raw(capture.LinkRaw), packettest.Loop(24),
		packettest.NFLOG(binary.LittleEndian),
	}
	for i, link := range links {
		c := packettest.New()
		c.Link = link
		c.Client(get("/a"))
		p := c.Packets()[0]
		header := bytes.Index(p.Data, c.Trace()[0].IP())
		for size := range header + 20 {
			cut := p
			cut.Data = p.Data[:size]
			if got := cutRequests(t, cut); got != 1 {
				t.Errorf("link %d, %d bytes: %d requests were cut", i, size, got)
			}
		}
	}
	arp := packettest.Ethernet().Packet(make([]byte, 28), packettest.Start)
	binary.BigEndian.PutUint16(arp.Data[12:], 0x0806)
	for size := 14; size < len(arp.Data); size++ {
		cut := arp
		cut.Data = arp.Data[:size]
		if got := cutRequests(t, cut); got != 0 {
			t.Errorf("ARP, %d bytes: %d requests were cut", size, got)
		}
	}
}

// cutRequests reads the packet in a file, behind one that has nothing to do with it and the
// same time.
func cutRequests(t *testing.T, p capture.Packet) uint64 {
	t.Helper()
	var file bytes.Buffer
	w, err := capture.NewPcapngWriter(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	first := capture.Packet{Data: make([]byte, 60), Length: 60, Time: p.Time, LinkType: p.LinkType}
	for _, packet := range []capture.Packet{first, p} {
		if err := w.WritePacket(packet); err != nil {
			t.Fatal(err)
		}
	}
	source := packettest.Read(&file, capture.NewSieve(imds.DefaultEndpoints()))
	var packets []capture.Packet
	for read, err := source.Next(); err == nil; read, err = source.Next() {
		packets = append(packets, *read)
		packets[len(packets)-1].Data = bytes.Clone(read.Data)
	}
	_, stats := limited(capture.OfflineLimits(), packets)
	return stats.RequestsCut
}
