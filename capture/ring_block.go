package capture

import (
	"encoding/binary"
	"errors"
	"time"
)

// The layout of a block of packets as the kernel hands it over, TPACKET_V3
// (linux/if_packet.h; Documentation/networking/packet_mmap.rst in the kernel's
// source). Numbers are in the byte order of the machine.
const (
	blockStatusAt = 8  // tpacket_hdr_v1.block_status: who the block belongs to
	blockCountAt  = 12 // num_pkts
	blockFirstAt  = 16 // offset_to_first_pkt
	blockHeader   = 48 // sizeof(struct tpacket_block_desc)

	frameHeader  = 48 // TPACKET_ALIGN(sizeof(struct tpacket3_hdr))
	frameAddress = 20 // sizeof(struct sockaddr_ll)
)

// cookedHeader is the length of a LinkLinuxSLL2 header
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html).
const cookedHeader = 20

// errBlock says that a block is not laid out as it should be.
var errBlock = errors.New("the kernel's buffer is damaged")

// ringBlock is what is left of a block to be read.
type ringBlock struct {
	bytes []byte
	next  int // where the next frame begins
	left  int // frames
}

func openBlock(bytes []byte) (ringBlock, error) {
	if len(bytes) < blockHeader {
		return ringBlock{}, errBlock
	}
	number := func(at int) int { return int(binary.NativeEndian.Uint32(bytes[at:])) }
	return ringBlock{bytes: bytes, next: number(blockFirstAt), left: number(blockCountAt)}, nil
}

// frame returns the next packet with a LinkLinuxSLL2 header, for which it uses
// the buffer. It reports false at the end of the block.
func (b *ringBlock) frame(buffer []byte) (p Packet, ok bool, err error) {
	if b.left == 0 {
		return Packet{}, false, nil
	}
	if b.next < 0 || b.next > len(b.bytes)-frameHeader-frameAddress {
		return Packet{}, false, errBlock
	}
	frame := b.bytes[b.next:]
	number := func(at int) uint32 { return binary.NativeEndian.Uint32(frame[at:]) }
	offset, captured, length := int(binary.NativeEndian.Uint16(frame[26:])), int(number(12)), int(number(16))
	if captured < 0 || offset < frameHeader+frameAddress || offset > len(frame) || captured > len(frame)-offset {
		return Packet{}, false, errBlock
	}
	address := frame[frameHeader : frameHeader+frameAddress]
	p = Packet{
		Data:        append(appendCooked(buffer[:0], address), frame[offset:offset+captured]...),
		Length:      max(length, captured) + cookedHeader,
		Time:        time.Unix(int64(number(4)), int64(number(8))),
		LinkType:    LinkLinuxSLL2,
		InterfaceID: int(binary.NativeEndian.Uint32(address[4:])),
	}
	b.left--
	if b.left != 0 && number(0) < frameHeader+frameAddress {
		return Packet{}, false, errBlock // it would be the same frame for ever
	}
	b.next += int(number(0))
	return p, true, nil
}

// appendCooked makes a LinkLinuxSLL2 header of a struct sockaddr_ll (packet(7)).
func appendCooked(header, address []byte) []byte {
	header = append(header, address[2], address[3], 0, 0) // protocol, in network order there too
	header = binary.BigEndian.AppendUint32(header, binary.NativeEndian.Uint32(address[4:]))
	header = binary.BigEndian.AppendUint16(header, binary.NativeEndian.Uint16(address[8:]))
	return append(header, address[10:20]...) // packet type, length of the sender's address, and that
}

// timespec reads a struct timespec of a 64-bit machine (timespec(3type)).
func timespec(b []byte) (time.Time, bool) {
	if len(b) < 16 {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))), true
}
