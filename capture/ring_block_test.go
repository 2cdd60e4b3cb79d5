package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// testFrame is a packet as the kernel puts it into a block.
type testFrame struct {
	packet   []byte // as far as it was captured
	length   int    // on the wire
	sec, ns  uint32
	protocol uint16
	index    uint32 // of the interface
	kind     uint8  // packet type (packet(7))
	sender   []byte
}

// dataAt is where the kernel puts a packet in its frame: behind the header, the
// address and 16 bytes more, in steps of 16 (tpacket_rcv, net/packet/af_packet.c).
const dataAt = 96

// testBlock lays frames out as the kernel does, of which the last says 0 for
// where the next one is (prb_close_block).
func testBlock(frames ...testFrame) []byte {
	block := make([]byte, blockHeader)
	binary.NativeEndian.PutUint32(block[blockStatusAt:], 1)
	binary.NativeEndian.PutUint32(block[blockCountAt:], uint32(len(frames)))
	binary.NativeEndian.PutUint32(block[blockFirstAt:], blockHeader)
	for i, f := range frames {
		frame := f.bytes()
		if i == len(frames)-1 {
			binary.NativeEndian.PutUint32(frame, 0)
		}
		block = append(block, frame...)
	}
	return block
}

func (f testFrame) bytes() []byte {
	frame := make([]byte, (dataAt+len(f.packet)+7)/8*8)
	put := func(at int, n uint32) { binary.NativeEndian.PutUint32(frame[at:], n) }
	for i, n := range []uint32{uint32(len(frame)), f.sec, f.ns, uint32(len(f.packet)), uint32(f.length)} {
		put(4*i, n)
	}
	binary.NativeEndian.PutUint16(frame[24:], dataAt)
	binary.NativeEndian.PutUint16(frame[26:], dataAt)
	address := frame[frameHeader:]
	binary.NativeEndian.PutUint16(address, 17) // AF_PACKET
	binary.BigEndian.PutUint16(address[2:], f.protocol)
	binary.NativeEndian.PutUint32(address[4:], f.index)
	binary.NativeEndian.PutUint16(address[8:], 1) // ARPHRD_ETHER
	address[10], address[11] = f.kind, uint8(len(f.sender))
	copy(address[12:20], f.sender)
	copy(frame[dataAt:], f.packet)
	return frame
}

// readBlock reads a block to its end, packets with data of their own.
func readBlock(block []byte) (packets []Packet, err error) {
	b, err := openBlock(block)
	if err != nil {
		return nil, err
	}
	for buffer := []byte(nil); ; {
		p, ok, err := b.frame(buffer)
		if err != nil || !ok {
			return packets, err
		}
		buffer = p.Data
		p.Data = slices.Clone(p.Data)
		packets = append(packets, p)
	}
}

// twoFrames are a packet that was captured whole, and one that was cut off.
func twoFrames() (one, two testFrame) {
	one = testFrame{packet: []byte{0x45, 1, 2}, length: 3, sec: 1_790_000_000, ns: 999_999_999, protocol: etherIPv4, index: 7, kind: 4, sender: []byte{2, 0, 0, 0, 0, 9}}
	two = testFrame{packet: bytes.Repeat([]byte{0x60}, 41), length: 900, sec: 1_790_000_001, protocol: etherIPv6, index: 1 << 20}
	return one, two
}

func TestRingBlock(t *testing.T) {
	one, two := twoFrames()
	packets, err := readBlock(testBlock(one, two, one))
	if err != nil || len(packets) != 3 {
		t.Fatalf("%d packets, %v", len(packets), err)
	}
	for i, want := range []testFrame{one, two, one} {
		checkFrame(t, packets[i], want)
	}
	if packets, err := readBlock(testBlock()); err != nil || len(packets) != 0 {
		t.Errorf("an empty block has %d packets, %v", len(packets), err)
	}
}

func checkFrame(t *testing.T, p Packet, want testFrame) {
	t.Helper()
	if !p.Time.Equal(time.Unix(int64(want.sec), int64(want.ns))) || p.InterfaceID != int(want.index) || p.LinkType != LinkLinuxSLL2 {
		t.Errorf("%v on %d, link type %d; want %+v", p.Time, p.InterfaceID, p.LinkType, want)
	}
	var at hop
	data, wire, ok := networkLayer(&p, &at)
	if !ok || !bytes.Equal(data, want.packet) || wire != want.length {
		t.Errorf("%d bytes of %d, known %v; want %d of %d", len(data), wire, ok, len(want.packet), want.length)
	}
	var sender [8]byte
	copy(sender[:], want.sender)
	if at != (hop{int(want.index), want.kind, sender}) {
		t.Errorf("captured at %+v, want %+v", at, want)
	}
	if p.Data[11] != uint8(len(want.sender)) || binary.BigEndian.Uint16(p.Data[8:]) != 1 {
		t.Errorf("header % x", p.Data[:cookedHeader])
	}
}

