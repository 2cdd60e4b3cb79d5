//go:build cgo && !windows

package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcap"
)

// These tests hold the reader against libpcap, which reads the same formats.
// The relation is: what libpcap reads is read the same, a file that it reads to
// its end ends there, and one that it finds cut is cut after the same packet.
// Where it refuses what is not cut, the reader may know better, but only for the
// reasons that are listed below.
//
// Differences that are no matter of where a file ends:
//   - libpcap cuts a pcap packet that is longer than the file's snapshot length.
//     It is there, so it is read.
//   - A captured length above the packet's length is handed on by libpcap. Packets
//     are at least as long as what was captured of them.
//   - pcap's seconds and their fractions are signed to libpcap 1.10.3 where the
//     byte order is the machine's. Here seconds go on until 2106, as
//     draft-ietf-opsawg-pcap says.
//   - Simple packets have no time. libpcap says 1970, the reader the time before.
//   - Times that are no date are none to the reader.
//   - libpcap 1.10.3 multiplies fractions in units of 2^-35 s and finer beyond 64
//     bits. They are not compared.
//   - libpcap changes the byte order within NFLOG packets. They are not compared.
//   - The length at the end of a file's first block is nothing to libpcap, and is
//     compared with that at its head here as those of all others.

// libpcapRefusals are libpcap's words for what it refuses and the reader need
// not, with the reason.
var libpcapRefusals = map[string]string{
	"different from the type of the first interface":            "its handles have one link type",
	"different from the snapshot length of the first interface": "its handles have one snapshot length",
	"sections with different byte orders":                       "its handles have one byte order",
	"no Interface Description Blocks":                           "its handles need a link type: a capture without packets is one",
	"bigger than snaplen of":                                    "the packet is there all the same",
	"bigger than maximum of":                                    "the file's own snapshot length allows it",
	"that is not a multiple of 4":                               "Wireshark reads that",
	"> maximum":                                                 "blocks that are passed over may be of any size",
	"unsupported pcap savefile version":                         "all versions since 2.0 have the same records",
	"archaic pcap savefile format":                              "it is damage of the version rather than a file from before 1993",
}

// libpcapRead returns the packets that libpcap reads, and its error or io.EOF.
// The data is written to the file of that name.
func libpcapRead(t *testing.T, name string, data []byte) (packets []Packet, err error) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	handle, err := pcap.OpenOffline(name) // in nanoseconds
	if err != nil {
		return nil, err
	}
	defer handle.Close()
	for {
		bytes, info, err := handle.ReadPacketData()
		switch {
		case err == io.EOF:
			return packets, err
		case err != nil:
			return packets, handle.Error()
		}
		packets = append(packets, Packet{Data: bytes, Length: info.Length, Time: info.Timestamp.UTC(), LinkType: LinkType(handle.LinkType())})
	}
}

// libpcapCompare holds the relation. Times are compared unless untimed.
func libpcapCompare(t *testing.T, name string, data []byte, untimed bool) {
	t.Helper()
	want, wantErr := libpcapRead(t, name, data)
	got, gotErr := fileReadAll(bytes.NewReader(data))
	for i := range min(len(want), len(got)) {
		if fault := libpcapFault(got[i], want[i], pcapIsMagic(data), untimed); fault != "" {
			t.Errorf("packet %d: %s", i, fault)
		}
	}
	if len(got) < len(want) && errors.Is(gotErr, errBlank) {
		if p := want[len(got)]; len(p.Data) > 0 || p.Length > 0 || !p.Time.Equal(time.Unix(0, 0)) {
			t.Errorf("packet %d is no zeros: %+v", len(got), p)
		}
		return // libpcap takes them for packets
	}
	same := len(got) == len(want)
	switch refused, cut := libpcapRefuses(wantErr), strings.Contains(wantErr.Error(), "truncated"); {
	case len(got) < len(want),
		wantErr == io.EOF && !(same && gotErr == io.EOF),
		cut && !(same && errors.Is(gotErr, ErrTruncated)),
		wantErr != io.EOF && !cut && !refused && (!same || gotErr == io.EOF):
		t.Errorf("%d packets and %q, libpcap %d and %q", len(got), gotErr, len(want), wantErr)
	}
}

