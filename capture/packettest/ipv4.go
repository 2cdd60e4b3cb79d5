package packettest

import (
	"encoding/binary"
	"net/netip"
)

// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
const (
	ProtocolICMP   = 1
	ProtocolTCP    = 6
	ProtocolUDP    = 17
	ProtocolICMPv6 = 58
)

// IPv4 is a header (RFC 791, section 3.1).
type IPv4 struct {
	Src, Dst netip.Addr
	Protocol uint8
	TTL      uint8
	ID       uint16
	// Options are padded to a multiple of four bytes with end-of-list.
	Options []byte
	// Offset is the fragment's place in its datagram in bytes, a multiple of
	// eight; More says that fragments follow.
	Offset int
	More   bool
}

const (
	ipv4Header   = 20
	dontFragment = 0x4000
	moreFragment = 0x2000
)

// Bytes returns the packet with its header's checksum.
func (h IPv4) Bytes(payload []byte) []byte {
	options := pad(h.Options, 4)
	size := ipv4Header + len(options)
	b := make([]byte, ipv4Header, size+len(payload))
	b[0] = 0x40 | byte(size/4)
	binary.BigEndian.PutUint16(b[2:], uint16(size+len(payload)))
	binary.BigEndian.PutUint16(b[4:], h.ID)
	binary.BigEndian.PutUint16(b[6:], h.fragmentField())
	b[8], b[9] = h.TTL, h.Protocol
	copy(b[12:], h.Src.AsSlice())
	copy(b[16:], h.Dst.AsSlice())
	b = append(b, options...)
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	return append(b, payload...)
}

func (h IPv4) fragmentField() uint16 {
	switch {
	case h.More:
		return moreFragment | uint16(h.Offset/8)
	case h.Offset > 0:
		return uint16(h.Offset / 8)
	}
	return dontFragment
}

// Fragment4 returns the piece of an IPv4 packet whose payload is the bytes
// from from up to to, both multiples of eight unless to is the packet's end.
func Fragment4(packet []byte, from, to int) []byte {
	size := int(packet[0]&0xf) * 4
	payload := packet[size:]
	src, _ := netip.AddrFromSlice(packet[12:16])
	dst, _ := netip.AddrFromSlice(packet[16:20])
	to = min(to, len(payload))
	h := IPv4{
		Src: src, Dst: dst, Protocol: packet[9], TTL: packet[8],
		ID:     binary.BigEndian.Uint16(packet[4:]),
		Offset: from, More: to < len(payload),
	}
	return h.Bytes(payload[from:to])
}
