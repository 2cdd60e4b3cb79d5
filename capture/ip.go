package capture

import "encoding/binary"

// IP protocol and IPv6 extension header numbers (IANA).
const (
	protoHopByHop    = 0
	protoTCP         = 6
	protoRouting     = 43
	protoFragment    = 44
	protoAuth        = 51
	protoDestination = 60
	protoMobility    = 135
)

// datagram is an IP packet or a fragment of one.
type datagram struct {
	src, dst address
	is4      bool // of IPv4, not of IPv6
	protocol uint8
	hopLimit uint8
	// payload is what was captured of the payload, length its whole length.
	payload []byte
	length  int
	// id, offset and more describe a fragment.
	fragmented bool
	id         uint32
	offset     int
	more       bool
	// hides is true if extension headers are cleared, of which those that fragments need stay.
	hides bool
}

// The lengths of IP headers without options and extensions, whose addresses are at their
// ends (RFC 791, section 3.1; RFC 8200, section 3).
const (
	minIPv4Header = 20
	minIPv6Header = 40
)

// endsBeforeAddresses reports whether data, which begins with an IP header, ends before it
// tells from where to where the packet goes.
func endsBeforeAddresses(data []byte) bool {
	return len(data) < minIPv4Header || data[0]>>4 == 6 && len(data) < minIPv6Header
}

// parse fills in d, which is empty, from an IPv4 or IPv6 header. wire is the number of bytes
// that the packet had on the wire.
func (d *datagram) parse(data []byte, wire int) bool {
	if len(data) == 0 {
		return false
	}
	switch data[0] >> 4 {
	case 4:
		return d.parseIPv4(data, wire)
	case 6:
		return d.parseIPv6(data, wire)
	}
	return false
}

// parseIPv4 reads an IPv4 header (RFC 791, section 3.1).
func (d *datagram) parseIPv4(data []byte, wire int) bool {
	if len(data) < minIPv4Header {
		return false
	}
	header := int(data[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(data[2:]))
	if total == 0 {
		total = wire // captured before segmentation offload filled it in
	}
	if header < minIPv4Header || len(data) < header || total < header {
		return false
	}
	fragment := binary.BigEndian.Uint16(data[6:])
	d.src, d.dst, d.is4 = address4(data[12:]), address4(data[16:]), true
	d.protocol, d.hopLimit = data[9], data[8]
	d.payload, d.length = data[header:min(total, len(data))], total-header
	d.id = uint32(binary.BigEndian.Uint16(data[4:]))
	d.offset, d.more = int(fragment&0x1fff)*8, fragment&0x2000 != 0
	d.fragmented = d.more || d.offset > 0
	return true
}

// parseIPv6 reads an IPv6 header and its extension headers (RFC 8200).
func (d *datagram) parseIPv6(data []byte, wire int) bool {
	const header = minIPv6Header
	if len(data) < header {
		return false
	}
	length := int(binary.BigEndian.Uint16(data[4:]))
	if length == 0 {
		length = wire - header
	}
	if length < 0 {
		return false
	}
	d.src, d.dst = address16(data[8:]), address16(data[24:])
	d.protocol, d.hopLimit = data[6], data[7]
	d.payload, d.length = data[header:min(header+length, len(data))], length
	return d.skipExtensions()
}

// mayBeTCP reports whether the payload is TCP's, or may be behind extension headers of which not
// all is in this fragment.
func (d *datagram) mayBeTCP() bool {
	switch d.protocol {
	case protoTCP:
		return true
	case protoHopByHop, protoRouting, protoDestination, protoMobility, protoAuth:
		return !d.is4
	}
	return false
}

// maxExtensions bounds the chain of extension headers. RFC 8200 recommends
// at most one of each of seven.
const maxExtensions = 16

// skipExtensions moves the payload behind the extension headers, up to a
// fragment header with more of the chain in other fragments.
func (d *datagram) skipExtensions() bool {
	for range maxExtensions {
		size := 0
		switch d.protocol {
		case protoHopByHop, protoRouting, protoDestination, protoMobility:
			if len(d.payload) < 2 {
				return false
			}
			size = (int(d.payload[1]) + 1) * 8
		case protoAuth: // in units of four bytes, minus two (RFC 4302)
			if len(d.payload) < 2 {
				return false
			}
			size = (int(d.payload[1]) + 2) * 4
		case protoFragment:
			return d.readFragmentHeader()
		default:
			return true
		}
		if !d.strip(size) {
			return false
		}
	}
	return false
}

// strip takes an extension header of size bytes off the payload.
func (d *datagram) strip(size int) bool {
	if len(d.payload) < size || d.length < size {
		return false
	}
	if d.hides && d.protocol != protoFragment {
		clear(d.payload[2:size]) // behind what follows it and its length
	}
	d.protocol = d.payload[0]
	d.payload, d.length = d.payload[size:], d.length-size
	return true
}

func (d *datagram) readFragmentHeader() bool {
	const size = 8
	if len(d.payload) < size || d.fragmented {
		return false
	}
	where := binary.BigEndian.Uint16(d.payload[2:])
	d.offset, d.more = int(where&^7), where&1 != 0
	d.id = binary.BigEndian.Uint32(d.payload[4:])
	d.fragmented = d.more || d.offset > 0
	if !d.strip(size) {
		return false
	}
	if d.fragmented {
		return true
	}
	return d.skipExtensions() // an "atomic" fragment (RFC 6946) is whole
}
