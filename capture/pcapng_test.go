package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// pcapngBytes puts a file together by hand.
type pcapngBytes struct {
	order binary.AppendByteOrder
	b     []byte
}

func (f *pcapngBytes) block(kind uint32, body []byte) *pcapngBytes {
	body = append(body, make([]byte, pcapngPadded(len(body))-len(body))...)
	length := uint32(len(body) + pcapngMinBlockLen)
	f.b = f.order.AppendUint32(f.b, kind)
	f.b = f.order.AppendUint32(f.b, length)
	f.b = append(f.b, body...)
	f.b = f.order.AppendUint32(f.b, length)
	return f
}

// section begins a section in the byte order, of the length, -1 if unknown.
func (f *pcapngBytes) section(order binary.AppendByteOrder, length int64) *pcapngBytes {
	f.order = order
	body := order.AppendUint32(nil, pcapngByteOrderMagic)
	body = order.AppendUint16(body, 1)
	body = order.AppendUint16(body, 0)
	return f.block(pcapngSectionHeader, order.AppendUint64(body, uint64(length)))
}

func (f *pcapngBytes) iface(link uint16, snaplen uint32, options ...[]byte) *pcapngBytes {
	body := f.order.AppendUint16(nil, link)
	body = f.order.AppendUint16(body, 0)
	body = f.order.AppendUint32(body, snaplen)
	return f.block(pcapngInterfaceBlock, append(body, bytes.Join(options, nil)...))
}

func (f *pcapngBytes) option(code uint16, value string) []byte {
	b := f.order.AppendUint16(nil, code)
	b = f.order.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	return append(b, make([]byte, pcapngPadded(len(value))-len(value))...)
}

func (f *pcapngBytes) enhanced(id uint32, units uint64, data string, length uint32, options ...[]byte) *pcapngBytes {
	return f.block(pcapngEnhancedPacket, f.packet(f.order.AppendUint32(nil, id), units, data, length, options))
}

func (f *pcapngBytes) obsolete(id, drops uint16, units uint64, data string, length uint32, options ...[]byte) *pcapngBytes {
	head := f.order.AppendUint16(f.order.AppendUint16(nil, id), drops)
	return f.block(pcapngPacketBlock, f.packet(head, units, data, length, options))
}

func (f *pcapngBytes) simple(data string, length uint32) *pcapngBytes {
	return f.block(pcapngSimplePacket, append(f.order.AppendUint32(nil, length), data...))
}

func (f *pcapngBytes) packet(b []byte, units uint64, data string, length uint32, options [][]byte) []byte {
	for _, v := range []uint32{uint32(units >> 32), uint32(units), uint32(len(data)), length} {
		b = f.order.AppendUint32(b, v)
	}
	b = append(b, data...)
	b = append(b, make([]byte, pcapngPadded(len(data))-len(data))...)
	return append(b, bytes.Join(options, nil)...)
}

func pcapngOrders() []binary.AppendByteOrder {
	return []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}
}

func newPcapngBytes(order binary.AppendByteOrder) *pcapngBytes {
	return new(pcapngBytes).section(order, -1)
}

func TestPcapngBlocks(t *testing.T) {
	at := func(seconds, nanoseconds int64) time.Time { return time.Unix(seconds, nanoseconds).UTC() }
	for _, order := range pcapngOrders() {
		t.Run(order.String(), func(t *testing.T) {
			f := newPcapngBytes(order)
			f.block(5, []byte("statistics before any interface"))
			f.iface(1, 4, f.option(pcapngOptName, "eth0"), f.option(pcapngOptTsResol, "\x09"), f.option(0, ""))
			f.iface(276, 0, f.option(pcapngOptName, "any\x00"), f.option(3, "ignored"))
			f.simple("abcd", 9)
			f.enhanced(0, 1795408250_000000007, "abc", 60)
			f.block(0x0bad, []byte("custom"))
			f.enhanced(1, 1795408251_000007, "", 0)
			f.obsolete(1, 77, 1795408252_000007, "obsolete!", 3, f.option(pcapngOptComment, "old"))
			f.simple("ab", 2)
			f.block(0x80000001, nil)
			packets, err := fileReadAll(bytes.NewReader(f.b))
			if err != io.EOF {
				t.Fatal(err)
			}
			fileSamePackets(t, packets, []Packet{
				{Data: []byte("abcd"), Length: 9, LinkType: 1, Interface: "eth0"},
				{Data: []byte("abc"), Length: 60, Time: at(1795408250, 7), LinkType: 1, Interface: "eth0"},
				{Length: 0, Time: at(1795408251, 7000), LinkType: 276, InterfaceID: 1, Interface: "any"},
				{Data: []byte("obsolete!"), Length: 9, Time: at(1795408252, 7000), LinkType: 276, InterfaceID: 1, Interface: "any", Comment: "old"},
				{Data: []byte("ab"), Length: 2, Time: at(1795408252, 7000), LinkType: 1, Interface: "eth0"},
			})
		})
	}
}

