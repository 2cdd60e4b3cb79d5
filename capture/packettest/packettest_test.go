package packettest_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// talk is a whole connection with a call.
func talk(c *packettest.Conversation) packettest.Trace {
	c.Open()
	c.Client("GET / HTTP/1.1\r\n\r\n")
	c.Server("HTTP/1.1 204 No Content\r\n\r\n")
	c.Close()
	return c.Trace()
}

// decode reads a packet with gopacket, which must understand all of it.
func decode(t *testing.T, p capture.Packet, first gopacket.Decoder) gopacket.Packet {
	t.Helper()
	decoded := gopacket.NewPacket(p.Data, first, gopacket.Default)
	if failed := decoded.ErrorLayer(); failed != nil {
		t.Fatal(failed.Error())
	}
	return decoded
}

// A decoder by others reads what was meant.
func TestSegments(t *testing.T) {
	for _, c := range []*packettest.Conversation{packettest.New(), packettest.New6()} {
		for i, s := range talk(c) {
			decoded := decode(t, s.Packet(), layers.LayerTypeEthernet)
			tcp, ok := decoded.Layer(layers.LayerTypeTCP).(*layers.TCP)
			if !ok {
				t.Fatalf("segment %d: no TCP", i)
			}
			if tcp.Seq != s.Seq || tcp.Ack != s.Ack || uint16(tcp.SrcPort) != s.SrcPort || uint16(tcp.DstPort) != s.DstPort ||
				tcp.Window != s.Window || string(tcp.Payload) != string(s.Payload) {
				t.Errorf("segment %d: got %+v, want %+v", i, tcp, s.TCP)
			}
			if tcp.SYN != (s.Flags&packettest.SYN != 0) || tcp.ACK != (s.Flags&packettest.ACK != 0) || tcp.FIN != (s.Flags&packettest.FIN != 0) {
				t.Errorf("segment %d: flags %+v, want %b", i, tcp, s.Flags)
			}
			if tcp.SYN && len(tcp.Options) < 4 {
				t.Errorf("segment %d: options %v", i, tcp.Options)
			}
			checkChecksum(t, decoded, tcp)
		}
	}
}

func checkChecksum(t *testing.T, decoded gopacket.Packet, tcp *layers.TCP) {
	t.Helper()
	if err := tcp.SetNetworkLayerForChecksum(decoded.NetworkLayer()); err != nil {
		t.Fatal(err)
	}
	if sum, err := tcp.ComputeChecksum(); err != nil || sum != 0 {
		t.Errorf("checksum off by %#x, %v", sum, err)
	}
}

func TestAcknowledgements(t *testing.T) {
	trace := talk(packettest.New())
	var client, server uint32
	for i, s := range trace {
		mine, other := &client, server
		if !s.FromClient {
			mine, other = &server, client
		}
		if s.Flags&packettest.ACK != 0 && s.Ack != other {
			t.Errorf("segment %d acknowledges %d, want %d", i, s.Ack, other)
		}
		if i >= 2 && s.Seq != *mine {
			t.Errorf("segment %d starts at %d, want %d", i, s.Seq, *mine)
		}
		*mine = s.Seq + uint32(len(s.Payload))
		if s.Flags&(packettest.SYN|packettest.FIN) != 0 {
			*mine++
		}
	}
}

