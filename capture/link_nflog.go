package capture

import "encoding/binary"

// LINKTYPE_NFLOG, which `tcpdump -i nflog:GROUP` writes of what the NFLOG target
// of iptables or nft hands out: a header of four bytes, then attributes, the
// packet among them (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html). An
// attribute is its length with these four bytes, its type, and a value that is
// padded to a 32-bit boundary. Types are those of linux/netfilter/nfnetlink_log.h.
const (
	nflogHeaderLen    = 4
	nflogAttributeLen = 4
	nflogPayload      = 9
)

// nflog returns where the packet's own bytes begin. They are the last attribute;
// what is captured of them is what remains. Where there are none, it may have been cut
// before them: they begin behind what was captured.
func nflog(data []byte) (header, etherType int) {
	order, at := nflogOrder(data), nflogHeaderLen
	for len(data)-at >= nflogAttributeLen {
		length, kind := int(order.Uint16(data[at:])), order.Uint16(data[at+2:])
		switch {
		case length < nflogAttributeLen:
			return 0, 0
		case kind == nflogPayload:
			at += nflogAttributeLen
			return at, etherOfIP(data, at)
		}
		at += (length + 3) &^ 3
	}
	return len(data), 0
}

// nflogOrder returns the byte order of lengths and types, which is that of the
// host that captured. Types are small numbers: the first of them tells.
func nflogOrder(data []byte) binary.ByteOrder {
	if len(data) >= nflogHeaderLen+nflogAttributeLen && data[nflogHeaderLen+2] == 0 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
