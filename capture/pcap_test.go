package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// pcapHeader returns a file header of version 2.4.
func pcapHeader(order binary.AppendByteOrder, magic, snaplen, link uint32) []byte {
	return pcapVersioned(order, magic, 2, 4, snaplen, link)
}

func pcapVersioned(order binary.AppendByteOrder, magic uint32, major, minor uint16, snaplen, link uint32) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, major)
	b = order.AppendUint16(b, minor)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = order.AppendUint32(b, snaplen)
	b = order.AppendUint32(b, link)
	if magic == pcapMagicIxiaHardware || magic == pcapMagicIxiaSoftware {
		b = order.AppendUint32(b, 1<<30) // the length of all records
	}
	return b
}

// pcapRecord returns a record with a header of recordLen bytes.
func pcapRecord(order binary.AppendByteOrder, recordLen int, seconds, fraction, captured, length uint32, data string) []byte {
	var b []byte
	for _, v := range []uint32{seconds, fraction, captured, length} {
		b = order.AppendUint32(b, v)
	}
	b = append(b, make([]byte, recordLen-len(b))...)
	return append(b, data...)
}

func TestPcapVariants(t *testing.T) {
	tests := []struct {
		name      string
		magic     uint32
		recordLen int
		nanos     int
	}{
		{"microseconds", pcapMagicMicro, 16, 123456000},
		{"nanoseconds", pcapMagicNano, 16, 123456},
		{"modified", pcapMagicModified, 24, 123456000},
		{"Ixia, hardware", pcapMagicIxiaHardware, 16, 123456},
		{"Ixia, software", pcapMagicIxiaSoftware, 16, 123456000},
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, test := range tests {
			t.Run(test.name+" "+order.String(), func(t *testing.T) {
				data := pcapHeader(order, test.magic, 65535, 276)
				data = append(data, pcapRecord(order, test.recordLen, 1795408250, 123456, 3, 1500, "abc")...)
				data = append(data, pcapRecord(order, test.recordLen, 0xffffffff, 0, 0, 0, "")...)
				packets, err := fileReadAll(bytes.NewReader(data))
				if err != io.EOF {
					t.Fatal(err)
				}
				fileSamePackets(t, packets, []Packet{
					{Data: []byte("abc"), Length: 1500, Time: time.Unix(1795408250, int64(test.nanos)).UTC(), LinkType: LinkLinuxSLL2},
					{Time: time.Date(2106, 2, 7, 6, 28, 15, 0, time.UTC), LinkType: LinkLinuxSLL2},
				})
			})
		}
	}
}

// Odd headers and records that are in real files, and their limits.
func TestPcapTolerance(t *testing.T) {
	le := binary.LittleEndian
	long := strings.Repeat("x", pcapMaxSnaplen)
	tests := []struct {
		name             string
		snaplen, link    uint32
		captured, length uint32
		data             string
		wantLength       int
		want             error
	}{
		{"no snaplen", 0, 1, 3, 3, "abc", 3, io.EOF},
		{"huge snaplen", 0xffffffff, 1, 3, 3, "abc", 3, io.EOF},
		{"frame check sequence in the link type", 96, 0x14000001, 3, 3, "abc", 3, io.EOF},
		{"reserved bits in the link type", 96, 0x03ff0001, 3, 3, "abc", 3, io.EOF},
		{"captured more than the length", 96, 1, 3, 2, "abc", 3, io.EOF},
		{"captured more than the snaplen", 2, 1, 3, 3, "abc", 3, io.EOF},
		{"longest", 96, 1, pcapMaxSnaplen, pcapMaxSnaplen, long, pcapMaxSnaplen, io.EOF},
		{"too long", 96, 1, pcapMaxSnaplen + 1, pcapMaxSnaplen + 1, long + "x", 0, ErrDamaged},
		{"longer by the snaplen", pcapMaxSnaplen + 1, 1, pcapMaxSnaplen + 1, pcapMaxSnaplen + 1, long + "x", pcapMaxSnaplen + 1, io.EOF},
		{"absurd", 0xffffffff, 1, 0xffffffff, 3, "abc", 0, ErrDamaged},
		{"absurd for memory", 0xffffffff, 1, fileRecordLimit + 1, 3, "abc", 0, ErrDamaged},
		{"long but cut", 0xffffffff, 1, fileRecordLimit, 3, "abc", 0, ErrTruncated},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := pcapHeader(le, pcapMagicMicro, test.snaplen, test.link)
			data = append(data, pcapRecord(le, pcapRecordLen, 1, 0, test.captured, test.length, test.data)...)
			packets, err := fileReadAll(bytes.NewReader(data))
			if !errors.Is(err, test.want) {
				t.Fatal(err)
			}
			if test.wantLength == 0 {
				if len(packets) > 0 {
					t.Error("a packet")
				}
				return
			}
			p := packets[0]
			if p.Length != test.wantLength || string(p.Data) != test.data || p.LinkType != LinkEthernet {
				t.Errorf("length %d, %d bytes, link type %d", p.Length, len(p.Data), p.LinkType)
			}
		})
	}
}