// Blocks of the types that hold no packets are passed over, wherever they stand
// and however they are filled. The types are those of draft-ietf-opsawg-pcapng,
// section 11.1, and some that Wireshark and Apple's tcpdump write.
func TestPcapngPassesOverBlocks(t *testing.T) {
	kinds := []uint32{
		0, 4, 5, 7, 8, 9, 10, 11, 0x101, 0x0bad, 0x40000bad, 0x201, 0x210, 0x80000001, 0x80000002, 0xffffffff,
	}
	bodies := map[string]string{
		"empty": "", "one byte": "\x00", "zeros": strings.Repeat("\x00", 64), "ones": strings.Repeat("\xff", 63),
		"a block in it": "\x06\x00\x00\x00\x0c\x00\x00\x00\x0c\x00\x00\x00",
	}
	for _, order := range pcapngOrders() {
		for name, body := range bodies {
			t.Run(name+" "+order.String(), func(t *testing.T) {
				f := newPcapngBytes(order)
				all := func() {
					for _, kind := range kinds {
						f.block(kind, []byte(body))
					}
				}
				all()
				f.iface(1, 0)
				all()
				f.enhanced(0, 1e6, "abc", 3)
				all()
				f.iface(101, 0).enhanced(1, 2e6, "late", 4) // declared after packets
				all()
				packets, err := fileReadAll(bytes.NewReader(f.b))
				if err != io.EOF {
					t.Fatal(err)
				}
				fileSamePackets(t, packets, []Packet{
					{Data: []byte("abc"), Length: 3, Time: time.Unix(1, 0).UTC(), LinkType: 1},
					{Data: []byte("late"), Length: 4, Time: time.Unix(2, 0).UTC(), LinkType: 101, InterfaceID: 1},
				})
			})
		}
	}
}

// unaligned takes the padding of the last block, of n bytes, out of the length
// at its head, and out of the one at its end unless that counts it.
func (f *pcapngBytes) unaligned(n int, endCounts bool) *pcapngBytes {
	length := int(f.order.(binary.ByteOrder).Uint32(f.b[len(f.b)-4:]))
	f.put(4-length, uint32(length-n))
	if !endCounts {
		f.put(-4, uint32(length-n))
	}
	return f
}

// Some writers pad blocks without counting the padding.
func TestPcapngUnalignedLengths(t *testing.T) {
	for _, order := range pcapngOrders() {
		for _, endCounts := range []bool{false, true} {
			for n := 1; n < 4; n++ {
				t.Run(fmt.Sprintf("%s, %d, %v", order, n, endCounts), func(t *testing.T) {
					data := strings.Repeat("x", 8-n)
					f := newPcapngBytes(order)
					f.iface(1, 0, f.option(pcapngOptName, data)).unaligned(n, endCounts)
					f.enhanced(0, 1, data, 9).unaligned(n, endCounts)
					f.block(99, []byte(data)).unaligned(n, endCounts)
					f.obsolete(0, 0, 1, data, 9).unaligned(n, endCounts)
					f.simple(data, uint32(len(data))).unaligned(n, endCounts)
					f.enhanced(0, 1, data, 9, f.option(pcapngOptComment, data)).unaligned(n, endCounts)
					packets, err := fileReadAll(bytes.NewReader(f.b))
					if err != io.EOF || len(packets) != 4 {
						t.Fatalf("%d packets, %v", len(packets), err)
					}
					for _, p := range packets {
						if string(p.Data) != data || p.Interface != data {
							t.Errorf("%q on %q", p.Data, p.Interface)
						}
					}
					if comment := packets[3].Comment; comment != data {
						t.Errorf("comment %q", comment)
					}
				})
			}
		}
	}
}