func libpcapRefuses(err error) bool {
	for words := range libpcapRefusals {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// libpcapFault says in what a packet is not the one that libpcap reads.
func libpcapFault(got, want Packet, isPcap, untimed bool) string {
	cut := isPcap && len(got.Data) > len(want.Data)
	switch {
	case !bytes.Equal(got.Data, want.Data) && !(cut && bytes.HasPrefix(got.Data, want.Data)):
		return fmt.Sprintf("% x, libpcap % x", got.Data, want.Data)
	case got.Length != max(want.Length, len(got.Data)):
		return fmt.Sprintf("length %d, libpcap %d", got.Length, want.Length)
	case uint8(libpcapType(got.LinkType)) != uint8(want.LinkType): // gopacket has eight bits for it
		return fmt.Sprintf("link type %d, libpcap %d", got.LinkType, want.LinkType)
	case untimed || want.Time.Year() < 1 || want.Time.Year() > 9999:
		return ""
	case isPcap && slices.Contains(libpcapSigns(), got.Time.Sub(want.Time)):
		return ""
	case !got.Time.Equal(want.Time):
		return fmt.Sprintf("at %s, libpcap %s", got.Time, want.Time)
	}
	return ""
}

// libpcapSigns are by how much times differ that are signed to libpcap: 2^32 in
// the seconds, in their fraction, which are microseconds or nanoseconds, or both.
func libpcapSigns() []time.Duration {
	const seconds, micro, nano = 1 << 32 * time.Second, 1 << 32 * time.Microsecond, 1 << 32 * time.Nanosecond
	return []time.Duration{0, seconds, micro, nano, seconds + micro, seconds + nano}
}

// libpcapType is the number that libpcap on Linux and macOS has for a link type
// (pcap-linktype(7)).
func libpcapType(t LinkType) LinkType {
	if t == LinkRaw {
		return 12
	}
	return t
}

// libpcapCaptures are the real captures, unpacked.
func libpcapCaptures(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(fileCaptures, "*.pcap*"))
	if err != nil || len(names) < 13 {
		t.Fatal(len(names), err)
	}
	captures := make(map[string][]byte)
	for _, name := range names {
		data := fileCapture(t, filepath.Base(name))
		if fileIsGzip(data) {
			unpacked, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if data, err = io.ReadAll(unpacked); err != nil {
				t.Fatal(err)
			}
		}
		captures[filepath.Base(name)] = data
	}
	return captures
}

func TestLibpcapReadsTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture")
	for name, data := range libpcapCaptures(t) {
		t.Run(name, func(t *testing.T) {
			if packets, err := libpcapRead(t, file, data); len(packets) < 100 || err != io.EOF {
				t.Fatalf("libpcap reads %d packets, %v", len(packets), err)
			}
			libpcapCompare(t, file, data, false)
		})
	}
}

// libpcapCuts are all places in the beginning of a capture, and some in the rest.
func libpcapCuts(size int) (cuts []int) {
	for cut := 1; cut < size; cut += 1 + cut/200 {
		cuts = append(cuts, cut)
	}
	return cuts
}

func TestLibpcapIsCutTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture")
	captures := make(map[string][]byte)
	for name, data := range libpcapGenerated() {
		if strings.HasSuffix(name, "snaplen 96 link 1") || strings.HasSuffix(name, "resolution 09 offset 0") || strings.Contains(name, "untimed") {
			captures[name] = data
		}
	}
	for _, name := range []string{"npm-http.pcap", "curl-eth.pcap", "go-tools.pcapng"} {
		captures[name] = fileCapture(t, name)
	}
	for name, data := range captures {
		t.Run(name, func(t *testing.T) {
			cuts := libpcapCuts(min(len(data), 8000))
			for i := range Sample(len(cuts)) {
				cut := cuts[i]
				if cut < pcapngMinBlockLen { // libpcap: "unknown file format"
					continue
				}
				libpcapCompare(t, file, data[:cut], strings.Contains(name, "untimed"))
				if t.Failed() {
					t.Fatalf("cut at %d", cut)
				}
			}
		})
	}
}

func TestLibpcapReadsGeneratedTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture")
	captures := libpcapGenerated()
	if len(captures) < 200 {
		t.Errorf("%d captures", len(captures))
	}
	for name, data := range captures {
		t.Run(name, func(t *testing.T) {
			packets, err := libpcapRead(t, file, data)
			if refused := strings.Contains(name, "refused"); refused != (err != io.EOF) || !refused && len(packets) < 5 {
				t.Errorf("libpcap reads %d packets, %v", len(packets), err)
			}
			libpcapCompare(t, file, data, strings.Contains(name, "untimed"))
		})
	}
}

