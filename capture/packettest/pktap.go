package packettest

import (
	"encoding/binary"

	"imds-analyzer/capture"
	"imds-analyzer/imds"
)

// Pktap is Apple's header before another link layer's packets
// (https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html).
type Pktap struct {
	Interface string
	Sender    imds.Sender
	Flags     uint32
	Inner     Link
}

// Flags of the header.
const (
	PktapInbound  = 0x1
	PktapOutbound = 0x2
	pktapSecond   = 0x80000
)

// First is the link layer with the header's first version, which is of 156 bytes.
func (p Pktap) First() Link {
	return Link{capture.LinkPktap, func(etherType uint16) []byte {
		b := make([]byte, 156)
		le := binary.LittleEndian
		le.PutUint32(b, uint32(len(b)))
		le.PutUint32(b[4:], 1) // a packet follows
		le.PutUint32(b[8:], uint32(p.Inner.Type))
		copy(b[12:36], p.Interface)
		le.PutUint32(b[36:], p.Flags)
		le.PutUint32(b[52:], uint32(p.Sender.PID))
		copy(b[56:76], p.Sender.Name)
		le.PutUint32(b[84:], uint32(p.Sender.ForPID))
		copy(b[88:108], p.Sender.ForName)
		return append(b, p.Inner.Header(etherType)...)
	}}
}

// Second is the link layer with the header's second version, which holds those
// texts that are not empty.
func (p Pktap) Second() Link {
	return Link{capture.LinkPktap, func(etherType uint16) []byte {
		b := make([]byte, 40)
		le := binary.LittleEndian
		le.PutUint16(b[6:], uint16(p.Inner.Type))
		le.PutUint32(b[28:], uint32(p.Sender.PID))
		le.PutUint32(b[32:], uint32(p.Sender.ForPID))
		le.PutUint32(b[36:], p.Flags|pktapSecond)
		for at, text := range map[int]string{3: p.Interface, 4: p.Sender.Name, 5: p.Sender.ForName} {
			if text != "" {
				b[at] = byte(len(b))
				b = append(append(b, text...), 0)
			}
		}
		b[0] = byte(len(b))
		return append(b, p.Inner.Header(etherType)...)
	}}
}
