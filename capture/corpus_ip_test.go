package capture_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// etherHeader is the length of an untagged Ethernet header in bytes.
const etherHeader = 14

func TestCorpusIP(t *testing.T) {
	var cases []corpusCase
	for _, e := range []struct {
		name       string
		extensions []packettest.Extension
	}{
		{"hop-by-hop options", []packettest.Extension{packettest.HopByHop()}},
		{"routing header", []packettest.Extension{packettest.Routing()}},
		{"destination options", []packettest.Extension{packettest.DestinationOptions()}},
		{"authentication header", []packettest.Extension{packettest.Authentication()}},
		{"atomic fragment", []packettest.Extension{packettest.FragmentHeader(9, 0, false)}}, // RFC 6946
		{"all of them in the order of RFC 8200", []packettest.Extension{packettest.HopByHop(), packettest.DestinationOptions(),
			packettest.Routing(), packettest.FragmentHeader(9, 0, false), packettest.Authentication(), packettest.DestinationOptions()}},
		{"destination options four times", []packettest.Extension{packettest.DestinationOptions(), packettest.DestinationOptions(),
			packettest.DestinationOptions(), packettest.DestinationOptions()}},
	} {
		cases = append(cases, corpusCase{name: "IPv6 " + e.name, want: oneCallLines, trace: func() packettest.Trace {
			return oneCall(packettest.New6()).Edit(func(_ int, s *packettest.Segment) { s.Extensions = e.extensions })
		}})
	}
	for _, o := range []struct {
		name    string
		options []byte
	}{
		{"router alert", []byte{148, 4, 0, 0}},
		{"no-operation and end of list", []byte{1, 0}},
		{"as many as fit", append([]byte{7, 39, 4}, make([]byte, 36)...)},
		{"a broken length", []byte{7, 255, 0, 0}},
	} {
		cases = append(cases, corpusCase{name: "IPv4 options: " + o.name, want: oneCallLines, trace: func() packettest.Trace {
			return oneCall(packettest.New()).Edit(func(_ int, s *packettest.Segment) { s.IPOptions = o.options })
		}})
	}
	runCorpus(t, append(cases, oddHeaders()...))
}

// rewritten is one call on Ethernet, each packet changed.
func rewritten(c *packettest.Conversation, change func(ip []byte)) []capture.Packet {
	packets := oneCall(c).Packets()
	for _, p := range packets {
		change(p.Data[etherHeader:])
	}
	return packets
}

func oddHeaders() []corpusCase {
	return []corpusCase{
		{name: "IPv4 total length 0, as segmentation offload leaves it", want: oneCallLines,
			packets: func() []capture.Packet {
				return rewritten(packettest.New(), func(ip []byte) {
					if len(ip) > 200 {
						ip[2], ip[3] = 0, 0
					}
				})
			}},
		{name: "checksums that offload has not filled in", want: oneCallLines,
			packets: func() []capture.Packet {
				return rewritten(packettest.New(), func(ip []byte) { ip[10], ip[11], ip[36], ip[37] = 0, 0, 0xbe, 0xef })
			}},
		{name: "IPv4 header length below 5",
			packets: func() []capture.Packet {
				return rewritten(packettest.New(), func(ip []byte) { ip[0] = 0x44 })
			}},
		{name: "IPv4 header length beyond the packet",
			packets: func() []capture.Packet {
				return rewritten(packettest.New(), func(ip []byte) {
					ip[0] = 0x4f
					binary.BigEndian.PutUint16(ip[2:], 24)
				})
			}},
		{name: "IP version 5",
			packets: func() []capture.Packet {
				return rewritten(packettest.New(), func(ip []byte) { ip[0] = 0x55 })
			}},
		{name: "TCP data offset below 5",
			packets: func() []capture.Packet {
				return rewritten(packettest.New(), func(ip []byte) { ip[32] = 0x40 })
			}},
		{name: "TCP data offset beyond the segment",
			packets: func() []capture.Packet {
				c := packettest.New()
				c.Opened()
				c.Client("GET / HTTP/1.1\r\n\r\n")
				packets := c.Packets()
				packets[0].Data[etherHeader+32] = 0xf0
				return packets
			}},
		{name: "TCP options that are no options", want: oneCallLines,
			trace: func() packettest.Trace {
				return oneCall(packettest.New()).Edit(func(_ int, s *packettest.Segment) { s.Options = []byte{8, 200, 3, 0, 255, 1, 7, 7} })
			}},
		{name: "no TCP options at all", want: oneCallLines,
			trace: func() packettest.Trace {
				return oneCall(packettest.New()).Edit(func(_ int, s *packettest.Segment) { s.Options = nil })
			}},
		{name: "ESP is opaque",
			packets: func() []capture.Packet {
				return rewritten(packettest.New6(), func(ip []byte) { ip[6] = 50 })
			}},
		{name: "IPv6 extension headers that never end",
			packets: func() []capture.Packet {
				return rewritten(packettest.New6(), func(ip []byte) {
					ip[6] = 0
					for i := 40; i+8 <= len(ip); i += 8 {
						copy(ip[i:], []byte{60, 0, 1, 4, 0, 0, 0, 0})
					}
				})
			}},
	}
}

// fragmented is one call in which the request's packet is cut into the pieces
// that cut returns, each captured after the other.
func fragmented(c *packettest.Conversation, cut func(ip []byte) [][]byte) func() []capture.Packet {
	return func() []capture.Packet {
		trace := oneCall(c)
		at := trace.Data(true)[0]
		var packets []capture.Packet
		for i, s := range trace {
			pieces := [][]byte{s.IP()}
			if i == at {
				pieces = cut(s.IP())
			}
			for _, piece := range pieces {
				packets = append(packets, s.Wrap(piece))
			}
		}
		return packets
	}
}