func TestLinks(t *testing.T) {
	vlan := packettest.Tag{EtherType: packettest.EtherTypeVLAN, ID: 7}
	for name, l := range map[string]struct {
		link  packettest.Link
		first gopacket.Decoder
	}{
		"Ethernet": {packettest.Ethernet(), layers.LayerTypeEthernet},
		"802.1Q":   {packettest.Ethernet(vlan), layers.LayerTypeEthernet},
		"QinQ":     {packettest.Ethernet(packettest.Tag{EtherType: packettest.EtherTypeQinQ, ID: 1}, vlan), layers.LayerTypeEthernet},
		"cooked":   {packettest.SLL(0), layers.LayerTypeLinuxSLL},
		"raw":      {packettest.Raw(capture.LinkRaw), layers.LayerTypeIPv4},
		"null":     {packettest.Null(binary.LittleEndian, 30), layers.LayerTypeLoopback},
		"loop":     {packettest.Loop(24), layers.LayerTypeLoopback},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range talk(packettest.New()).On(l.link) {
				if decode(t, s.Packet(), l.first).Layer(layers.LayerTypeTCP) == nil {
					t.Error("no TCP")
				}
			}
		})
	}
}

func TestExtensions(t *testing.T) {
	// gopacket knows no routing headers of newer types.
	all := []packettest.Extension{packettest.HopByHop(), packettest.DestinationOptions(), packettest.Authentication()}
	for _, s := range talk(packettest.New6()) {
		s.Extensions = all
		decoded := gopacket.NewPacket(s.Packet().Data, layers.LayerTypeEthernet, gopacket.Default)
		if tcp, ok := decoded.Layer(layers.LayerTypeTCP).(*layers.TCP); !ok || tcp.Seq != s.Seq {
			t.Errorf("got %v", decoded)
		}
	}
}

func TestFragments(t *testing.T) {
	four, six := talk(packettest.New()), talk(packettest.New6())
	whole4, whole6 := four[3].IP(), six[3].IP()
	const at = 24
	pieces4 := append(packettest.Fragment4(whole4, 0, at)[20:], packettest.Fragment4(whole4, at, 1<<16)[20:]...)
	if string(pieces4) != string(whole4[20:]) {
		t.Error("the IPv4 fragments are not the packet")
	}
	const headers = 40 + 8
	pieces6 := append(packettest.Fragment6(whole6, 1, 0, at)[headers:], packettest.Fragment6(whole6, 1, at, 1<<16)[headers:]...)
	if string(pieces6) != string(whole6[40:]) {
		t.Error("the IPv6 fragments are not the packet")
	}
}

func TestSplit(t *testing.T) {
	trace := talk(packettest.New())
	request := trace[trace.Data(true)[0]]
	var text string
	next := request.Seq
	for _, piece := range request.Split(3, 9) {
		if piece.Seq != next {
			t.Errorf("a piece starts at %d, want %d", piece.Seq, next)
		}
		next += uint32(len(piece.Payload))
		text += string(piece.Payload)
	}
	if text != string(request.Payload) {
		t.Errorf("got %q", text)
	}
}

func TestTraces(t *testing.T) {
	trace := talk(packettest.New())
	for name, changed := range map[string]packettest.Trace{
		"permuted": trace.Permute([]int{1, 2, 3}, []int{2, 1, 0}),
		"moved":    trace.Move(5, 1),
		"repeated": trace.Repeat(3, len(trace)),
		"twice":    trace.Twice(),
		"dropped":  trace.Drop(2, 3),
		"routed":   trace.Through(packettest.ContainerHops(packettest.Client6)[:2]...),
	} {
		var last time.Time
		for i, s := range changed {
			if s.Time.Before(last) {
				t.Errorf("%s: time runs back at segment %d", name, i)
			}
			last = s.Time
		}
	}
	if got := len(trace.Twice()); got != 2*len(trace) {
		t.Errorf("twice: %d segments of %d", got, len(trace))
	}
	if moved := trace.Move(5, 1); moved[1].Seq != trace[5].Seq || moved[2].Seq != trace[1].Seq {
		t.Error("moved to another place")
	}
}

func TestCut(t *testing.T) {
	trace := talk(packettest.New())
	request := trace[trace.Data(true)[0]]
	p := request.Cut(5)
	if p.Length-len(p.Data) != len(request.Payload)-5 {
		t.Errorf("%d of %d bytes are left", len(p.Data), p.Length)
	}
}