// The two lengths of a record changed places at version 2.3, but not in all
// files that say so.
func TestPcapVersions(t *testing.T) {
	tests := []struct {
		major, minor      uint16
		first, second     uint32
		captured, ofWhole int
	}{
		{2, 4, 3, 1500, 3, 1500},
		{2, 4, 5, 3, 5, 5}, // not by less than what is there
		{2, 3, 3, 1500, 3, 1500},
		{2, 3, 1500, 3, 3, 1500},
		{2, 3, 3, 3, 3, 3},
		{2, 2, 1500, 3, 3, 1500},
		{2, 0, 1500, 3, 3, 1500},
		{2, 2, 3, 5, 5, 5},
		{543, 0, 1500, 3, 3, 1500},
		{2, 5, 3, 1500, 3, 1500},
		{0, 0, 3, 1500, 3, 1500},
		{3, 0, 3, 1500, 3, 1500},
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, test := range tests {
			data := pcapVersioned(order, pcapMagicMicro, test.major, test.minor, 65535, 1)
			data = append(data, pcapRecord(order, pcapRecordLen, 1, 0, test.first, test.second, "abcde"[:test.captured])...)
			packets, err := fileReadAll(bytes.NewReader(data))
			if err != io.EOF || len(packets) != 1 || len(packets[0].Data) != test.captured || packets[0].Length != test.ofWhole {
				t.Errorf("%s, version %d.%d, %d and %d: %+v, %v", order, test.major, test.minor, test.first, test.second, packets, err)
			}
		}
	}
}

// Files that were joined are read one after the other, each by its own header.
func TestPcapJoined(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	file := func(order binary.AppendByteOrder, magic uint32, recordLen int, link uint32) []byte {
		return append(pcapHeader(order, magic, 65535, link), pcapRecord(order, recordLen, 1, 7, 3, 3, "abc")...)
	}
	joined := bytes.Join([][]byte{
		file(le, pcapMagicMicro, pcapRecordLen, 1), file(be, pcapMagicNano, pcapRecordLen, 113), pcapHeader(le, pcapMagicMicro, 65535, 1),
		file(le, pcapMagicModified, pcapModifiedRecordLen, 1),
	}, nil)
	packets, err := fileReadAll(bytes.NewReader(joined))
	if err != io.EOF || len(packets) != 3 {
		t.Fatalf("%d packets, %v", len(packets), err)
	}
	for i, want := range []struct {
		at   time.Time
		link LinkType
	}{{time.Unix(1, 7000), 1}, {time.Unix(1, 7), 113}, {time.Unix(1, 7000), 1}} {
		if p := packets[i]; !p.Time.Equal(want.at) || p.LinkType != want.link || string(p.Data) != "abc" {
			t.Errorf("packet %d: %+v, want %+v", i, p, want)
		}
	}
	cut, err := fileReadAll(bytes.NewReader(joined[:len(joined)-pcapModifiedRecordLen-3-1]))
	if len(cut) != 2 || !errors.Is(err, ErrTruncated) {
		t.Errorf("cut in a header: %d packets, %v", len(cut), err)
	}
}

// However many headers stand one behind the other, reading them takes no memory.
func TestPcapOfHeaders(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(8 << 20))
	const files = 100_000
	data := bytes.Repeat(pcapHeader(binary.LittleEndian, pcapMagicMicro, 65535, 1), files)
	if packets, err := fileReadAll(bytes.NewReader(data)); len(packets) != 0 || err != io.EOF {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

// Zeros behind the last packet, as in a file of a machine that lost its power, are none.
func TestPcapZeros(t *testing.T) {
	for _, magic := range []uint32{pcapMagicMicro, pcapMagicNano, pcapMagicModified} {
		le, recordLen := binary.LittleEndian, pcapRecordLen
		if magic == pcapMagicModified {
			recordLen = pcapModifiedRecordLen
		}
		data := pcapHeader(le, magic, 65535, 1)
		data = append(data, pcapRecord(le, recordLen, 0, 0, 0, 3, "")...) // cut at the beginning of all time
		data = append(data, pcapRecord(le, recordLen, 1, 0, 3, 3, "abc")...)
		packets, err := fileReadAll(bytes.NewReader(append(data, make([]byte, 4096)...)))
		if len(packets) != 2 || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "zeros") {
			t.Errorf("%#x: %d packets, %v", magic, len(packets), err)
		}
	}
}

// The file says where it is damaged, and the packets before are whole.
func TestPcapDamagePosition(t *testing.T) {
	le := binary.LittleEndian
	data := pcapHeader(le, pcapMagicMicro, 65535, 1)
	data = append(data, pcapRecord(le, pcapRecordLen, 1, 0, 3, 3, "abc")...)
	data = append(data, pcapRecord(le, pcapRecordLen, 1, 0, 0x80000000, 3, "abc")...)
	packets, err := fileReadAll(bytes.NewReader(data))
	want := "the capture is damaged: a packet claims 2147483648 bytes (after packet 1, at byte 43)"
	if len(packets) != 1 || err == nil || err.Error() != want {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

// A packet's bytes stay as they are until Next is called again.
func TestPacketDataStaysUntilNext(t *testing.T) {
	le := binary.LittleEndian
	data := pcapHeader(le, pcapMagicMicro, 65535, 1)
	const packets = 3000 // of 300 bytes: over the buffer's end several times
	for i := range packets {
		data = append(data, pcapRecord(le, pcapRecordLen, uint32(i), 0, 300, 300, strings.Repeat(string(rune('a'+i%26)), 300))...)
	}
	source, err := newReader(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		p, err := source.Next()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat(string(rune('a'+i%26)), 300); string(p.Data) != want || cap(p.Data) != 300 {
			t.Fatalf("packet %d: %q", i, p.Data)
		}
	}
}

// Reading allocates nothing for a packet.
func TestNextDoesNotAllocate(t *testing.T) {
	for _, name := range []string{"cloud-init.pcap", "boto.pcapng"} {
		source, err := newReader(bytes.NewReader(fileCapture(t, name)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(200, func() {
			if _, err := source.Next(); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}