// libpcapGenerated are small captures in all variants that libpcap reads, and
// some that it refuses, which say so in their names.
func libpcapGenerated() map[string][]byte {
	captures := make(map[string][]byte)
	for _, order := range pcapngOrders() {
		libpcapAddPcap(captures, order)
		libpcapAddPcapng(captures, order)
		libpcapAddOdd(captures, order)
	}
	return captures
}

func libpcapAddPcap(captures map[string][]byte, order binary.AppendByteOrder) {
	for magic, recordLen := range map[uint32]int{pcapMagicMicro: pcapRecordLen, pcapMagicNano: pcapRecordLen, pcapMagicModified: pcapModifiedRecordLen} {
		for _, version := range [][2]uint16{{2, 4}, {2, 3}, {2, 2}, {2, 0}, {543, 0}, {2, 5}, {1, 9}} {
			for _, snaplen := range []uint32{0, 4, 96, 262144, 1 << 20, 0xffffffff} {
				for _, link := range []uint32{1, 101, 113, 276, 0x14000001} {
					if version != [2]uint16{2, 4} && (snaplen != 96 || link != 1) {
						continue
					}
					data := pcapVersioned(order, magic, version[0], version[1], snaplen, link)
					for i, lengths := range [][2]uint32{{3, 3}, {3, 1500}, {3, 2}, {0, 0}, {0, 60}, {8, 8}, {60, 60}} {
						seconds := uint32(1795408250 + i<<28) // beyond 2038, too
						first, second := lengths[0], lengths[1]
						if l := pcapLengthsOf(version[0], version[1]); l == pcapCapturedLast || l == pcapShorterFirst && i%2 == 1 {
							first, second = second, first
						}
						captured, _ := pcapLengthsOf(version[0], version[1]).sorted(first, second)
						data = append(data, pcapRecord(order, recordLen, seconds, 999999-uint32(i), first, second, strings.Repeat("x", int(captured)))...)
					}
					name := fmt.Sprintf("pcap %s %08x %d.%d snaplen %d link %x", order, magic, version[0], version[1], snaplen, link)
					if version == [2]uint16{2, 5} || version[0] == 1 {
						name += " refused"
					}
					captures[name] = data
				}
			}
		}
	}
}

func libpcapAddPcapng(captures map[string][]byte, order binary.AppendByteOrder) {
	for _, resolution := range []string{"", "\x00", "\x03", "\x06", "\x07", "\x09", "\x0c", "\x13", "\x80", "\x81", "\x8a", "\x9e", "\xa0", "\xa2"} {
		for _, offset := range []int64{0, 1795408250, -1} {
			f := newPcapngBytes(order)
			f.block(4, []byte("names")).block(10, []byte("secrets"))
			at := f.option(pcapngOptTsOffset, string(order.AppendUint64(nil, uint64(offset))))
			first := f.option(pcapngOptTsResol, resolution)
			if resolution == "" {
				first = nil
			}
			f.iface(1, 96, f.option(pcapngOptName, "eth0"), first, at, f.option(pcapngOptEnd, ""))
			f.enhanced(0, 1, "abc", 3)
			f.iface(1, 96, f.option(10, "\x00\x00\x0e\x10"), f.option(pcapngOptTsResol, "\x09"))
			f.enhanced(0, 12345678901, "abcd", 60, f.option(pcapngOptComment, "one"), f.option(2, "\x00\x00\x00\x01"))
			f.enhanced(1, 1795408250_123456789, "", 0)
			f.block(5, []byte("statistics")).block(0x0bad, []byte("custom")).block(0x80000001, nil)
			f.obsolete(0, 9, 1<<40+7, "obsolete", 8)
			f.enhanced(0, 1<<62+12345, strings.Repeat("x", 96), 97)
			f.section(order, -1).iface(1, 96).enhanced(0, 7, "another", 7)
			captures[fmt.Sprintf("pcapng %s resolution %x offset %d", order, resolution, offset)] = f.b
		}
	}
}

