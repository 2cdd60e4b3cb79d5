package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"
)

// The format is described in draft-ietf-opsawg-pcapng. These are the block
// types that are read; all others are skipped.
const (
	pcapngSectionHeader  = 0x0a0d0d0a // the same in both byte orders
	pcapngInterfaceBlock = 1
	pcapngPacketBlock    = 2 // obsolete
	pcapngSimplePacket   = 3
	pcapngStatistics     = 5
	pcapngEnhancedPacket = 6
	pcapngProcessBlock   = 0x80000001 // Apple's
)

const (
	// pcapngByteOrderMagic follows a section header's type and length.
	pcapngByteOrderMagic = 0x1a2b3c4d
	// pcapngHeadLen is a block's type and length; pcapngMinBlockLen is these
	// and the length once more at its end.
	pcapngHeadLen     = 8
	pcapngMinBlockLen = 12
	// pcapngMaxBlockLen is the longest that 32 bits hold with its padding.
	pcapngMaxBlockLen = math.MaxUint32 &^ 3

	// pcapngMaxInterfaces bounds a section's interfaces and pcapngMaxName
	// their names: 64 Ki times some 320 bytes are 20 MiB at most. Systems
	// allow 15 bytes (Linux) to some 50 (Windows).
	pcapngMaxInterfaces = 64 << 10
	pcapngMaxName       = 255
)

// pcapngFile reads the blocks of a pcapng file.
type pcapngFile struct {
	buf        *fileBuffer
	order      binary.ByteOrder
	interfaces []pcapngInterface // of the current section
	firstID    int               // the InterfaceID of the first of them
	processes  []pcapngProcess   // of the current section
	last       time.Time         // of the last packet that had one
	drops      *atomic.Uint64    // packets that the file says were lost are added
}

// pcapngInterface is what a section says of an interface.
type pcapngInterface struct {
	link    LinkType
	snaplen uint32 // 0 means no limit
	name    string
	network string // that it is in, empty for the capture's own
	clock   pcapngClock
	drops   pcapngDrops
}

// pcapngIsMagic reports whether head begins a pcapng file.
func pcapngIsMagic(head []byte) bool {
	return binary.LittleEndian.Uint32(head) == pcapngSectionHeader
}

// beginsPcapng reports whether a section begins where a record of a pcap file should. Read as a
// record it would be a packet of 1975 with 418 MiB or more.
func beginsPcapng(head []byte) bool {
	return pcapngIsMagic(head) && pcapngOrder(head) != nil
}

// newPcapngFile checks that the file begins with a section.
func newPcapngFile(buf *fileBuffer, drops *atomic.Uint64) (*pcapngFile, error) {
	head, err := buf.peek(pcapngMinBlockLen)
	if err != nil {
		return nil, err
	}
	if pcapngOrder(head) == nil {
		return nil, fmt.Errorf("%w: it begins like pcapng but without a byte-order magic", ErrNotCapture)
	}
	return &pcapngFile{buf: buf, drops: drops}, nil
}

// pcapngOrder returns the byte order of the section that head begins, nil if
// it cannot be told.
func pcapngOrder(head []byte) binary.ByteOrder {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if order.Uint32(head[pcapngHeadLen:]) == pcapngByteOrderMagic {
			return order
		}
	}
	return nil
}

// next implements fileFormat.
func (f *pcapngFile) next(p *Packet, sifted *sieving) error {
	for {
		packet, err := f.nextBlock(p)
		switch {
		case err != nil:
			return err
		case packet && sifted.lets(p, p.Time.Unix()):
			return nil
		case packet:
			*p = Packet{}
		}
	}
}

// nextBlock takes in the next block and reports whether it was a packet.
func (f *pcapngFile) nextBlock(p *Packet) (packet bool, err error) {
	kind, length, err := f.head()
	if err != nil {
		return false, err
	}
	if kind == pcapngProcessBlock && length > pcapngMaxProcess {
		f.declareProcess(nil)
		return false, f.skip(length)
	}
	if !pcapngIsRead(kind) || kind == pcapngStatistics && length > pcapngMaxStatistics {
		return false, f.skip(length)
	}
	block, err := f.block(length)
	if err != nil {
		return false, err
	}
	packet, err = f.read(kind, block[pcapngHeadLen:len(block)-4], p)
	if err == nil {
		f.buf.take(len(block))
	}
	return packet, err
}

// pcapngIsRead reports whether blocks of that type are looked into.
func pcapngIsRead(kind uint32) bool {
	switch kind {
	case pcapngSectionHeader, pcapngInterfaceBlock, pcapngPacketBlock, pcapngSimplePacket, pcapngStatistics, pcapngEnhancedPacket, pcapngProcessBlock:
		return true
	}
	return false
}

