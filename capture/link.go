package capture

import "encoding/binary"

// hop says at which point of its way a packet was captured, as far as the
// link-layer header tells.
type hop struct {
	interfaceID int
	packetType  uint8 // Linux's
	// source is the link-layer address of the sender.
	source [8]byte
}

// packetSent is the packet type of what was captured where it was sent, and not where it
// arrived (PACKET_OUTGOING, packet(7)).
const packetSent = 4

// isSender reports whether it is known that the packet was captured where it was sent.
func (h *hop) isSender() bool { return h.packetType == packetSent }

// EtherTypes (IEEE 802 numbers).
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
	// etherQinQOld was used for stacked tags before 802.1ad.
	etherQinQOld = 0x9100
)

// maxLLCLength is the highest number that is a length, or the kernel's number for frames with
// one, and no EtherType (IEEE 802.3, section 3.2.6). snapHeader is what EtherTypes follow in
// such frames: two SAPs, unnumbered information, and the organisation of Ethernet.
const (
	maxLLCLength = 1500
	snapHeader   = "\xaa\xaa\x03\x00\x00\x00"
)

// maxTags bounds the stack of VLAN tags. Two are in use.
const maxTags = 4

// networkLayer strips the link-layer header, which tells at: it returns the captured
// bytes from the IP header on and their number on the wire. There are none captured of a
// packet that ends before it tells whether it has an IP header.
func networkLayer(p *Packet, at *hop) (data []byte, wire int, ok bool) {
	at.interfaceID = p.InterfaceID
	header, etherType, known := linkHeader(p, at)
	header, etherType = skipTags(p.Data, header, etherType)
	if 0 < etherType && etherType <= maxLLCLength {
		header, etherType = skipSNAP(p.Data, header)
	}
	isIP := etherType == etherIPv4 || etherType == etherIPv6
	switch ends := header >= len(p.Data); {
	case ends && (isIP || etherType == 0):
		return nil, 0, known
	case !isIP:
		return nil, 0, false
	}
	return p.Data[header:], p.Length - header, true
}

// linkHeader returns the length of the link-layer header and what follows it, 0 if that is
// not known, and whether the packet's link type is. PPP is not: no metadata service is
// behind such a link.
func linkHeader(p *Packet, at *hop) (header, etherType int, known bool) {
	switch p.LinkType {
	case LinkEthernet:
		header, etherType = ethernet(p.Data, at)
	case LinkLinuxSLL:
		header, etherType = cookedV1(p.Data, at)
	case LinkLinuxSLL2:
		header, etherType = cookedV2(p.Data, at)
	case LinkNull, LinkLoop:
		// Four bytes of address family, whose numbers differ between systems:
		// the IP version says as much.
		header, etherType = 4, etherOfIP(p.Data, 4)
	case LinkRaw, LinkRawBSD, LinkRawOpen, LinkIPv4, LinkIPv6:
		etherType = etherOfIP(p.Data, 0)
	case LinkNFLOG:
		header, etherType = nflog(p.Data)
	default:
		return 0, 0, false
	}
	return header, etherType, true
}

// known reports whether packets of the link type can be read.
func (t LinkType) known() bool {
	var at hop
	_, _, known := linkHeader(&Packet{LinkType: t}, &at)
	return known
}

func ethernet(data []byte, at *hop) (header, etherType int) {
	const size = 14
	if len(data) < size {
		return size, 0
	}
	copy(at.source[:], data[6:12])
	return size, int(binary.BigEndian.Uint16(data[12:]))
}

// cookedV1 reads LINKTYPE_LINUX_SLL. Its address field is always 8 bytes.
func cookedV1(data []byte, at *hop) (header, etherType int) {
	const size = 16
	if len(data) < size {
		return size, 0
	}
	at.packetType = data[1]
	copy(at.source[:], data[6:14])
	return size, int(binary.BigEndian.Uint16(data[14:]))
}

// cookedV2 reads LINKTYPE_LINUX_SLL2, which names the interface by its index.
func cookedV2(data []byte, at *hop) (header, etherType int) {
	const size = 20
	if len(data) < size {
		return size, 0
	}
	at.interfaceID = int(binary.BigEndian.Uint32(data[4:]))
	at.packetType = data[10]
	copy(at.source[:], data[12:20])
	return size, int(binary.BigEndian.Uint16(data))
}

func etherOfIP(data []byte, header int) int {
	if len(data) <= header {
		return 0
	}
	switch data[header] >> 4 {
	case 4:
		return etherIPv4
	case 6:
		return etherIPv6
	}
	return 0
}

// skipTags skips 802.1Q and QinQ tags: two bytes of tag, then an EtherType.
func skipTags(data []byte, header, etherType int) (int, int) {
	for range maxTags {
		tagged := etherType == etherVLAN || etherType == etherQinQ || etherType == etherQinQOld
		if !tagged {
			break
		}
		if len(data) < header+4 {
			return len(data), 0
		}
		etherType = int(binary.BigEndian.Uint16(data[header+2:]))
		header += 4
	}
	return header, etherType
}

// skipSNAP skips the LLC and SNAP headers that stand before an EtherType where a frame has its
// length in the place of that (RFC 1042).
func skipSNAP(data []byte, header int) (behind, etherType int) {
	behind = header + len(snapHeader) + 2
	switch {
	case len(data) < behind:
		return behind, 0
	case string(data[header:behind-2]) != snapHeader:
		return header, 0
	}
	return behind, int(binary.BigEndian.Uint16(data[behind-2:]))
}

// namesSender reports whether headers of the type say who sent the packet.
func namesSender(t LinkType) bool {
	return t == LinkEthernet || t == LinkLinuxSLL || t == LinkLinuxSLL2
}
