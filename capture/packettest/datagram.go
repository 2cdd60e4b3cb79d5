package packettest

import (
	"encoding/binary"
	"net/netip"
)

// UDP returns an IP packet with a UDP datagram (RFC 768).
func UDP(src, dst netip.AddrPort, payload string) []byte {
	b := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(b[0:], src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, payload...)
	sum := checksum(pseudoHeader(src.Addr(), dst.Addr(), ProtocolUDP, len(b)), b)
	binary.BigEndian.PutUint16(b[6:], sum)
	return ip(src.Addr(), dst.Addr(), ProtocolUDP, b)
}

// ICMP types whose message quotes the packet that they are about (RFC 792).
const (
	ICMPUnreachable  = 3
	ICMPTimeExceeded = 11
)

// ICMPv6TimeExceeded is the same of IPv6 (RFC 4443, section 3.3).
const ICMPv6TimeExceeded = 3

// ICMP returns an IPv4 packet with an ICMP message of the type that quotes
// a packet (RFC 792).
func ICMP(src, dst netip.Addr, kind uint8, quoted []byte) []byte {
	b := append([]byte{kind, 0, 0, 0, 0, 0, 0, 0}, quoted...)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return ip(src, dst, ProtocolICMP, b)
}

// ICMPv6 returns an IPv6 packet with an ICMPv6 message that quotes a packet
// (RFC 4443, section 3).
func ICMPv6(src, dst netip.Addr, kind uint8, quoted []byte) []byte {
	b := append([]byte{kind, 0, 0, 0, 0, 0, 0, 0}, quoted...)
	binary.BigEndian.PutUint16(b[2:], checksum(pseudoHeader(src, dst, ProtocolICMPv6, len(b)), b))
	return ip(src, dst, ProtocolICMPv6, b)
}

// defaultTTL is what Linux sends with.
const defaultTTL = 64

func ip(src, dst netip.Addr, protocol uint8, payload []byte) []byte {
	if src.Is4() {
		return IPv4{Src: src, Dst: dst, Protocol: protocol, TTL: defaultTTL}.Bytes(payload)
	}
	return IPv6{Src: src, Dst: dst, Protocol: protocol, HopLimit: defaultTTL}.Bytes(payload)
}
