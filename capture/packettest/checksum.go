package packettest

import (
	"encoding/binary"
	"net/netip"
)

// checksum is the Internet checksum over parts (RFC 1071). Each part but the
// last has an even length.
func checksum(parts ...[]byte) uint16 {
	var sum uint32
	for _, part := range parts {
		for len(part) >= 2 {
			sum += uint32(binary.BigEndian.Uint16(part))
			part = part[2:]
		}
		if len(part) == 1 {
			sum += uint32(part[0]) << 8
		}
		for sum > 0xffff {
			sum = sum>>16 + sum&0xffff
		}
	}
	return ^uint16(sum)
}

// pseudoHeader is what TCP, UDP and ICMPv6 checksums cover besides their own
// bytes (RFC 9293, section 3.1; RFC 8200, section 8.1).
func pseudoHeader(src, dst netip.Addr, protocol uint8, length int) []byte {
	b := append(src.AsSlice(), dst.AsSlice()...)
	if src.Is4() {
		b = append(b, 0, protocol)
		return binary.BigEndian.AppendUint16(b, uint16(length))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, protocol)
}
