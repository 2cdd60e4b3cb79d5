package packettest

import (
	"net/netip"
	"time"

	"imds-analyzer/capture"
)

// Segment is a TCP segment at the place and time at which it was captured.
type Segment struct {
	TCP
	Src, Dst netip.Addr
	Time     time.Time
	// TTL is the IPv4 TTL or the IPv6 hop limit.
	TTL uint8
	// ID and IPOptions are IPv4's, Extensions are IPv6's.
	ID         uint16
	IPOptions  []byte
	Extensions []Extension
	// Link, InterfaceID, Interface and Network are where it was captured.
	Link        Link
	InterfaceID int
	Interface   string
	Network     string
	// FromClient is true on the way to the service.
	FromClient bool
}

// IP returns the segment in its IP packet.
func (s Segment) IP() []byte {
	payload := s.TCP.Bytes(s.Src, s.Dst)
	if s.Src.Is4() {
		h := IPv4{Src: s.Src, Dst: s.Dst, Protocol: ProtocolTCP, TTL: s.TTL, ID: s.ID, Options: s.IPOptions}
		return h.Bytes(payload)
	}
	h := IPv6{Src: s.Src, Dst: s.Dst, Protocol: ProtocolTCP, HopLimit: s.TTL, Extensions: s.Extensions}
	return h.Bytes(payload)
}

// Packet returns the segment as captured.
func (s Segment) Packet() capture.Packet {
	return s.Wrap(s.IP())
}

// Wrap returns an IP packet as captured where and when the segment was.
func (s Segment) Wrap(ip []byte) capture.Packet {
	p := s.Link.Packet(ip, s.Time)
	p.InterfaceID, p.Interface, p.Network = s.InterfaceID, s.Interface, s.Network
	return p
}

// Cut returns the segment as a capture with a snaplen keeps it: with no more
// than payload bytes of its payload.
func (s Segment) Cut(payload int) capture.Packet {
	p := s.Packet()
	if extra := len(s.Payload) - payload; extra > 0 {
		p.Data = p.Data[:len(p.Data)-extra]
	}
	return p
}

// Split returns the segment in pieces, cut before the payload's bytes at
// which at points, in rising order.
func (s Segment) Split(at ...int) Trace {
	var pieces Trace
	from := 0
	for _, to := range append(at[:len(at):len(at)], len(s.Payload)) {
		piece := s
		piece.Seq += uint32(from)
		piece.Payload = s.Payload[from:to]
		if to < len(s.Payload) {
			piece.Flags &^= FIN | PSH
		}
		if from > 0 {
			piece.Flags &^= SYN
		}
		pieces = append(pieces, piece)
		from = to
	}
	return pieces
}
