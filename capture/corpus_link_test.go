package capture_test

import (
	"encoding/binary"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// oneCall is a whole connection with a call, and its truth.
func oneCall(c *packettest.Conversation) packettest.Trace {
	c.Open()
	c.Client(get("/latest/meta-data/"))
	c.Server(ok())
	c.Close()
	return c.Trace()
}

var oneCallLines = []string{"v1 GET /latest/meta-data/ 200"}

func TestCorpusLink(t *testing.T) {
	tag := func(etherType, id uint16) packettest.Tag { return packettest.Tag{EtherType: etherType, ID: id} }
	little, big := binary.LittleEndian, binary.BigEndian
	links := []struct {
		name string
		link packettest.Link
	}{
		{"Ethernet", packettest.Ethernet()},
		{"802.1Q", packettest.Ethernet(tag(packettest.EtherTypeVLAN, 100))},
		{"802.1Q with priority", packettest.Ethernet(tag(packettest.EtherTypeVLAN, 0xe000|100))},
		{"802.1Q priority tag of VLAN 0", packettest.Ethernet(tag(packettest.EtherTypeVLAN, 0))},
		{"QinQ by 802.1ad", packettest.Ethernet(tag(packettest.EtherTypeQinQ, 5), tag(packettest.EtherTypeVLAN, 100))},
		{"QinQ by 802.1Q twice", packettest.Ethernet(tag(packettest.EtherTypeVLAN, 5), tag(packettest.EtherTypeVLAN, 100))},
		{"QinQ by the old 0x9100", packettest.Ethernet(tag(0x9100, 5), tag(packettest.EtherTypeVLAN, 100))},
		{"802.3 with SNAP", packettest.SNAP()},
		{"802.3 with SNAP and a tag", packettest.SNAP(tag(packettest.EtherTypeVLAN, 100))},
		{"cooked v2 with SNAP", packettest.SLL2SNAP()},
		{"cooked, to us", packettest.SLL(packettest.CookedToUs)},
		{"cooked, outgoing", packettest.SLL(packettest.CookedOutgoing)},
		{"cooked with a VLAN tag", packettest.SLLTagged(packettest.CookedToUs, 100)},
		{"cooked v2", packettest.SLL2(2, packettest.CookedToUs)},
		{"cooked v2, outgoing", packettest.SLL2(3, packettest.CookedOutgoing)},
		{"cooked v2 with a VLAN tag", tagged(packettest.SLL2(2, packettest.CookedToUs), capture.LinkLinuxSLL2, 100)},
		{"raw", packettest.Raw(capture.LinkRaw)},
		{"raw as BSD numbers it", packettest.Raw(capture.LinkRawBSD)},
		{"raw as OpenBSD numbers it", packettest.Raw(capture.LinkRawOpen)},
		{"null, little-endian, FreeBSD", packettest.Null(little, 28)},
		{"null, big-endian, FreeBSD", packettest.Null(big, 28)},
		{"null, little-endian, macOS", packettest.Null(little, 30)},
		{"null, little-endian, NetBSD", packettest.Null(little, 24)},
		{"null, big-endian, NetBSD", packettest.Null(big, 24)},
		{"null, little-endian, Linux", packettest.Null(little, 10)},
		{"loop", packettest.Loop(24)},
		{"nflog, little-endian", packettest.NFLOG(little)},
		{"nflog, big-endian", packettest.NFLOG(big)},
	}
	var cases []corpusCase
	for _, l := range links {
		cases = append(cases,
			corpusCase{name: l.name + ", IPv4", want: oneCallLines,
				trace: func() packettest.Trace { return oneCall(packettest.New()).On(l.link) }},
			corpusCase{name: l.name + ", IPv6", want: oneCallLines,
				trace: func() packettest.Trace { return oneCall(packettest.New6()).On(l.link) }})
	}
	runCorpus(t, append(cases, oddLinks()...))
}

// tagged is a cooked link whose protocol field names a VLAN tag that follows.
func tagged(link packettest.Link, linkType capture.LinkType, vlan uint16) packettest.Link {
	return packettest.Link{Type: linkType, Header: func(etherType uint16) []byte {
		b := binary.BigEndian.AppendUint16(link.Header(packettest.EtherTypeVLAN), vlan)
		return binary.BigEndian.AppendUint16(b, etherType)
	}}
}

func oddLinks() []corpusCase {
	loopback := func(packetType uint8) packettest.Link {
		return packettest.Link{Type: capture.LinkLinuxSLL, Header: func(etherType uint16) []byte {
			b := packettest.SLL(packetType).Header(etherType)
			binary.BigEndian.PutUint16(b[2:], 772)
			return b
		}}
	}
	return []corpusCase{
		{name: "the type only for IPv4", want: oneCallLines,
			trace: func() packettest.Trace { return oneCall(packettest.New()).On(packettest.Raw(capture.LinkIPv4)) }},
		{name: "the type only for IPv6", want: oneCallLines,
			trace: func() packettest.Trace { return oneCall(packettest.New6()).On(packettest.Raw(capture.LinkIPv6)) }},
		{name: "cooked loopback sees each packet going out and coming in", plain: true, want: oneCallLines,
			trace: func() packettest.Trace {
				twice := oneCall(packettest.New()).Twice()
				return twice.Edit(func(i int, s *packettest.Segment) { s.Link = loopback(uint8(4 - i%2*4)) })
			}},
		{name: "different link types in one capture", want: oneCallLines,
			trace: func() packettest.Trace {
				return oneCall(packettest.New()).Edit(func(i int, s *packettest.Segment) {
					if !s.FromClient {
						s.Link, s.InterfaceID = packettest.SLL2(3, 0), 1
					}
				})
			}},
		{name: "Ethernet padding of short frames is no payload", want: oneCallLines,
			packets: func() []capture.Packet { return padded(oneCall(packettest.New()), 60) }},
		{name: "a frame check sequence is no payload", want: oneCallLines,
			packets: func() []capture.Packet {
				packets := oneCall(packettest.New()).Packets()
				for i := range packets {
					packets[i].Data = append(packets[i].Data, 0xde, 0xad, 0xbe, 0xef)
					packets[i].Length += 4
				}
				return packets
			}},
		{name: "other ethertypes between", want: oneCallLines,
			packets: func() []capture.Packet {
				packets := oneCall(packettest.New()).Packets()
				var mixed []capture.Packet
				for _, p := range packets {
					other := p
					other.Data = append([]byte(nil), p.Data...)
					binary.BigEndian.PutUint16(other.Data[12:], packettest.EtherTypeARP)
					mixed = append(mixed, other, p)
				}
				return mixed
			}},
		{name: "an 802.3 length in place of an ethertype",
			packets: func() []capture.Packet {
				packets := oneCall(packettest.New()).Packets()
				for i := range packets {
					binary.BigEndian.PutUint16(packets[i].Data[12:], uint16(len(packets[i].Data)-14))
				}
				return packets
			}},
		{name: "a link type that is not known",
			packets: func() []capture.Packet { return oneCall(packettest.New()).On(packettest.Raw(147)).Packets() }},
	}
}

// padded fills frames up with zeros to the least size that Ethernet allows.
func padded(trace packettest.Trace, size int) []capture.Packet {
	packets := trace.Packets()
	for i, p := range packets {
		for len(p.Data) < size {
			p.Data = append(p.Data, 0)
		}
		p.Length = len(p.Data)
		packets[i] = p
	}
	return packets
}

// A packet that ends anywhere in its headers is passed over.
func TestCorpusLinkCutAnywhere(t *testing.T) {
	links := []packettest.Link{
		packettest.Ethernet(), packettest.Ethernet(packettest.Tag{EtherType: packettest.EtherTypeVLAN, ID: 1}),
		packettest.SNAP(), packettest.SLL(0), packettest.SLL2(1, 0), packettest.Raw(capture.LinkRaw), packettest.Loop(24),
		packettest.Null(binary.LittleEndian, 30), packettest.NFLOG(binary.LittleEndian), packettest.NFLOG(binary.BigEndian),
	}
	for _, link := range links {
		for _, conversation := range []*packettest.Conversation{packettest.New(), packettest.New6()} {
			trace := oneCall(conversation).On(link)
			request := trace[trace.Data(true)[0]]
			headers := len(request.Packet().Data) - len(request.Payload)
			for cut := range headers {
				p := request.Packet()
				p.Data = p.Data[:cut]
				if got := found(t, nil, []capture.Packet{p}); len(got.calls) > 0 {
					t.Errorf("link type %d cut after %d bytes: %q", link.Type, cut, got.lines())
				}
			}
		}
	}
}