// RFC 791, section 3.2 and RFC 8200, section 4.5.
func TestCorpusFragments(t *testing.T) {
	const end = 1 << 20
	four := func(bounds ...int) func([]byte) [][]byte {
		return func(ip []byte) (pieces [][]byte) {
			for i := 0; i < len(bounds); i += 2 {
				pieces = append(pieces, packettest.Fragment4(ip, bounds[i], bounds[i+1]))
			}
			return pieces
		}
	}
	six := func(bounds ...int) func([]byte) [][]byte {
		return func(ip []byte) (pieces [][]byte) {
			for i := 0; i < len(bounds); i += 2 {
				pieces = append(pieces, packettest.Fragment6(ip, 77, bounds[i], bounds[i+1]))
			}
			return pieces
		}
	}
	besideUDP := func(ip []byte) [][]byte {
		pieces := four(0, 64, 64, end)(ip)
		other := slices.Clone(pieces[0])
		other[9] = packettest.ProtocolUDP
		return append([][]byte{other}, pieces...)
	}
	var cases []corpusCase
	for _, f := range []struct {
		name   string
		bounds []int
	}{
		{"two in order", []int{0, 64, 64, end}},
		{"two reversed", []int{64, end, 0, 64}},
		{"three in order", []int{0, 48, 48, 96, 96, end}},
		{"three reversed", []int{96, end, 48, 96, 0, 48}},
		{"three, the middle last", []int{0, 48, 96, end, 48, 96}},
		{"the first holds nothing but ports and sequence number", []int{0, 8, 8, end}},
		{"eight bytes each at first", []int{0, 8, 8, 16, 16, 24, 24, 32, 32, 40, 40, end}},
		{"one of them twice", []int{0, 48, 48, 96, 48, 96, 96, end}},
		{"all of them twice", []int{0, 48, 48, end, 0, 48, 48, end}},
	} {
		cases = append(cases,
			corpusCase{name: "IPv4, " + f.name, want: oneCallLines, packets: fragmented(packettest.New(), four(f.bounds...))},
			corpusCase{name: "IPv6, " + f.name, want: oneCallLines, packets: fragmented(packettest.New6(), six(f.bounds...))})
	}
	cases = append(cases,
		corpusCase{name: "IPv4, overlapping", want: nil, // the receiver drops the datagram
			packets: fragmented(packettest.New(), four(0, 64, 48, 96, 80, end))},
		corpusCase{name: "IPv4, overlapping and reversed", want: nil,
			packets: fragmented(packettest.New(), four(80, end, 48, 96, 0, 64))},
		corpusCase{name: "IPv4, the last is never captured", plain: true,
			// The first has the request line, and IP holds the datagram back
			// until the last is there: both readings are careful.
			packets: fragmented(packettest.New(), four(0, 96)),
			want:    nil, or: [][]string{{"unknown GET /latest/meta-data/ 200 lost_segment"}, {"unknown - - 200 lost_segment"}}},
		corpusCase{name: "IPv4, the first is never captured",
			packets: fragmented(packettest.New(), four(48, end)),
			want:    nil, or: [][]string{{"unknown - - 200 lost_segment"}}},
		corpusCase{name: "IPv4, two datagrams' fragments interleaved",
			packets: twoFragmented, want: []string{
				"10.0.0.8:40001 v1 GET /a 200", "10.0.0.9:40001 v2 GET /b 200"}},
		corpusCase{name: "IPv4, beside one of UDP with the same ID", want: oneCallLines,
			packets: fragmented(packettest.New(), besideUDP)},
		corpusCase{name: "IPv4, every packet with payload in two", want: oneCallLines, packets: everyFragmented},
		corpusCase{name: "IPv4, a fragment that is far beyond the largest datagram",
			packets: func() []capture.Packet {
				trace := oneCall(packettest.New())
				s := trace[trace.Data(true)[0]]
				h := packettest.IPv4{Src: s.Src, Dst: s.Dst, Protocol: packettest.ProtocolTCP, TTL: 64, ID: 1, Offset: 65528}
				return []capture.Packet{s.Wrap(h.Bytes([]byte(get("/evil"))))}
			}},
	)
	runCorpus(t, cases)
}

// twoFragmented are two clients whose requests' fragments have the same ID.
func twoFragmented() []capture.Packet {
	a, b := packettest.From("10.0.0.8:40001"), packettest.From("10.0.0.9:40001")
	for _, c := range []*packettest.Conversation{a, b} {
		c.Open()
	}
	a.Client(get("/a"))
	b.Client(get("/b", tokenField))
	a.Server(ok())
	b.Server(ok())
	var packets []capture.Packet
	trace := packettest.Merge(a.Trace(), b.Trace())
	requests := trace.Data(true)
	for i, s := range trace {
		switch i {
		case requests[0]:
		case requests[1]:
			first, second := trace[requests[0]], s
			second.ID = first.ID
			packets = append(packets,
				first.Wrap(packettest.Fragment4(first.IP(), 0, 48)), second.Wrap(packettest.Fragment4(second.IP(), 48, 1<<20)),
				first.Wrap(packettest.Fragment4(first.IP(), 48, 1<<20)), second.Wrap(packettest.Fragment4(second.IP(), 0, 48)))
		default:
			packets = append(packets, s.Packet())
		}
	}
	return packets
}

func everyFragmented() []capture.Packet {
	var packets []capture.Packet
	for _, s := range oneCall(packettest.New()) {
		if len(s.Payload) == 0 {
			packets = append(packets, s.Packet())
			continue
		}
		packets = append(packets, s.Wrap(packettest.Fragment4(s.IP(), 56, 1<<20)), s.Wrap(packettest.Fragment4(s.IP(), 0, 56)))
	}
	return packets
}