// Each section has its own byte order and interfaces; interfaces of different
// sections are different ones.
func TestPcapngSections(t *testing.T) {
	f := newPcapngBytes(binary.BigEndian)
	f.iface(1, 0, f.option(pcapngOptName, "first")).iface(1, 0)
	f.enhanced(1, 1e6, "a", 1)
	f.section(binary.LittleEndian, 1<<40) // as long as it likes to say
	f.iface(101, 0, f.option(pcapngOptName, "second"))
	f.enhanced(0, 2e6, "b", 1)
	f.section(binary.LittleEndian, 0).section(binary.BigEndian, -1)
	f.iface(113, 0).enhanced(0, 3e6, "c", 1)
	packets, err := fileReadAll(bytes.NewReader(f.b))
	if err != io.EOF {
		t.Fatal(err)
	}
	fileSamePackets(t, packets, []Packet{
		{Data: []byte("a"), Length: 1, Time: time.Unix(1, 0).UTC(), LinkType: 1, InterfaceID: 1},
		{Data: []byte("b"), Length: 1, Time: time.Unix(2, 0).UTC(), LinkType: 101, InterfaceID: 2, Interface: "second"},
		{Data: []byte("c"), Length: 1, Time: time.Unix(3, 0).UTC(), LinkType: 113, InterfaceID: 3},
	})
}

func TestPcapngDamage(t *testing.T) {
	// Each case appends to a section with one interface and one good packet.
	tests := []struct {
		name string
		add  func(f *pcapngBytes)
		want error
		text string
	}{
		{"undeclared interface", func(f *pcapngBytes) { f.enhanced(1, 0, "a", 1) }, ErrDamaged, "a packet names interface 1 of 1 (after packet 1, at byte "},
		{"undeclared interface, obsolete", func(f *pcapngBytes) { f.obsolete(0xffff, 0, 0, "a", 1) }, ErrDamaged, "interface 65535 of 1"},
		{"largest interface", func(f *pcapngBytes) { f.enhanced(0xffffffff, 0, "a", 1) }, ErrDamaged, "interface 4294967295 of 1"},
		{"interfaces end with the section", func(f *pcapngBytes) { f.section(f.order, -1).simple("a", 1) }, ErrDamaged, "interface 0 of 0"},
		{"block length 0", func(f *pcapngBytes) { f.b = append(f.b, make([]byte, 12)...) }, ErrDamaged, "a block claims 0 bytes"},
		{"block length 8", func(f *pcapngBytes) { f.raw(6, 8, 8) }, ErrDamaged, "a block claims 8 bytes"},
		{"block length 11", func(f *pcapngBytes) { f.raw(6, 11, 11) }, ErrDamaged, "a block claims 11 bytes"},
		{"block length odd, without padding", func(f *pcapngBytes) { f.raw(6, 13, 13<<8, 0) }, ErrDamaged, "a block has 13 bytes by its head and 0 by its end"},
		{"block length odd, more than there is", func(f *pcapngBytes) { f.raw(6, 0xffffffff, 0) }, ErrDamaged, "a block claims 4294967295 bytes"},
		{"end length one word less", func(f *pcapngBytes) { f.raw(99, 16, 0, 12) }, ErrDamaged, "a block has 16 bytes by its head and 12 by its end"},
		{"end length more than padding", func(f *pcapngBytes) { f.raw(99, 13, 0, 17) }, ErrDamaged, "a block has 13 bytes by its head and 17 by its end"},
		{"end length odd alone", func(f *pcapngBytes) { f.raw(99, 16, 0, 13) }, ErrDamaged, "a block has 16 bytes by its head and 13 by its end"},
		{"block length absurd", func(f *pcapngBytes) { f.raw(6, 0xfffffffc, 0) }, ErrDamaged, "a block claims 4294967292 bytes"},
		{"unknown block length absurd", func(f *pcapngBytes) { f.raw(99, 0xfffffffc, 0) }, ErrTruncated, ""},
		{"unknown block cut in its end", func(f *pcapngBytes) { f.block(99, make([]byte, 8)); f.b = f.b[:len(f.b)-4] }, ErrTruncated, ""},
		{"end length", func(f *pcapngBytes) { f.enhanced(0, 0, "a", 1); f.b[len(f.b)-4] ^= 4; f.b[len(f.b)-1] ^= 4 }, ErrDamaged, "by its end"},
		{"end length, unknown block", func(f *pcapngBytes) { f.raw(99, 12, 16) }, ErrDamaged, "a block has 12 bytes by its head and 16 by its end"},
		{"captured too long", func(f *pcapngBytes) { f.enhanced(0, 0, "", 1); f.put(-8-4, 1) }, ErrDamaged, "a packet of 1 bytes is longer than its block"},
		{"captured absurd", func(f *pcapngBytes) { f.enhanced(0, 0, "abcd", 1); f.put(-4-4-4-4, 0xffffffff) }, ErrDamaged, "a packet of 4294967295 bytes"},
		{"simple too long", func(f *pcapngBytes) { f.simple("abcd", 5) }, ErrDamaged, "a packet of 5 bytes"},
		{"simple too short", func(f *pcapngBytes) { f.block(pcapngSimplePacket, nil) }, ErrDamaged, "a packet block is too short"},
		{"enhanced too short", func(f *pcapngBytes) { f.block(pcapngEnhancedPacket, make([]byte, 16)) }, ErrDamaged, "a packet block is too short"},
		{"obsolete too short", func(f *pcapngBytes) { f.block(pcapngPacketBlock, make([]byte, 16)) }, ErrDamaged, "a packet block is too short"},
		{"interface too short", func(f *pcapngBytes) { f.block(pcapngInterfaceBlock, make([]byte, 4)) }, ErrDamaged, "an interface description is too short"},
		{"section too short", func(f *pcapngBytes) {
			f.block(pcapngSectionHeader, f.order.AppendUint32(nil, pcapngByteOrderMagic))
		}, ErrDamaged, "a section header is too short"},
		{"section without order", func(f *pcapngBytes) { f.block(pcapngSectionHeader, make([]byte, 16)) }, ErrDamaged, "a section has no byte-order magic"},
		{"section version", func(f *pcapngBytes) { f.section(f.order, -1); f.b[len(f.b)-16], f.b[len(f.b)-15] = 2, 2 }, ErrDamaged, "a section has the version 514.0"},
		{"resolution too fine", func(f *pcapngBytes) { f.iface(1, 0, f.option(pcapngOptTsResol, "\x14")) }, ErrDamaged, "time resolution 0x14"},
		{"binary resolution too fine", func(f *pcapngBytes) { f.iface(1, 0, f.option(pcapngOptTsResol, "\xc0")) }, ErrDamaged, "time resolution 0xc0"},
		{"resolution without value", func(f *pcapngBytes) { f.iface(1, 0, f.option(pcapngOptTsResol, "")) }, ErrDamaged, "a time option has 0 bytes"},
		{"offset too short", func(f *pcapngBytes) { f.iface(1, 0, f.option(pcapngOptTsOffset, "1234")) }, ErrDamaged, "a time option has 4 bytes"},
		{"interface option overruns", func(f *pcapngBytes) { f.iface(1, 0, f.option(2, "abcdefgh")[:8]) }, ErrDamaged, "the options of an interface are cut"},
	}
	for _, order := range pcapngOrders() {
		for _, test := range tests {
			t.Run(test.name+" "+order.String(), func(t *testing.T) {
				f := newPcapngBytes(order).iface(1, 0).enhanced(0, 1, "good", 4)
				test.add(f)
				packets, err := fileReadAll(bytes.NewReader(f.b))
				if len(packets) != 1 || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("%d packets, %v", len(packets), err)
				}
			})
		}
	}
}

