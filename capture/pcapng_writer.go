package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"time"
)

const (
	// pcapngMaxOption is the longest value that an option's 16-bit length allows.
	pcapngMaxOption = math.MaxUint16
	// pcapngMaxData leaves room in a block for one option (64 KiB) and the
	// fixed fields, so that our reader takes every block that we write.
	pcapngMaxData = fileRecordLimit - 128<<10
)

// ErrDoesNotFit: the format has no room for a packet, and has for the next.
var ErrDoesNotFit = errors.New("does not fit into pcapng")

// PcapngWriter writes packets to a pcapng file: one section, little-endian,
// times in nanoseconds. It is not safe for concurrent use.
type PcapngWriter struct {
	w          io.Writer
	blocks     []byte        // not written yet; the room is used again
	added      []pcapngAdded // the packets in blocks
	interfaces map[pcapngKey]uint32
	declared   int   // of the interfaces, those that are in the file
	whole      int64 // bytes of the file up to the end of its last whole packet
	err        error // of a failed Write, after which nothing can follow
}

// pcapngAdded is where a packet ends that is not written yet, and how many interfaces there
// are up to there.
type pcapngAdded struct{ end, interfaces int }

// pcapngKey is what makes packets belong to one interface of the file.
type pcapngKey struct {
	link    LinkType
	id      int
	name    string
	network string
}

// NewPcapngWriter writes the head of a pcapng file to w, naming application as
// the program that writes it.
func NewPcapngWriter(w io.Writer, application string) (*PcapngWriter, error) {
	if len(application) > pcapngMaxOption {
		return nil, fmt.Errorf("an application name of %d bytes does not fit into pcapng", len(application))
	}
	pw := &PcapngWriter{w: w, interfaces: make(map[pcapngKey]uint32)}
	start := pw.begin(pcapngSectionHeader)
	pw.uint32(pcapngByteOrderMagic)
	pw.uint32(1)              // version 1.0
	pw.uint32(math.MaxUint32) // the section's length, 64 bits, is not known
	pw.uint32(math.MaxUint32)
	pw.option(pcapngOptUserAppl, application)
	pw.endOptions()
	pw.finish(start)
	if _, err := pw.Flush(); err != nil {
		return nil, err
	}
	return pw, nil
}

// WritePacket is Add and Flush.
func (w *PcapngWriter) WritePacket(p Packet) error {
	if err := w.Add(&p); err != nil {
		return err
	}
	_, err := w.Flush()
	return err
}

// Add takes in p, to be written with the next Flush, and before the first packet of an
// interface (each different LinkType, InterfaceID, Interface and Network is one) that
// interface's description. A reader numbers interfaces in the order of their first packet.
//
// A time before 1970 or after 2554, such as the zero time, does not fit the format and is
// written as 1970. What fails with ErrDoesNotFit is left out. After a failed Write all
// calls return its error, until Mended.
func (w *PcapngWriter) Add(p *Packet) error {
	if w.err != nil {
		return w.err
	}
	if err := pcapngCheck(p); err != nil {
		return err
	}
	key := pcapngKey{p.LinkType, p.InterfaceID, p.Interface, p.Network}
	id, known := w.interfaces[key]
	if !known {
		if len(w.interfaces) == pcapngMaxInterfaces {
			return fmt.Errorf("an interface beyond the first %d %w", pcapngMaxInterfaces, ErrDoesNotFit)
		}
		id = uint32(len(w.interfaces))
		w.interfaces[key] = id
		w.declare(key)
	}
	w.packet(id, p)
	w.added = append(w.added, pcapngAdded{len(w.blocks), len(w.interfaces)})
	return nil
}

// Flush writes what was added, whole blocks in one Write: a file whose writer was killed
// can be read. If that fails it returns how many of the packets are in the file as a whole.
func (w *PcapngWriter) Flush() (packets int, err error) {
	if w.err != nil || len(w.blocks) == 0 {
		return 0, w.err
	}
	n, err := w.w.Write(w.blocks)
	packets, w.err = len(w.added), err
	if err == nil {
		w.whole += int64(n)
		w.declared = len(w.interfaces)
	} else {
		packets = w.keep(n)
	}
	w.blocks, w.added = w.blocks[:0], w.added[:0]
	return packets, err
}

// keep takes in that only the first n bytes were written, and returns how many packets these
// are. The interfaces of the others are not in the file either.
func (w *PcapngWriter) keep(n int) (packets int) {
	for packets < len(w.added) && w.added[packets].end <= n {
		packets++
	}
	if packets > 0 {
		last := w.added[packets-1]
		w.whole += int64(last.end)
		w.declared = last.interfaces
	}
	maps.DeleteFunc(w.interfaces, func(_ pcapngKey, id uint32) bool { return int(id) >= w.declared })
	return packets
}

// Whole returns how many bytes the file has up to the end of its last whole packet.
func (w *PcapngWriter) Whole() int64 { return w.whole }

