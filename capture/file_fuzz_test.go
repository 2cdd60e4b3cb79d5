package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"imds-analyzer/imds"
)

// FuzzReader: whatever the bytes, the reader ends with one of its errors, in
// bounded memory, and gives the same packets however the bytes come.
func FuzzReader(f *testing.F) {
	for _, name := range []string{"curl-eth.pcap", "npm-http.pcap", "proxy-haproxy-any.pcap", "boto.pcapng", "go-tools.pcapng"} {
		head := fileCapture(f, name)[:800]
		f.Add(head)
		f.Add(fileGzipped(f, head))
		f.Add(fileZstded(f, head))
	}
	for _, order := range pcapngOrders() {
		b := newPcapngBytes(order)
		b.iface(1, 96, b.option(pcapngOptTsResol, "\x8a"), b.option(pcapngOptTsOffset, "12345678"), b.option(pcapngOptName, "eth0"))
		b.simple("abc", 3).obsolete(0, 1, 1, "abc", 3).block(99, nil)
		b.enhanced(0, 1, "abc", 3, b.option(pcapngOptComment, "comment"), b.option(pcapngOptComment, "another"))
		b.process(7, b.option(pcapngOptProcessName, "curl"))
		b.enhanced(0, 1, "abc", 3, b.option(pcapngOptProcess, "\x00\x00\x00\x00"), b.option(pcapngOptFlags, "\x01\x00\x00\x01"))
		b.section(binary.BigEndian, 0).iface(1, 0).enhanced(0, 1, "abc", 3)
		f.Add(b.b)
		f.Add(append(pcapHeader(order, pcapMagicModified, 0, 1), pcapRecord(order, 24, 1, 1, 3, 3, "abc")...))
		f.Add(append(pcapVersioned(order, pcapMagicMicro, 2, 3, 0, 1), pcapRecord(order, pcapRecordLen, 1, 1, 9, 3, "abc")...))
		f.Add(append(pcapHeader(order, pcapMagicIxiaHardware, 0, 1), pcapRecord(order, pcapRecordLen, 1, 1, 3, 3, "abc")...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 { // so that an unpacker cannot make it slow
			return
		}
		fileCheckEnd(t, data)
		want, wantErr := fileReadAll(bytes.NewReader(data))
		got, err := fileReadAll(iotest.OneByteReader(bytes.NewReader(data)))
		if wantErr == io.EOF && err != io.EOF || wantErr != io.EOF && err == io.EOF {
			t.Fatalf("ended with %v and %v", wantErr, err)
		}
		fileSamePackets(t, got, want)
	})
}

// FuzzWriterRoundTrip: what the writer takes comes back.
func FuzzWriterRoundTrip(f *testing.F) {
	f.Add(uint16(1), 0, "eth0", "", []byte("abc"), uint32(0), int64(1795408250123456789))
	f.Add(uint16(276), 3, "any", "a comment\nof two lines", []byte{}, uint32(1500), int64(0))
	f.Add(uint16(113), -1, "", "x", []byte("abcd"), uint32(4), int64(-1))
	f.Fuzz(func(t *testing.T, link uint16, id int, name, comment string, data []byte, more uint32, nanoseconds int64) {
		// The reader takes zero bytes at the end of texts for padding.
		name, comment = strings.TrimRight(name, "\x00"), strings.TrimRight(comment, "\x00")
		if len(name) > pcapngMaxName || len(comment) > pcapngMaxOption || imds.Redact(name) != name {
			return
		}
		p := Packet{
			Data: data, Length: len(data) + int(more/2), Time: time.Unix(0, max(nanoseconds, 0)).UTC(),
			LinkType: LinkType(link), InterfaceID: id, Interface: name, Comment: comment,
		}
		other := Packet{Data: []byte("other"), Length: 5, Time: p.Time, LinkType: p.LinkType, InterfaceID: id + 1, Interface: name}
		got, err := fileReadAll(bytes.NewReader(pcapngWritten(t, []Packet{p, other, p})))
		if err != io.EOF {
			t.Fatal(err)
		}
		p.InterfaceID, other.InterfaceID = 0, 1
		fileSamePackets(t, got, []Packet{p, other, p})
	})
}
