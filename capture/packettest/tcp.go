package packettest

import (
	"encoding/binary"
	"net/netip"
)

// Flags are the control bits of a TCP header (RFC 9293, section 3.1).
type Flags uint8

// The control bits.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// TCP is a segment without its ports' addresses.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            Flags
	Window           uint16
	// Options are padded to a multiple of four bytes with end-of-list.
	Options []byte
	Payload []byte
}

// tcpHeader is the length of a TCP header without options in bytes.
const tcpHeader = 20

// Bytes returns the segment as it travels between src and dst, with its
// checksum.
func (t TCP) Bytes(src, dst netip.Addr) []byte {
	options := pad(t.Options, 4)
	b := make([]byte, tcpHeader, tcpHeader+len(options)+len(t.Payload))
	binary.BigEndian.PutUint16(b[0:], t.SrcPort)
	binary.BigEndian.PutUint16(b[2:], t.DstPort)
	binary.BigEndian.PutUint32(b[4:], t.Seq)
	binary.BigEndian.PutUint32(b[8:], t.Ack)
	b[12] = byte((tcpHeader + len(options)) / 4 << 4)
	b[13] = byte(t.Flags)
	binary.BigEndian.PutUint16(b[14:], t.Window)
	b = append(append(b, options...), t.Payload...)
	binary.BigEndian.PutUint16(b[16:], checksum(pseudoHeader(src, dst, ProtocolTCP, len(b)), b))
	return b
}

// MSS is the option of that name (RFC 9293, section 3.7.1).
func MSS(size uint16) []byte {
	return []byte{2, 4, byte(size >> 8), byte(size)}
}

// WindowScale is the option of that name (RFC 7323, section 2.2).
func WindowScale(shift uint8) []byte {
	return []byte{1, 3, 3, shift}
}

// SACKPermitted is the option of that name (RFC 2018, section 2).
func SACKPermitted() []byte {
	return []byte{1, 1, 4, 2}
}

// Timestamps is the option of that name (RFC 7323, section 3.2).
func Timestamps(value, echo uint32) []byte {
	b := []byte{1, 1, 8, 10}
	b = binary.BigEndian.AppendUint32(b, value)
	return binary.BigEndian.AppendUint32(b, echo)
}

// pad returns b with zeros up to the next multiple of size.
func pad(b []byte, size int) []byte {
	for len(b)%size != 0 {
		b = append(b[:len(b):len(b)], 0)
	}
	return b
}
