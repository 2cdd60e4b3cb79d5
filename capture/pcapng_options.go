package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"imds-analyzer/imds"
)

// Options, by the blocks that they stand in; the first two stand in all.
const (
	pcapngOptEnd     = 0
	pcapngOptComment = 1

	pcapngOptFlags    = 2 // Enhanced Packet Block
	pcapngOptProcess  = 0x8001
	pcapngOptOnBehalf = 0x8003

	pcapngOptUserAppl = 4 // Section Header Block: who writes

	pcapngOptName        = 2 // Interface Description Block
	pcapngOptDescription = 3
	pcapngOptTsResol     = 9
	pcapngOptTsOffset    = 14
)

// pcapngNetwork begins the description of an interface that is in another network
// namespace than the capture's own: its name (namespaces(7)). Without it packets
// with the same tuple in two of them would be read as one connection's.
const pcapngNetwork = "net:["

// pcapngOption is one option of a block.
type pcapngOption struct {
	code  uint16
	value []byte
}

// pcapngNextOption splits the first option off b. Without one, at the end
// marker or at the end of b, the code is pcapngOptEnd. ok is false if the
// option is longer than b.
func pcapngNextOption(b []byte, order binary.ByteOrder) (o pcapngOption, rest []byte, ok bool) {
	if len(b) == 0 {
		return pcapngOption{}, nil, true
	}
	if len(b) < 4 {
		return pcapngOption{}, nil, false
	}
	code, length := order.Uint16(b), int(order.Uint16(b[2:]))
	if code == pcapngOptEnd {
		return pcapngOption{}, nil, true
	}
	b = b[4:]
	if length > len(b) {
		return pcapngOption{}, nil, false
	}
	return pcapngOption{code, b[:length]}, b[min(pcapngPadded(length), len(b)):], true
}

// readPacketOptions takes in the options of an interface's packet; comments are each on a line.
// Options that overrun the block end the search: the packet itself is whole.
func (f *pcapngFile) readPacketOptions(options []byte, id uint32, p *Packet) {
	var comments []string
	for {
		o, rest, ok := pcapngNextOption(options, f.order)
		if !ok || o.code == pcapngOptEnd {
			p.Comment = strings.Join(comments, "\n")
			return
		}
		switch {
		case o.code == pcapngOptComment:
			comments = append(comments, pcapngText(o.value))
		case o.code == pcapngOptDropCount && len(o.value) == 8:
			f.addDrops(id, f.order.Uint64(o.value))
		case len(o.value) == 4:
			f.setPacketOption(o.code, f.order.Uint32(o.value), p)
		}
		options = rest
	}
}

// setPacketOption takes in an option that is a number.
func (f *pcapngFile) setPacketOption(code uint16, value uint32, p *Packet) {
	switch code {
	case pcapngOptFlags: // the lowest two bits: 1 is inbound, 2 outbound
		p.Inbound = value&3 == 1
	case pcapngOptProcess, pcapngOptOnBehalf:
		f.setSender(code, value, p)
	}
}

// pcapngText returns an option's text. Some writers end it with a zero byte,
// which the format does not.
func pcapngText(value []byte) string {
	return strings.TrimRight(string(value), "\x00")
}

// pcapngName returns the beginning of an option's text, without secrets: what is left of one
// that is cut would not be known as one.
func pcapngName(value []byte) string {
	name := imds.Redact(pcapngText(value))
	return strings.Clone(name[:min(len(name), pcapngMaxName)])
}

// readOptions takes in an interface's options. Without a good time resolution
// no packet could be dated, so here options that overrun are damage.
func (i *pcapngInterface) readOptions(options []byte, order binary.ByteOrder) error {
	for {
		o, rest, ok := pcapngNextOption(options, order)
		if !ok {
			return fmt.Errorf("%w: the options of an interface are cut", ErrDamaged)
		}
		if o.code == pcapngOptEnd {
			return nil
		}
		if err := i.setOption(o, order); err != nil {
			return err
		}
		options = rest
	}
}

// setOption takes in one option of an interface.
func (i *pcapngInterface) setOption(o pcapngOption, order binary.ByteOrder) error {
	switch {
	case o.code == pcapngOptName:
		i.name = pcapngName(o.value)
	case o.code == pcapngOptDescription && bytes.HasPrefix(o.value, []byte(pcapngNetwork)):
		i.network = pcapngName(o.value)
	case o.code == pcapngOptTsResol && len(o.value) == 1:
		return i.clock.setResolution(o.value[0])
	case o.code == pcapngOptTsOffset && len(o.value) == 8:
		i.clock.offset = int64(order.Uint64(o.value))
	case o.code == pcapngOptTsResol, o.code == pcapngOptTsOffset:
		return fmt.Errorf("%w: a time option has %d bytes", ErrDamaged, len(o.value))
	}
	return nil
}
