package capture

// ICMP protocol numbers and the type by which a router says that it did not forward
// a packet because its hop limit was used up, in transit: code 0 (RFC 792; RFC 4443,
// section 3.3).
const (
	protoICMP      = 1
	protoICMPv6    = 58
	icmpExceeded   = 11
	icmpv6Exceeded = 3
	icmpInTransit  = 0
)

const (
	// icmpHeader is the length of what comes before the packet that is quoted.
	icmpHeader = 8
	// minQuoted is how much of that is quoted behind its IP header at least: the
	// ports and the sequence number (RFC 792).
	minQuoted = 8
)

// timeExceeded returns the packet that a time-exceeded message quotes, whose payload
// is what its TCP header begins with. It reports false if packet is no such message,
// or quotes too little.
func timeExceeded(packet *datagram) (quoted datagram, ok bool) {
	if !packet.isTimeExceeded() {
		return datagram{}, false
	}
	data := packet.payload[icmpHeader:]
	if !quoted.parse(data, len(data)) || quoted.is4 != packet.is4 || quoted.protocol != protoTCP || quoted.offset > 0 || len(quoted.payload) < minQuoted {
		return datagram{}, false
	}
	return quoted, true
}

func (d *datagram) isTimeExceeded() bool {
	if d.fragmented || len(d.payload) < icmpHeader || d.payload[1] != icmpInTransit {
		return false
	}
	switch d.protocol {
	case protoICMP:
		return d.is4 && d.payload[0] == icmpExceeded
	case protoICMPv6:
		return !d.is4 && d.payload[0] == icmpv6Exceeded
	}
	return false
}
