package capture

import (
	"fmt"
	"time"
)

// enhancedPacket reads the body of an Enhanced Packet Block: interface, time,
// captured length and length, data, options.
func (f *pcapngFile) enhancedPacket(body []byte, p *Packet) error {
	if len(body) < 20 {
		return fmt.Errorf("%w: a packet block is too short", ErrDamaged)
	}
	return f.timedPacket(f.order.Uint32(body), body[4:], p)
}

// packetBlock reads the body of an obsolete Packet Block, whose interface has
// 16 bits and is followed by a count of drops.
func (f *pcapngFile) packetBlock(body []byte, p *Packet) error {
	if len(body) < 20 {
		return fmt.Errorf("%w: a packet block is too short", ErrDamaged)
	}
	id := uint32(f.order.Uint16(body))
	if lost := f.order.Uint16(body[2:]); lost != pcapngNoDropField {
		f.addDrops(id, uint64(lost))
	}
	return f.timedPacket(id, body[4:], p)
}

// timedPacket reads what both have in common, from the time on.
func (f *pcapngFile) timedPacket(id uint32, body []byte, p *Packet) error {
	i, err := f.from(id, p)
	if err != nil {
		return err
	}
	captured, length := f.order.Uint32(body[8:]), f.order.Uint32(body[12:])
	rest := body[16:]
	if uint64(captured) > uint64(len(rest)) {
		return fmt.Errorf("%w: a packet of %d bytes is longer than its block", ErrDamaged, captured)
	}
	p.Data = rest[:captured:captured]
	p.Length = int(max(captured, length))
	p.Time = f.time(i.clock, f.order.Uint32(body), f.order.Uint32(body[4:]))
	if options := pcapngPadded(int(captured)); options < len(rest) {
		f.readPacketOptions(rest[options:], id, p)
	}
	return nil
}

// simplePacket reads the body of a Simple Packet Block: length and data. Its
// interface is the section's first. It has no time: the packet gets that of
// the packet before it, the zero time if there is none.
func (f *pcapngFile) simplePacket(body []byte, p *Packet) error {
	if len(body) < 4 {
		return fmt.Errorf("%w: a packet block is too short", ErrDamaged)
	}
	i, err := f.from(0, p)
	if err != nil {
		return err
	}
	length, data := f.order.Uint32(body), body[4:]
	captured := length
	if i.snaplen > 0 {
		captured = min(captured, i.snaplen)
	}
	if uint64(captured) > uint64(len(data)) {
		return fmt.Errorf("%w: a packet of %d bytes is longer than its block", ErrDamaged, captured)
	}
	p.Data = data[:captured:captured]
	p.Length = int(length)
	p.Time = f.last
	return nil
}

// from fills in what the section says of the packet's interface.
func (f *pcapngFile) from(id uint32, p *Packet) (*pcapngInterface, error) {
	if uint64(id) >= uint64(len(f.interfaces)) {
		return nil, fmt.Errorf("%w: a packet names interface %d of %d", ErrDamaged, id, len(f.interfaces))
	}
	i := &f.interfaces[id]
	p.LinkType = i.link
	p.InterfaceID = f.firstID + int(id)
	p.Interface, p.Network = i.name, i.network
	return i, nil
}

// time returns a packet's time. One that no calendar has is taken for none.
func (f *pcapngFile) time(clock pcapngClock, high, low uint32) time.Time {
	if t, ok := clock.time(uint64(high)<<32 | uint64(low)); ok {
		f.last = t
	}
	return f.last
}

// pcapngPadded returns n rounded up to the 32-bit boundary on which all parts
// of a block begin.
func pcapngPadded(n int) int { return (n + 3) &^ 3 }
