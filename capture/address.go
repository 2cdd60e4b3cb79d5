package capture

import (
	"encoding/binary"
	"net/netip"
)

// address is an IP address as IPv6 has it, in two numbers: to compare or to hash these takes
// less than a netip.Addr does.
type address struct{ high, low uint64 }

// v4InV6 is what stands before an IPv4 address in the form of IPv6 (RFC 4291, section 2.5.5.2).
const v4InV6 = 0xffff << 32

// address4 reads the four bytes of an IPv4 address.
func address4(bytes []byte) address {
	return address{low: v4InV6 | uint64(binary.BigEndian.Uint32(bytes))}
}

// address16 reads the sixteen bytes of an IPv6 address.
func address16(bytes []byte) address {
	return address{binary.BigEndian.Uint64(bytes), binary.BigEndian.Uint64(bytes[8:])}
}

// netip returns the address, an IPv4 one in the form of IPv6.
func (a address) netip() netip.Addr {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:8], a.high)
	binary.BigEndian.PutUint64(bytes[8:], a.low)
	return netip.AddrFrom16(bytes)
}

// endpoint is one of a metadata service's, as packets have it.
type endpoint struct {
	address address
	is4     bool // IPv6 packets can have an IPv4 address in their form, and go elsewhere
	port    uint16
}

func endpointOf(of netip.AddrPort) endpoint {
	bytes := of.Addr().As16()
	return endpoint{address16(bytes[:]), of.Addr().Is4(), of.Port()}
}
