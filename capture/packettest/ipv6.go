package packettest

import (
	"encoding/binary"
	"net/netip"
)

// IPv6 is a header with the extension headers that follow it (RFC 8200,
// sections 3 and 4).
type IPv6 struct {
	Src, Dst   netip.Addr
	Protocol   uint8
	HopLimit   uint8
	Extensions []Extension
}

// Extension is an extension header: its own number and its bytes, in which
// the first one is overwritten with the number of the header that follows.
type Extension struct {
	Number uint8
	Bytes  []byte
}

const ipv6Header = 40

// Bytes returns the packet.
func (h IPv6) Bytes(payload []byte) []byte {
	next := h.Protocol
	for i := len(h.Extensions) - 1; i >= 0; i-- {
		header := append([]byte(nil), h.Extensions[i].Bytes...)
		header[0] = next
		payload = append(header, payload...)
		next = h.Extensions[i].Number
	}
	b := make([]byte, ipv6Header, ipv6Header+len(payload))
	b[0] = 0x60
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	b[6], b[7] = next, h.HopLimit
	copy(b[8:], h.Src.AsSlice())
	copy(b[24:], h.Dst.AsSlice())
	return append(b, payload...)
}

// padN fills an options header of eight bytes (RFC 8200, section 4.2).
var padN = []byte{0, 0, 1, 4, 0, 0, 0, 0}

// HopByHop is a hop-by-hop options header with nothing but padding.
func HopByHop() Extension { return Extension{0, padN} }

// DestinationOptions is a destination options header with nothing but padding.
func DestinationOptions() Extension { return Extension{60, padN} }

// Routing is a routing header of an unassigned type with no segments left,
// which every receiver passes over (RFC 8200, section 4.4).
func Routing() Extension {
	return Extension{43, []byte{0, 0, 253, 0, 0, 0, 0, 0}}
}

// Authentication is an AH header with a 12-byte check value (RFC 4302,
// section 2). Its length is counted in words of four bytes minus two.
func Authentication() Extension {
	return Extension{51, append([]byte{0, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7}, make([]byte, 12)...)}
}

// FragmentHeader is a fragment header (RFC 8200, section 4.5); offset is in
// bytes, a multiple of eight.
func FragmentHeader(id uint32, offset int, more bool) Extension {
	field := uint16(offset)
	if more {
		field |= 1
	}
	b := binary.BigEndian.AppendUint16([]byte{0, 0}, field)
	return Extension{44, binary.BigEndian.AppendUint32(b, id)}
}

// Fragment6 returns the piece of an IPv6 packet without extension headers
// whose payload is the bytes from from up to to, as in Fragment4.
func Fragment6(packet []byte, id uint32, from, to int) []byte {
	payload := packet[ipv6Header:]
	src, _ := netip.AddrFromSlice(packet[8:24])
	dst, _ := netip.AddrFromSlice(packet[24:40])
	to = min(to, len(payload))
	h := IPv6{
		Src: src, Dst: dst, Protocol: packet[6], HopLimit: packet[7],
		Extensions: []Extension{FragmentHeader(id, from, to < len(payload))},
	}
	return h.Bytes(payload[from:to])
}
