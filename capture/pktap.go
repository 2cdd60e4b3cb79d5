package capture

import (
	"bytes"
	"encoding/binary"

	"imds-analyzer/imds"
)

// Apple's header before packets of several interfaces, with the process behind each
// (https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html). It is little-endian. The
// second version has fewer bytes, and its flags at the place of the first one's.
const (
	pktapFlags   = 36
	pktapInbound = 1 << 0
	pktapSecond  = 1 << 19

	pktapFirstSize, pktapSecondSize = 108, 40
	pktapHasPacket                  = 1 // the first version's type of record

	pktapInterfaceSize = 24
	pktapNameSize      = 20
)

// pktap is what such a header says.
type pktap struct {
	length  int
	dlt     LinkType // of the packet behind it
	name    string   // the interface's
	inbound bool
	sender  imds.Sender
}

// unwrapPktap returns the packet behind such a header, with what the header says of
// it; p itself if there is none.
func unwrapPktap(p *Packet) *Packet {
	if p.LinkType != LinkPktap && p.LinkType != LinkUser2 {
		return p
	}
	h, ok := parsePktap(p.Data)
	if !ok {
		return p
	}
	inner := *p
	inner.Data, inner.Length, inner.LinkType = p.Data[h.length:], p.Length-h.length, h.dlt
	inner.Inbound = p.Inbound || h.inbound
	if inner.Interface == "" {
		inner.Interface = h.name
	}
	if h.sender.PID != 0 {
		inner.Sender = &h.sender
	}
	return &inner
}

// parsePktap reads a header of either version.
func parsePktap(data []byte) (pktap, bool) {
	if len(data) < pktapSecondSize {
		return pktap{}, false
	}
	var h pktap
	flags := binary.LittleEndian.Uint32(data[pktapFlags:])
	if flags&pktapSecond != 0 {
		h = parseSecondPktap(data)
	} else if len(data) >= pktapFirstSize {
		h = parseFirstPktap(data)
	}
	h.inbound = flags&pktapInbound != 0
	isPacket := h.length > 0 && h.length <= len(data) && h.dlt != LinkPktap && h.dlt != LinkUser2
	return h, isPacket
}

func parseFirstPktap(data []byte) pktap {
	length := binary.LittleEndian.Uint32(data)
	if length < pktapFirstSize || length > uint32(len(data)) || binary.LittleEndian.Uint32(data[4:]) != pktapHasPacket {
		return pktap{}
	}
	return pktap{
		length: int(length),
		dlt:    LinkType(binary.LittleEndian.Uint32(data[8:])),
		name:   pktapText(data[12:], pktapInterfaceSize),
		sender: imds.Sender{
			PID: pktapPID(data[52:]), Name: pktapText(data[56:], pktapNameSize),
			ForPID: pktapPID(data[84:]), ForName: pktapText(data[88:], pktapNameSize),
		},
	}
}

// parseSecondPktap reads the second version, in which texts stand at offsets that
// are 0 for those that are not there.
func parseSecondPktap(data []byte) pktap {
	length := int(data[0])
	if length < pktapSecondSize || length > len(data) {
		return pktap{}
	}
	text := func(offset byte, size int) string {
		if int(offset) < pktapSecondSize || int(offset) > length {
			return ""
		}
		return pktapText(data[offset:length], size)
	}
	return pktap{
		length: length,
		dlt:    LinkType(binary.LittleEndian.Uint16(data[6:])),
		name:   text(data[3], pktapInterfaceSize),
		sender: imds.Sender{
			PID: pktapPID(data[28:]), Name: text(data[4], pktapNameSize),
			ForPID: pktapPID(data[32:]), ForName: text(data[5], pktapNameSize),
		},
	}
}

// pktapPID returns 0 for a process that is not known, which Apple's kernel says by
// 0 or -1.
func pktapPID(data []byte) int {
	return max(0, int(int32(binary.LittleEndian.Uint32(data))))
}

// pktapText reads a text of at most size bytes, which a zero byte may end.
func pktapText(data []byte, size int) string {
	text, _, _ := bytes.Cut(data[:min(size, len(data))], []byte{0})
	return string(text)
}