// raw appends numbers; put writes one at an offset from the end.
func (f *pcapngBytes) raw(values ...uint32) {
	for _, v := range values {
		f.b = f.order.AppendUint32(f.b, v)
	}
}

func (f *pcapngBytes) put(fromEnd int, v uint32) {
	copy(f.b[len(f.b)+fromEnd:], f.order.AppendUint32(nil, v))
}

// A block that is skipped may be larger than the buffer.
func TestPcapngSkipsLargeBlocks(t *testing.T) {
	f := newPcapngBytes(binary.LittleEndian).block(10, make([]byte, fileRecordLimit+4))
	f.iface(1, 0).enhanced(0, 0, "a", 1)
	source, err := newReader(bytes.NewReader(f.b), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := source.Next(); err != nil || string(p.Data) != "a" {
		t.Fatal(err)
	}
	if size := len(source.(*fileSource).buf.data); size != fileBufferSize {
		t.Errorf("buffer of %d bytes", size)
	}
}

func TestPcapngTooManyInterfaces(t *testing.T) {
	f := newPcapngBytes(binary.LittleEndian)
	for range pcapngMaxInterfaces {
		f.iface(1, 0)
	}
	f.enhanced(pcapngMaxInterfaces-1, 0, "a", 1).iface(1, 0)
	packets, err := fileReadAll(bytes.NewReader(f.b))
	if len(packets) != 1 || packets[0].InterfaceID != pcapngMaxInterfaces-1 || !errors.Is(err, ErrDamaged) {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}
