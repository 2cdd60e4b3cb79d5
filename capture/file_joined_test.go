package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

// joinedPart is a capture of several that were joined, and what is in it.
type joinedPart struct {
	data []byte
	want Packet
}

// joinedParts are captures of both formats, with snapshot lengths of their own.
func joinedParts(order binary.AppendByteOrder) (pcap, pcapng joinedPart) {
	header := pcapHeader(order, pcapMagicNano, pcapMaxSnaplen+2, 113)
	long := bytes.Repeat([]byte("x"), pcapMaxSnaplen+1)
	pcap = joinedPart{
		append(header, pcapRecord(order, pcapRecordLen, 9, 7, uint32(len(long)), 1<<20, string(long))...),
		Packet{Data: long, Length: 1 << 20, Time: time.Unix(9, 7).UTC(), LinkType: 113},
	}
	f := newPcapngBytes(order)
	pcapng = joinedPart{
		f.iface(1, 4, f.option(pcapngOptName, "eth0")).simple("abcd", 9).b,
		Packet{Data: []byte("abcd"), Length: 9, LinkType: 1, Interface: "eth0"},
	}
	return pcap, pcapng
}

// Captures of two formats that were joined are read one after the other, each by its own
// header, in any order of formats and bytes.
func TestJoinedFormats(t *testing.T) {
	little, littleNG := joinedParts(binary.LittleEndian)
	big, bigNG := joinedParts(binary.BigEndian)
	for name, parts := range map[string][]joinedPart{
		"pcap, pcapng":     {little, littleNG},
		"pcapng, pcap":     {littleNG, little},
		"big, little":      {big, littleNG, bigNG, little},
		"one of all twice": {bigNG, bigNG, little, big, littleNG},
	} {
		for packing, pack := range map[string]func(testing.TB, []byte) []byte{"plain": asIs, "gzip": fileGzipped, "zstd": fileZstded} {
			t.Run(name+", "+packing, func(t *testing.T) {
				var joined []byte
				var want []Packet
				for _, p := range parts {
					joined = append(joined, pack(t, p.data)...)
					want = append(want, p.want)
				}
				got, err := fileReadAll(bytes.NewReader(joined))
				if err != io.EOF {
					t.Fatal(err)
				}
				forgetInterfaces(got)
				fileSamePackets(t, got, want)
			})
		}
	}
}

func asIs(_ testing.TB, data []byte) []byte { return data }

// forgetInterfaces: sections that follow one another number their interfaces on.
func forgetInterfaces(packets []Packet) {
	for i := range packets {
		packets[i].InterfaceID = 0
	}
}

// Where the capture behind is cut, all before is read.
func TestJoinedFormatIsCut(t *testing.T) {
	pcap, pcapng := joinedParts(binary.LittleEndian)
	for name, parts := range map[string][2]joinedPart{"pcap, pcapng": {pcap, pcapng}, "pcapng, pcap": {pcapng, pcap}} {
		first, second := parts[0].data, parts[1].data
		for _, left := range []int{1, pcapngMinBlockLen, pcapRecordLen, pcapHeaderLen - 1, len(second) - 1} {
			packets, err := fileReadAll(bytes.NewReader(slices.Concat(first, second[:left])))
			if len(packets) != 1 || !errors.Is(err, ErrTruncated) {
				t.Errorf("%s, cut to %d bytes: %d packets, %v", name, left, len(packets), err)
			}
		}
	}
}

// However many heads of both formats stand one behind the other, there is an end to them.
func TestJoinedHeads(t *testing.T) {
	heads := slices.Concat(pcapHeader(binary.LittleEndian, pcapMagicMicro, 65535, 1), newPcapngBytes(binary.BigEndian).b)
	if packets, err := fileReadAll(bytes.NewReader(bytes.Repeat(heads, 50_000))); len(packets) != 0 || err != io.EOF {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}
