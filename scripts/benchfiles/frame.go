package main

import "encoding/binary"

// end is one end of a conversation, with the link address of its side.
type end struct {
	mac  [6]byte
	addr [4]byte
	port uint16
}

// Header lengths in bytes, without options (RFC 791, 768, 9293).
const (
	etherLen = 14
	ipLen    = 20
	udpLen   = 8
	tcpLen   = 20
)

// Protocol numbers of IPv4 (RFC 791, assigned by IANA).
const (
	protocolTCP = 6
	protocolUDP = 17
)

// TCP flags (RFC 9293, section 3.1).
const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagPSH = 0x08
	flagACK = 0x10
)

// window is what each end offers; it counts 128-fold (wscale 7).
const window = 502

// appendTCP appends the segment as a whole Ethernet frame.
func appendTCP(frame []byte, id uint16, from, to *end, s *segment) []byte {
	options := s.flags&flagSYN == 0
	optionsLen := 20
	if options {
		optionsLen = 12
	}
	frame = appendIP(frame, id, from, to, protocolTCP, tcpLen+optionsLen+len(s.payload))
	start := len(frame)
	frame = binary.BigEndian.AppendUint16(frame, from.port)
	frame = binary.BigEndian.AppendUint16(frame, to.port)
	frame = binary.BigEndian.AppendUint32(frame, s.seq)
	frame = binary.BigEndian.AppendUint32(frame, s.ack)
	frame = append(frame, byte((tcpLen+optionsLen)/4<<4), s.flags)
	frame = binary.BigEndian.AppendUint16(frame, window)
	frame = append(frame, 0, 0, 0, 0) // checksum, urgent pointer
	frame = appendOptions(frame, s)
	frame = append(frame, s.payload...)
	setChecksum(frame[start:], 16, pseudoSum(from, to, protocolTCP, len(frame)-start))
	return frame
}

// appendOptions appends what Linux sends: on a SYN maximum segment size, SACK
// permitted, timestamps and window scale, else timestamps (RFC 9293, section
// 3.2, RFC 2018, RFC 7323).
func appendOptions(frame []byte, s *segment) []byte {
	if s.flags&flagSYN != 0 {
		frame = append(frame, 2, 4, mss>>8, mss&0xff, 4, 2, 8, 10)
	} else {
		frame = append(frame, 1, 1, 8, 10)
	}
	frame = binary.BigEndian.AppendUint32(frame, s.stamp)
	frame = binary.BigEndian.AppendUint32(frame, s.echo)
	if s.flags&flagSYN != 0 {
		frame = append(frame, 1, 3, 3, 7)
	}
	return frame
}

// appendUDP appends a datagram as a whole Ethernet frame.
func appendUDP(frame []byte, id uint16, from, to *end, payload []byte) []byte {
	frame = appendIP(frame, id, from, to, protocolUDP, udpLen+len(payload))
	start := len(frame)
	frame = binary.BigEndian.AppendUint16(frame, from.port)
	frame = binary.BigEndian.AppendUint16(frame, to.port)
	frame = binary.BigEndian.AppendUint16(frame, uint16(udpLen+len(payload)))
	frame = append(frame, 0, 0)
	frame = append(frame, payload...)
	setChecksum(frame[start:], 6, pseudoSum(from, to, protocolUDP, len(frame)-start))
	if frame[start+6] == 0 && frame[start+7] == 0 {
		frame[start+6], frame[start+7] = 0xff, 0xff // zero says that there is none (RFC 768)
	}
	return frame
}

// appendIP appends the Ethernet and IPv4 headers of a packet that carries
// length bytes.
func appendIP(frame []byte, id uint16, from, to *end, protocol byte, length int) []byte {
	frame = append(frame, to.mac[:]...)
	frame = append(frame, from.mac[:]...)
	frame = append(frame, 0x08, 0x00) // IPv4
	start := len(frame)
	frame = append(frame, 4<<4|ipLen/4, 0)
	frame = binary.BigEndian.AppendUint16(frame, uint16(ipLen+length))
	frame = binary.BigEndian.AppendUint16(frame, id)
	frame = append(frame, 0x40, 0, 64, protocol, 0, 0) // don't fragment; 64 hops
	frame = append(frame, from.addr[:]...)
	frame = append(frame, to.addr[:]...)
	setChecksum(frame[start:], 10, 0)
	return frame
}

// pseudoSum is the sum of the header that is not sent (RFC 9293, section 3.1).
func pseudoSum(from, to *end, protocol byte, length int) uint64 {
	return sum(from.addr[:]) + sum(to.addr[:]) + uint64(protocol) + uint64(length)
}

// setChecksum writes the Internet checksum (RFC 1071) of data, and of what is
// already in carried, at the offset.
func setChecksum(data []byte, offset int, carried uint64) {
	total := carried + sum(data)
	for total>>16 != 0 {
		total = total&0xffff + total>>16
	}
	binary.BigEndian.PutUint16(data[offset:], ^uint16(total))
}

// sum adds up 32 bits at a time: the carries out of 16 bits are folded in at
// the end, and 64 bits have room for all.
func sum(data []byte) (total uint64) {
	for len(data) >= 4 {
		total += uint64(binary.BigEndian.Uint32(data))
		data = data[4:]
	}
	var last [4]byte
	copy(last[:], data)
	return total + uint64(binary.BigEndian.Uint32(last[:]))
}