// A packet that claims to be shorter on the wire than what was captured of it is
// as long as that.
func TestRingBlockLength(t *testing.T) {
	f, _ := twoFrames()
	f.length = 0
	packets, err := readBlock(testBlock(f))
	if err != nil || len(packets) != 1 || packets[0].Length != len(packets[0].Data) {
		t.Errorf("%+v, %v", packets, err)
	}
}

// What the kernel would never write is an error, after the frames before it.
func TestRingBlockDamaged(t *testing.T) {
	one, two := twoFrames()
	second := blockHeader + len(one.bytes()) // where the second of the frames is
	put32 := func(at int, n uint32) func([]byte) {
		return func(b []byte) { binary.NativeEndian.PutUint32(b[at:], n) }
	}
	put16 := func(at int, n uint16) func([]byte) {
		return func(b []byte) { binary.NativeEndian.PutUint16(b[at:], n) }
	}
	end := uint32(len(testBlock(one, two)))
	for _, test := range []struct {
		name   string
		damage func([]byte)
		whole  int // frames before it
	}{
		{"the first frame is past the end", put32(blockFirstAt, end), 0},
		{"the first frame ends past the end", put32(blockFirstAt, end-frameHeader), 0},
		{"the first frame is far away", put32(blockFirstAt, 1<<32-1), 0},
		{"more frames than there are", put32(blockCountAt, 3), 1},
		{"far more frames than there are", put32(blockCountAt, 1<<32-1), 1},
		{"no next frame", put32(blockHeader, 0), 0},
		{"the next frame is within this one", put32(blockHeader, frameHeader), 0},
		{"the next frame is past the end", put32(blockHeader, end), 1},
		{"the next frame is far away", put32(blockHeader, 1<<32-1), 1},
		{"data in the header", put16(second+26, frameHeader), 1},
		{"no data", put16(second+26, 0), 1},
		{"data past the end", put16(second+26, 1<<16-1), 1},
		{"data ends past the end", put32(second+12, uint32(len(two.packet))+16), 1},
		{"data ends far away", put32(second+12, 1<<32-1), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			block := testBlock(one, two)
			test.damage(block)
			packets, err := readBlock(block)
			if !errors.Is(err, errBlock) || len(packets) != test.whole {
				t.Errorf("%d frames, %v; want %d", len(packets), err, test.whole)
			}
		})
	}
	for _, size := range []int{0, blockHeader - 1} {
		if _, err := openBlock(make([]byte, size)); !errors.Is(err, errBlock) {
			t.Errorf("a block of %d bytes: %v", size, err)
		}
	}
}

// However a block is damaged, it is read to an end, and no packet has more than
// what is in it.
func FuzzRingBlock(f *testing.F) {
	one, two := twoFrames()
	f.Add(testBlock())
	f.Add(testBlock(one))
	f.Add(testBlock(one, two, one))
	f.Add(testBlock(one, two)[:200])
	f.Fuzz(func(t *testing.T, block []byte) {
		packets, err := readBlock(block)
		if err != nil && !errors.Is(err, errBlock) {
			t.Errorf("another error: %v", err)
		}
		if len(packets) > len(block)/(frameHeader+frameAddress) {
			t.Errorf("%d packets in %d bytes", len(packets), len(block))
		}
		d := newDecoder([]netip.AddrPort{netip.MustParseAddrPort("169.254.169.254:80")})
		for _, p := range packets {
			if len(p.Data) < cookedHeader || len(p.Data) > cookedHeader+len(block) || p.Length < len(p.Data) {
				t.Errorf("%d bytes of %d", len(p.Data), p.Length)
			}
			d.decode(&p, &p, &segment{})
		}
	})
}

func TestTimespec(t *testing.T) {
	b := binary.NativeEndian.AppendUint64(nil, 1_790_000_000)
	b = binary.NativeEndian.AppendUint64(b, 123_456_789)
	if at, ok := timespec(b); !ok || !at.Equal(time.Unix(1_790_000_000, 123_456_789)) {
		t.Errorf("%v, known %v", at, ok)
	}
	for _, short := range [][]byte{nil, b[:15]} {
		if at, ok := timespec(short); ok {
			t.Errorf("%d bytes are %v", len(short), at)
		}
	}
}
