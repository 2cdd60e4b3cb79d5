package capture

import (
	"encoding/binary"
	"fmt"
	"time"
)

// The format is described in pcap-savefile(5) and draft-ietf-opsawg-pcap.
const (
	pcapMagicMicro = 0xa1b2c3d4
	pcapMagicNano  = 0xa1b23c4d
	// pcapMagicModified is that of Kuznetzov's libpcap: each record's header
	// has eight bytes more (interface index, protocol, packet type).
	pcapMagicModified = 0xa1b2cd34
	// pcapMagicIxiaHardware and pcapMagicIxiaSoftware are those of Ixia's lcap
	// files, with nanoseconds and microseconds. Their header ends in four bytes
	// more, the length of all records (Wireshark's wiretap/libpcap.c).
	pcapMagicIxiaHardware = 0x1c0001ac
	pcapMagicIxiaSoftware = 0x1c0001ab

	pcapHeaderLen         = 24
	pcapIxiaHeaderLen     = 28
	pcapRecordLen         = 16
	pcapModifiedRecordLen = 24

	// pcapMaxSnaplen is the longest packet that libpcap captures, and so what
	// may be in a file whose snapshot length is smaller or zero.
	pcapMaxSnaplen = 262144
)

// pcapFile reads the records of a pcap file.
type pcapFile struct {
	buf       *fileBuffer
	bigEndian bool
	link      LinkType
	fraction  time.Duration // unit of a time's second field
	recordLen int           // of a record's header
	limit     uint32        // longest captured length that is believed
	lengths   pcapLengths
}

// pcapLengths tells in which order a record's two lengths stand.
type pcapLengths int

const (
	pcapCapturedFirst pcapLengths = iota
	pcapCapturedLast
	pcapShorterFirst
)

// pcapLengthsOf tells it by the file's version. The captured length stands first
// since 2.3, but some files that say 2.3 still have it last, and so do those of
// DG/UX, which say 543.0. Since 1998 2.4 is written, and what says anything else
// is read like that.
func pcapLengthsOf(major, minor uint16) pcapLengths {
	switch {
	case major == 2 && minor < 3, major == 543:
		return pcapCapturedLast
	case major == 2 && minor == 3:
		return pcapShorterFirst
	}
	return pcapCapturedFirst
}

// sorted returns the captured length and the packet's of the two lengths.
func (l pcapLengths) sorted(first, second uint32) (captured, length uint32) {
	if l == pcapCapturedLast || l == pcapShorterFirst && first > second {
		return second, first
	}
	return first, second
}

// pcapIsMagic reports whether head begins a pcap file.
func pcapIsMagic(head []byte) bool {
	_, _, ok := pcapMagic(head)
	return ok
}

// pcapMagic returns the file's magic number and byte order.
func pcapMagic(head []byte) (binary.ByteOrder, uint32, bool) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch magic := order.Uint32(head); magic {
		case pcapMagicMicro, pcapMagicNano, pcapMagicModified, pcapMagicIxiaHardware, pcapMagicIxiaSoftware:
			return order, magic, true
		}
	}
	return nil, 0, false
}

// newPcapFile reads the file's header.
func newPcapFile(buf *fileBuffer) (*pcapFile, error) {
	order, magic, _ := pcapMagic(buf.unread())
	headerLen := pcapHeaderLen
	if magic == pcapMagicIxiaHardware || magic == pcapMagicIxiaSoftware {
		headerLen = pcapIxiaHeaderLen
	}
	head, err := buf.peek(headerLen)
	if err != nil {
		return nil, err
	}
	f := &pcapFile{buf: buf, bigEndian: order == binary.BigEndian, fraction: time.Microsecond, recordLen: pcapRecordLen}
	switch magic {
	case pcapMagicNano, pcapMagicIxiaHardware:
		f.fraction = time.Nanosecond
	case pcapMagicModified:
		f.recordLen = pcapModifiedRecordLen
	}
	f.lengths = pcapLengthsOf(order.Uint16(head[4:]), order.Uint16(head[6:]))
	f.limit = min(max(order.Uint32(head[16:]), pcapMaxSnaplen), fileRecordLimit)
	// The upper half of the field tells of a frame check sequence.
	f.link = LinkType(order.Uint32(head[20:]) & 0xffff)
	buf.take(headerLen)
	return f, nil
}

// beginsPcap reports whether another file's header stands where a record or a block should, as
// in what cat(1) has joined: a magic number, and version 2.4. Read as a record it would be a
// packet captured in a certain microsecond of 1984, or of a year after 2050; as a block one of
// a private type, with 256 KiB and two bytes.
func beginsPcap(head []byte) bool {
	const little, big = 4<<16 | 2, 4<<24 | 2<<8
	version := binary.LittleEndian.Uint32(head[4:])
	return (version == little || version == big) && pcapIsMagic(head)
}

// errBlank says that what should be a record is none.
var errBlank = fmt.Errorf("%w: there are zeros where a packet should be, as after a power failure", ErrDamaged)

// isBlank reports whether a record's header has no times and no lengths: a packet without a
// byte was never captured. What was not written yet when a disk stopped is zeros.
func isBlank(head []byte) bool {
	return binary.LittleEndian.Uint64(head)|binary.LittleEndian.Uint64(head[8:]) == 0
}

// recordHead returns the next record's header.
func (f *pcapFile) recordHead() ([]byte, error) {
	head, err := f.buf.peek(f.recordLen)
	switch {
	case err != nil:
		return nil, err
	case isBlank(head):
		return nil, errBlank
	case beginsPcap(head), beginsPcapng(head):
		return nil, errJoined
	}
	return head, nil
}

// next implements fileFormat.
func (f *pcapFile) next(p *Packet, sifted *sieving) error {
	for {
		second, nanoseconds, err := f.record(p)
		if err != nil {
			return err
		}
		if sifted.lets(p, second) {
			p.Time = time.Unix(second, nanoseconds).UTC()
			return nil
		}
	}
}

// record reads the next packet, and returns its time since 1970.
func (f *pcapFile) record(p *Packet) (second, nanoseconds int64, err error) {
	head, err := f.recordHead()
	if err != nil {
		return 0, 0, err
	}
	second, nanoseconds = int64(f.number(head)), int64(f.number(head[4:]))*int64(f.fraction)
	captured, length := f.lengths.sorted(f.number(head[8:]), f.number(head[12:]))
	if captured > f.limit {
		return 0, 0, fmt.Errorf("%w: a packet claims %d bytes", ErrDamaged, captured)
	}
	record, err := f.buf.peek(f.recordLen + int(captured))
	if err != nil {
		return 0, 0, err
	}
	f.buf.take(len(record))
	p.Data = record[f.recordLen:]
	p.Length = int(max(captured, length))
	p.LinkType = f.link
	if nanoseconds >= int64(time.Second) { // damaged
		second, nanoseconds = second+nanoseconds/int64(time.Second), nanoseconds%int64(time.Second)
	}
	return second, nanoseconds, nil
}

// number reads a number of 32 bits.
func (f *pcapFile) number(data []byte) uint32 {
	if f.bigEndian {
		return binary.BigEndian.Uint32(data)
	}
	return binary.LittleEndian.Uint32(data)
}