// head returns type and length of the next block. A section header sets the
// byte order, also that of its own length. Some writers do not count the padding
// up to a 32-bit boundary; it is there all the same, and Wireshark reads that.
func (f *pcapngFile) head() (kind, length uint32, err error) {
	head, err := f.buf.peek(pcapngMinBlockLen)
	if err != nil {
		return 0, 0, err
	}
	if beginsPcap(head) {
		return 0, 0, errJoined
	}
	if pcapngIsMagic(head) {
		if f.order = pcapngOrder(head); f.order == nil {
			return 0, 0, fmt.Errorf("%w: a section has no byte-order magic", ErrDamaged)
		}
	}
	kind, length = f.order.Uint32(head), f.order.Uint32(head[4:])
	if length < pcapngMinBlockLen || length > pcapngMaxBlockLen {
		return 0, 0, fmt.Errorf("%w: a block claims %d bytes", ErrDamaged, length)
	}
	return kind, length, nil
}

// block returns the next block whole.
func (f *pcapngFile) block(length uint32) ([]byte, error) {
	if length > fileRecordLimit {
		return nil, fmt.Errorf("%w: a block claims %d bytes", ErrDamaged, length)
	}
	block, err := f.buf.peek(pcapngPadded(int(length)))
	if err != nil {
		return nil, err
	}
	return block, f.checkEnd(block[len(block)-4:], length)
}

// skip passes over the next block, which may be longer than memory.
func (f *pcapngFile) skip(length uint32) error {
	padded := (int64(length) + 3) &^ 3
	err := f.buf.skip(padded - 4)
	if err != nil {
		return pcapngCut(err)
	}
	end, err := f.buf.peek(4)
	if err != nil {
		return pcapngCut(err)
	}
	if err := f.checkEnd(end, length); err != nil {
		return err
	}
	f.buf.take(4)
	return nil
}

// pcapngCut returns err of a read that began inside a block, where the end of
// the input is not expected.
func pcapngCut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// checkEnd compares the length at a block's end, with or without its padding,
// with the one at its head.
func (f *pcapngFile) checkEnd(end []byte, length uint32) error {
	if last := f.order.Uint32(end); last != length && last != (length+3)&^3 {
		return fmt.Errorf("%w: a block has %d bytes by its head and %d by its end", ErrDamaged, length, last)
	}
	return nil
}

// read takes in the body of a block of a type that is read, and reports
// whether it was a packet.
func (f *pcapngFile) read(kind uint32, body []byte, p *Packet) (bool, error) {
	switch kind {
	case pcapngSectionHeader:
		return false, f.section(body)
	case pcapngInterfaceBlock:
		return false, f.declare(body)
	case pcapngSimplePacket:
		return true, f.simplePacket(body, p)
	case pcapngProcessBlock:
		f.declareProcess(body)
		return false, nil
	case pcapngStatistics:
		f.statistics(body)
		return false, nil
	case pcapngPacketBlock:
		return true, f.packetBlock(body, p)
	}
	return true, f.enhancedPacket(body, p)
}

// section begins a section, which declares its interfaces anew. Its length is
// not needed: the next section is found by reading on.
func (f *pcapngFile) section(body []byte) error {
	if len(body) < 16 {
		return fmt.Errorf("%w: a section header is too short", ErrDamaged)
	}
	major, minor := f.order.Uint16(body[4:]), f.order.Uint16(body[6:])
	if major != 1 {
		return fmt.Errorf("%w: a section has the version %d.%d, and only 1 is known", ErrDamaged, major, minor)
	}
	f.firstID += len(f.interfaces)
	f.interfaces, f.processes = f.interfaces[:0], nil
	return nil
}

// declare takes in an interface description.
func (f *pcapngFile) declare(body []byte) error {
	if len(body) < 8 {
		return fmt.Errorf("%w: an interface description is too short", ErrDamaged)
	}
	if len(f.interfaces) == pcapngMaxInterfaces {
		return fmt.Errorf("%w: it declares more than %d interfaces", ErrDamaged, pcapngMaxInterfaces)
	}
	i := pcapngInterface{
		link:    LinkType(f.order.Uint16(body)),
		snaplen: f.order.Uint32(body[4:]),
		clock:   pcapngDefaultClock(),
	}
	if err := i.readOptions(body[8:], f.order); err != nil {
		return err
	}
	f.interfaces = append(f.interfaces, i)
	return nil
}
