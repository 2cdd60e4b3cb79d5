package capture

import (
	"encoding/binary"
	"net/netip"
)

// decoder finds the segments to and from the endpoints in packets.
type decoder struct {
	endpoints []netip.AddrPort
	compact   []endpoint // the same
	fragments fragments
}

func newDecoder(endpoints []netip.AddrPort) decoder {
	d := decoder{endpoints: endpoints}
	for _, e := range endpoints {
		d.compact = append(d.compact, endpointOf(e))
	}
	return d
}

// decode fills in s, which is empty, with the segment in the packet; it reports false if
// there is none to or from an endpoint, or none yet. The segment's payload is valid as
// long as the packet's data. The packet as it was captured has Apple's header, too, which the
// snaplen counts.
func (d *decoder) decode(captured, p *Packet, s *segment) bool {
	data, wire, ok := networkLayer(p, &s.at)
	if ok && endsBeforeAddresses(data) || p.LinkType == LinkPktap {
		s.headless, s.whole = p.isCut(), captured.Length
		return false
	}
	var packet datagram
	if !ok || !packet.parse(data, wire) || !d.concerns(&packet) {
		return false
	}
	if packet.fragmented && !d.join(&packet, s, captured) || packet.protocol != protoTCP {
		return false
	}
	s.time, s.named, s.network, s.linkKnown = p.Time, p.Interface, p.Network, namesSender(p.LinkType)
	s.whole = packet.sizeOf(captured)
	s.headless = len(packet.payload) < minTCPHeader && packet.length > minTCPHeader && d.isService(packet.dst, packet.is4)
	if !s.parseTCP(&packet) || !d.orient(s, &packet) {
		return false
	}
	if s.direction == up {
		s.note = noteOf(p)
	}
	return true
}

// join makes a fragment the whole datagram, and says in s what it tells of the segment. It reports
// false if others are missing.
func (d *decoder) join(fragment *datagram, s *segment, captured *Packet) (ok bool) {
	if fragment.is4 && fragment.protocol != protoTCP {
		return false // whose identification may be that of a segment's (RFC 791, section 3.2)
	}
	s.joined = true
	toService := fragment.mayBeTCP() && d.isService(fragment.dst, fragment.is4)
	s.headless, s.whole = toService && fragment.isCut(), fragment.sizeOf(captured)
	*fragment, ok = d.fragments.add(*fragment, toService, captured.Time)
	return ok && (fragment.is4 || fragment.skipExtensions())
}

// isCut reports whether the snaplen has cut the datagram.
func (d *datagram) isCut() bool { return len(d.payload) < d.length }

// sizeOf is the length of the datagram's packet, as it was captured, before the snaplen cut it, in bytes.
func (d *datagram) sizeOf(p *Packet) int { return len(p.Data) + d.length - len(d.payload) }

// concerns reports whether the datagram comes from or goes to an endpoint's address.
func (d *decoder) concerns(packet *datagram) bool {
	return d.isService(packet.dst, packet.is4) || d.isService(packet.src, packet.is4)
}

func (d *decoder) isService(a address, is4 bool) bool {
	for i := range d.compact {
		if e := &d.compact[i]; e.address == a && e.is4 == is4 {
			return true
		}
	}
	return false
}

// service is the endpoint that the segment is of a connection to.
func (d *decoder) service(s *segment) netip.AddrPort { return d.endpoints[s.key.endpoint()] }

// orient finds out which end is the service. Where both could be (a service
// that is called from its own address and port), a SYN tells.
func (d *decoder) orient(s *segment, packet *datagram) bool {
	ports := packet.payload[:4]
	src := endpoint{packet.src, packet.is4, binary.BigEndian.Uint16(ports)}
	dst := endpoint{packet.dst, packet.is4, binary.BigEndian.Uint16(ports[2:])}
	toService, fromService := -1, -1
	for i := range d.compact {
		if d.compact[i] == dst {
			toService = i
		}
		if d.compact[i] == src {
			fromService = i
		}
	}
	answersSYN := s.has(flagSYN) && s.has(flagACK)
	switch {
	case toService >= 0 && !(fromService >= 0 && answersSYN):
		s.direction = up
		s.key.set(&src, toService)
	case fromService >= 0:
		s.direction = down
		s.key.set(&dst, fromService)
	default:
		return false
	}
	return true
}

// bystander is a packet to or from an endpoint's address that holds no segment of
// its own.
type bystander struct {
	// header is the length of its headers up to the end of its IP header and, if it
	// quotes a segment, up to the end of what is known of that.
	header int
	// exceeded is what is known of a segment from an endpoint whose hop limit was
	// used up on its way; quotes is false if the packet does not tell of one.
	exceeded segment
	quotes   bool
}

// bystander looks at a packet that decode has found no whole segment in. It reports
// false if the packet neither comes from nor goes to an endpoint's address.
func (d *decoder) bystander(captured, p *Packet) (b bystander, ok bool) {
	data, wire, ok := networkLayer(p, &hop{})
	var packet datagram
	if !ok || !packet.parse(data, wire) || !d.concerns(&packet) {
		return b, false
	}
	b.header = cap(captured.Data) - cap(packet.payload)
	quoted, ok := timeExceeded(&packet)
	b.exceeded = segment{time: p.Time, network: p.Network}
	if ok && d.orient(&b.exceeded, &quoted) && b.exceeded.direction == down {
		b.exceeded.seq = binary.BigEndian.Uint32(quoted.payload[4:])
		b.header, b.quotes = cap(captured.Data)-cap(quoted.payload)+minQuoted, true
	}
	return b, true
}
