package packettest

import (
	"encoding/binary"
	"time"

	"imds-analyzer/capture"
)

// Link is a link layer: a type and what it puts before an IP packet.
type Link struct {
	Type capture.LinkType
	// Header returns the header before a packet of the ethertype.
	Header func(etherType uint16) []byte
}

// Ethertypes (IEEE 802.3, IANA "IEEE 802 Numbers").
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeIPv6 = 0x86dd
	EtherTypeVLAN = 0x8100
	EtherTypeQinQ = 0x88a8
)

// Cooked packet types (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html).
const (
	CookedToUs     = 0
	CookedOutgoing = 4
)

// Hardware types of Linux, as cooked headers carry them (linux/if_arp.h).
const (
	arphrdEther    = 1
	arphrdLoopback = 772
)

// Packet puts the link layer's header before an IP packet.
func (l Link) Packet(ip []byte, at time.Time) capture.Packet {
	data := append(l.Header(etherTypeOf(ip)), ip...)
	return capture.Packet{Data: data, Length: len(data), Time: at, LinkType: l.Type}
}

func etherTypeOf(ip []byte) uint16 {
	if len(ip) > 0 && ip[0]>>4 == 6 {
		return EtherTypeIPv6
	}
	return EtherTypeIPv4
}

// Tag is an IEEE 802.1Q tag: its own ethertype and its VLAN.
type Tag struct {
	EtherType, ID uint16
}

// Ethernet is Ethernet II, with tags outermost first.
func Ethernet(tags ...Tag) Link {
	return Link{capture.LinkEthernet, func(etherType uint16) []byte {
		b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
		for _, tag := range tags {
			b = binary.BigEndian.AppendUint16(b, tag.EtherType)
			b = binary.BigEndian.AppendUint16(b, tag.ID)
		}
		return binary.BigEndian.AppendUint16(b, etherType)
	}}
}

// SNAP is IEEE 802.3 with LLC and SNAP headers (RFC 1042) before the ethertype, where
// Ethernet II has that at once. The length is not that of any packet.
func SNAP(tags ...Tag) Link {
	return Link{capture.LinkEthernet, func(etherType uint16) []byte { return withSNAP(Ethernet(tags...).Header(64), etherType) }}
}

// SLL2SNAP is SLL2 of such a frame: the protocol is Linux's number for those (ETH_P_802_2).
func SLL2SNAP() Link {
	return Link{capture.LinkLinuxSLL2, func(etherType uint16) []byte { return withSNAP(SLL2(2, CookedToUs).Header(4), etherType) }}
}

func withSNAP(header []byte, etherType uint16) []byte {
	return binary.BigEndian.AppendUint16(append(header, 0xaa, 0xaa, 3, 0, 0, 0), etherType)
}

// SLL is Linux cooked capture v1: it tells the packet's way, not the interface.
func SLL(packetType uint8) Link {
	return Link{capture.LinkLinuxSLL, func(etherType uint16) []byte {
		b := []byte{0, packetType, 0, arphrdEther, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}
		return binary.BigEndian.AppendUint16(b, etherType)
	}}
}

// SLLTagged is SLL with the VLAN tag put back where libpcap puts it: the
// protocol is 802.1Q's, tag and real protocol follow.
func SLLTagged(packetType uint8, vlan uint16) Link {
	return Link{capture.LinkLinuxSLL, func(etherType uint16) []byte {
		b := SLL(packetType).Header(EtherTypeVLAN)
		b = binary.BigEndian.AppendUint16(b, vlan)
		return binary.BigEndian.AppendUint16(b, etherType)
	}}
}

// SLL2 is Linux cooked capture v2, seen on the interface of that index.
func SLL2(index uint32, packetType uint8) Link {
	return Link{capture.LinkLinuxSLL2, func(etherType uint16) []byte {
		b := binary.BigEndian.AppendUint16(nil, etherType)
		b = append(b, 0, 0)
		b = binary.BigEndian.AppendUint32(b, index)
		b = binary.BigEndian.AppendUint16(b, arphrdEther)
		return append(b, packetType, 6, 2, 0, 0, 0, 0, 1, 0, 0)
	}}
}

// Raw is a link type that has no header, such as LinkRaw or LinkIPv4.
func Raw(linkType capture.LinkType) Link {
	return Link{linkType, func(uint16) []byte { return nil }}
}

// Null is BSD loopback: the address family in the capturing host's byte order.
// inet6 is that host's AF_INET6, which differs between systems.
func Null(order binary.ByteOrder, inet6 uint32) Link {
	return Link{capture.LinkNull, family(order, inet6)}
}

// Loop is OpenBSD loopback: the address family in network byte order.
func Loop(inet6 uint32) Link {
	return Link{capture.LinkLoop, family(binary.BigEndian, inet6)}
}

func family(order binary.ByteOrder, inet6 uint32) func(uint16) []byte {
	const inet = 2
	return func(etherType uint16) []byte {
		b := make([]byte, 4)
		order.PutUint32(b, inet)
		if etherType == EtherTypeIPv6 {
			order.PutUint32(b, inet6)
		}
		return b
	}
}

// NFLOG is what Linux hands out of a packet that passed the NFLOG target, in the
// byte order of the capturing host: the attributes before the packet, which are
// a header, a prefix of odd length and the index of an interface.
func NFLOG(order binary.AppendByteOrder) Link {
	return Link{capture.LinkNFLOG, func(etherType uint16) []byte {
		attribute := func(b []byte, kind uint16, value string) []byte {
			b = order.AppendUint16(b, uint16(4+len(value)))
			b = order.AppendUint16(b, kind)
			b = append(b, value...)
			return append(b, make([]byte, -len(value)&3)...)
		}
		b := []byte{2, 0, 0, 5}
		if etherType == EtherTypeIPv6 {
			b[0] = 10
		}
		b = attribute(b, 1, string(binary.BigEndian.AppendUint16(nil, etherType))+"\x03\x00")
		b = attribute(b, 10, "imds\x00")
		b = attribute(b, 5, "\x00\x00\x00\x02")
		b = order.AppendUint16(b, 4) // the packet is not known here: no reader needs its length
		return order.AppendUint16(b, 9)
	}}
}