// WriteDrops says behind the packets how many others are missing that were to be among them,
// in an Interface Statistics Block of the first interface. Errors are those of Flush.
func (w *PcapngWriter) WriteDrops(n uint64, at time.Time) error {
	if w.err != nil {
		return w.err
	}
	if len(w.interfaces) == 0 {
		w.declare(pcapngKey{link: LinkEthernet})
	}
	start := w.begin(pcapngStatistics)
	w.uint32(0)
	w.timestamp(at)
	w.option(pcapngOptOSDrop, string(binary.LittleEndian.AppendUint64(nil, n)))
	w.endOptions()
	w.finish(start)
	_, err := w.Flush()
	return err
}

// Mended has packets written again after a Write that failed: the file ends where its last
// whole packet does.
func (w *PcapngWriter) Mended() { w.err = nil }

// pcapngCheck reports what of p does not fit into the format.
func pcapngCheck(p *Packet) error {
	switch {
	case p.LinkType < 0 || p.LinkType > math.MaxUint16:
		return fmt.Errorf("link type %d %w", p.LinkType, ErrDoesNotFit)
	case len(p.Data) > pcapngMaxData, int64(p.Length) > math.MaxUint32:
		return fmt.Errorf("a packet of %d bytes %w", max(len(p.Data), p.Length), ErrDoesNotFit)
	case len(p.Interface) > pcapngMaxName:
		return fmt.Errorf("an interface name of %d bytes %w", len(p.Interface), ErrDoesNotFit)
	case len(p.Network) > pcapngMaxName:
		return fmt.Errorf("the name of a network namespace of %d bytes %w", len(p.Network), ErrDoesNotFit)
	case len(p.Comment) > pcapngMaxOption:
		return fmt.Errorf("a comment of %d bytes %w", len(p.Comment), ErrDoesNotFit)
	}
	return nil
}

// declare appends an Interface Description Block.
func (w *PcapngWriter) declare(key pcapngKey) {
	start := w.begin(pcapngInterfaceBlock)
	w.uint32(uint32(key.link)) // and 16 reserved bits
	w.uint32(0)                // no snapshot length
	w.option(pcapngOptName, key.name)
	if key.network != "" {
		w.option(pcapngOptDescription, key.network)
	}
	w.option(pcapngOptTsResol, "\x09") // 10^-9 s
	w.endOptions()
	w.finish(start)
}

// packet appends an Enhanced Packet Block.
func (w *PcapngWriter) packet(id uint32, p *Packet) {
	start := w.begin(pcapngEnhancedPacket)
	w.uint32(id)
	w.timestamp(p.Time)
	w.uint32(uint32(len(p.Data)))
	w.uint32(uint32(max(p.Length, len(p.Data))))
	w.blocks = append(w.blocks, p.Data...)
	w.pad(len(p.Data))
	if p.Comment != "" {
		w.option(pcapngOptComment, p.Comment)
		w.endOptions()
	}
	w.finish(start)
}

// timestamp appends t, the upper half first.
func (w *PcapngWriter) timestamp(t time.Time) {
	nanoseconds := pcapngNanoseconds(t)
	w.uint32(uint32(nanoseconds >> 32))
	w.uint32(uint32(nanoseconds))
}

// pcapngNanoseconds returns t in nanoseconds since 1970, 0 if that does not
// fit into 64 bits without a sign.
func pcapngNanoseconds(t time.Time) uint64 {
	const maxSeconds = math.MaxUint64/1_000_000_000 - 1 // 2554-07-21
	if s := t.Unix(); s >= 0 && s <= maxSeconds {
		return uint64(s)*1e9 + uint64(t.Nanosecond())
	}
	return 0
}

// begin appends a block's head and returns where it is; finish fills in the
// block's length there and appends it.
func (w *PcapngWriter) begin(kind uint32) (start int) {
	start = len(w.blocks)
	w.uint32(kind)
	w.uint32(0)
	return start
}

func (w *PcapngWriter) finish(start int) {
	length := uint32(len(w.blocks) - start + 4)
	binary.LittleEndian.PutUint32(w.blocks[start+4:], length)
	w.uint32(length)
}

// option appends an option, none if the value is empty.
func (w *PcapngWriter) option(code uint16, value string) {
	if value == "" {
		return
	}
	w.uint32(uint32(len(value))<<16 | uint32(code))
	w.blocks = append(w.blocks, value...)
	w.pad(len(value))
}

func (w *PcapngWriter) endOptions() { w.uint32(pcapngOptEnd) }

func (w *PcapngWriter) uint32(v uint32) {
	w.blocks = binary.LittleEndian.AppendUint32(w.blocks, v)
}

// pad appends what n bytes lack to the next 32-bit boundary.
func (w *PcapngWriter) pad(n int) {
	var zeros [4]byte
	w.blocks = append(w.blocks, zeros[:pcapngPadded(n)-n]...)
}