func libpcapAddOdd(captures map[string][]byte, order binary.AppendByteOrder) {
	add := func(name string, f *pcapngBytes) { captures["pcapng "+order.String()+" "+name] = f.b }
	begin := func() *pcapngBytes { return newPcapngBytes(order).iface(1, 96).enhanced(0, 7, "first", 5) }
	for _, snaplen := range []uint32{0, 4, 300000} {
		f := newPcapngBytes(order).iface(113, snaplen)
		for n := range 5 {
			f.simple("abcdefgh"[:min(n, 4)], uint32(min(n, 4))).enhanced(0, 7, "abc", 3)
		}
		add(fmt.Sprintf("simple, snaplen %d untimed", snaplen), f)
	}
	add("several link types refused", begin().iface(101, 96).enhanced(1, 8, "E", 1))
	add("several snaplens refused", begin().iface(1, 97).enhanced(1, 8, "E", 1))
	add("longer than the snaplen refused", begin().enhanced(0, 8, strings.Repeat("x", 97), 97))
	add("without interfaces refused", newPcapngBytes(order).block(5, nil))
	add("unaligned refused", begin().enhanced(0, 8, "abc", 3).unaligned(1, false))
	add("large block refused", begin().block(99, make([]byte, fileRecordLimit+4)))
	add("undeclared interface refused", begin().enhanced(1, 8, "E", 1))
	add("too short refused", begin().block(pcapngEnhancedPacket, make([]byte, 16)))
	add("resolution refused", begin().iface(1, 96, newPcapngBytes(order).option(pcapngOptTsResol, "\x14")))
	other := binary.AppendByteOrder(binary.BigEndian)
	if order == other {
		other = binary.LittleEndian
	}
	add("both byte orders refused", begin().section(other, -1).iface(1, 96).enhanced(0, 8, "E", 1))
}

// libpcapChanges is how often each capture is changed.
const libpcapChanges = 300

// With wrong lengths anywhere the relation still holds.
func TestLibpcapReadsWrongLengthsTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture")
	le := binary.LittleEndian
	captures := map[string][]byte{
		"pcap": fileCapture(t, "npm-http.pcap"), "snaplen 120": fileCapture(t, "ec2-tools-snap120.pcap"), "pcapng": fileCapture(t, "go-tools.pcapng"),
	}
	for name, data := range captures {
		_, ends := fileEnds(t, data)
		captures[name] = data[:ends[19]]
	}
	for name, data := range libpcapGenerated() {
		if strings.HasPrefix(name, "pcap LittleEndian") && strings.HasSuffix(name, "snaplen 96 link 1") || strings.HasSuffix(name, "resolution 09 offset 0") && strings.Contains(name, "Little") {
			captures[name] = data
		}
	}
	for name, data := range captures {
		t.Run(name, func(t *testing.T) {
			fields := libpcapLengths(t, data)
			for seed := range Sample(int64(libpcapChanges)) {
				random := rand.New(rand.NewSource(seed))
				changed := bytes.Clone(data)
				for range 1 + random.Intn(2) {
					field := changed[fields[random.Intn(len(fields))]:]
					le.PutUint32(field, libpcapWrong(random, le.Uint32(field)))
				}
				libpcapCompare(t, file, changed, false)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

// libpcapWrong is another length, near the one that was or at a limit.
func libpcapWrong(random *rand.Rand, length uint32) uint32 {
	odd := []uint32{0, 1, 3, 4, 65535, pcapMaxSnaplen, pcapMaxSnaplen + 1, fileRecordLimit, 1 << 31, 0xfffffffc, 0xffffffff}
	switch random.Intn(4) {
	case 0:
		return odd[random.Intn(len(odd))]
	case 1:
		return length ^ 1<<random.Intn(32)
	}
	return length + uint32(random.Intn(17)) - 8
}

// libpcapLengths returns where in a little-endian capture lengths of records
// stand: those of packets and, in pcapng, those of blocks too.
func libpcapLengths(t *testing.T, data []byte) (fields []int) {
	t.Helper()
	if pcapngIsMagic(data) {
		for at := 0; at < len(data); {
			length := int(binary.LittleEndian.Uint32(data[at+4:]))
			if at > 0 {
				fields = append(fields, at+4, at+length-4)
			}
			if data[at] == pcapngEnhancedPacket {
				fields = append(fields, at+20, at+24)
			}
			at += length
		}
		return fields
	}
	recordLen := pcapRecordLen
	if binary.LittleEndian.Uint32(data) == pcapMagicModified {
		recordLen = pcapModifiedRecordLen
	}
	_, ends := fileEnds(t, data)
	for start := pcapHeaderLen; len(ends) > 0; start, ends = ends[0], ends[1:] {
		if start+recordLen <= len(data) {
			fields = append(fields, start+8, start+12)
		}
	}
	return fields
}
