package capture

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// pcapngWritten returns the file that holds packets.
func pcapngWritten(t testing.TB, packets []Packet) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewPcapngWriter(&b, "imds-analyzer test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestPcapngWriterRoundTrip(t *testing.T) {
	at := func(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }
	packets := []Packet{
		{Data: []byte("abc"), Length: 1500, Time: at(1795408250_123456789), LinkType: LinkEthernet, InterfaceID: 0, Interface: "eth0"},
		{Data: []byte("abcd"), Length: 4, Time: at(0), LinkType: LinkLinuxSLL2, InterfaceID: 1, Interface: "any", Comment: "two\nlines"},
		{Data: []byte{}, Length: 0, Time: at(1), LinkType: LinkEthernet, InterfaceID: 0, Interface: "eth0", Comment: "n"},
		{Data: []byte("abcde"), Length: 5, Time: time.Unix(18446744072, 999999999).UTC(), LinkType: LinkRaw, InterfaceID: 2},
		{Data: []byte("f"), Length: 1, Time: at(2), LinkType: LinkRaw, InterfaceID: 3, Interface: "\u00fcber"},
		{Data: []byte("g"), Length: 1, Time: at(2), LinkType: LinkRaw, InterfaceID: 4, Interface: "eth0", Network: "net:[7]"},
		{Data: []byte("h"), Length: 1, Time: at(2), LinkType: LinkRaw, InterfaceID: 5, Interface: "eth0", Network: "net:[8]"},
		{Data: bytes.Repeat([]byte("long"), 1<<18), Length: 1 << 31, Time: at(3), LinkType: LinkRaw, InterfaceID: 2, Comment: strings.Repeat("c", pcapngMaxOption)},
	}
	got, err := fileReadAll(bytes.NewReader(pcapngWritten(t, packets)))
	if err != io.EOF {
		t.Fatal(err)
	}
	fileSamePackets(t, got, packets)
}

// All real captures come back as they were.
func TestPcapngWriterRealCaptures(t *testing.T) {
	for _, name := range []string{"cloud-init.pcap", "ec2-tools-snap120.pcap", "curl-ipv6.pcapng", "go-tools.pcapng", "proxy-haproxy-any.pcap"} {
		packets, err := fileReadAll(bytes.NewReader(fileCapture(t, name)))
		if err != io.EOF {
			t.Fatal(err)
		}
		got, err := fileReadAll(bytes.NewReader(pcapngWritten(t, packets)))
		if err != io.EOF {
			t.Fatal(err)
		}
		fileSamePackets(t, got, packets)
	}
}

func TestPcapngWriterFillsIn(t *testing.T) {
	got, err := fileReadAll(bytes.NewReader(pcapngWritten(t, []Packet{
		{Data: []byte("abc"), Length: 0, Interface: "a", InterfaceID: 7},
		{Data: []byte("abc"), Length: -1, Interface: "b", InterfaceID: 7, Time: time.Unix(-1, 0)},
		{Data: []byte("abc"), Length: 9, Interface: "a", InterfaceID: 7, LinkType: LinkLoop, Time: time.Unix(18446744073, 0)},
	})))
	if err != io.EOF {
		t.Fatal(err)
	}
	epoch := time.Unix(0, 0).UTC()
	fileSamePackets(t, got, []Packet{
		{Data: []byte("abc"), Length: 3, Interface: "a", Time: epoch},
		{Data: []byte("abc"), Length: 3, Interface: "b", InterfaceID: 1, Time: epoch},
		{Data: []byte("abc"), Length: 9, Interface: "a", InterfaceID: 2, Time: epoch, LinkType: LinkLoop},
	})
}

// pcapngWrites records each Write, and fails from the one of that number on.
type pcapngWrites struct {
	writes [][]byte
	fail   int
}

var errPcapngDiskFull = errors.New("no space left on device")

func (w *pcapngWrites) Write(p []byte) (int, error) {
	if w.fail > 0 && len(w.writes)+1 >= w.fail {
		return len(p) / 2, errPcapngDiskFull
	}
	w.writes = append(w.writes, bytes.Clone(p))
	return len(p), nil
}

// After every Write the file is whole: a killed writer leaves no cut block.
func TestPcapngWriterWritesWholeBlocks(t *testing.T) {
	var w pcapngWrites
	writer, err := NewPcapngWriter(&w, "")
	if err != nil {
		t.Fatal(err)
	}
	for id := range 3 {
		if err := writer.WritePacket(Packet{Data: []byte("abc"), InterfaceID: id % 2}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.writes) != 4 {
		t.Fatalf("%d writes for the head and 3 packets", len(w.writes))
	}
	for n := range w.writes {
		packets, err := fileReadAll(bytes.NewReader(bytes.Join(w.writes[:n+1], nil)))
		if len(packets) != n || err != io.EOF {
			t.Errorf("after %d writes: %d packets, %v", n+1, len(packets), err)
		}
	}
}

func TestPcapngWriterDiskFull(t *testing.T) {
	if _, err := NewPcapngWriter(&pcapngWrites{fail: 1}, ""); err != errPcapngDiskFull {
		t.Error(err)
	}
	w := &pcapngWrites{fail: 3}
	writer, err := NewPcapngWriter(w, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.WritePacket(Packet{}); err != nil {
		t.Fatal(err)
	}
	if err := writer.WritePacket(Packet{}); err != errPcapngDiskFull {
		t.Error(err)
	}
	w.fail = 0 // there is room again, but a block was cut
	if err := writer.WritePacket(Packet{}); err != errPcapngDiskFull || len(w.writes) != 2 {
		t.Errorf("%d writes, %v", len(w.writes), err)
	}
}

// Where what a failed Write left was cut off, the file goes on, with the interface of the
// packet that it lacks.
func TestPcapngWriterMended(t *testing.T) {
	w := &pcapngWrites{fail: 3}
	writer, err := NewPcapngWriter(w, "")
	if err != nil {
		t.Fatal(err)
	}
	packet := func(interfaceID int) error {
		return writer.WritePacket(Packet{Data: []byte("abc"), InterfaceID: interfaceID})
	}
	if err := packet(1); err != nil {
		t.Fatal(err)
	}
	if err := packet(2); err != errPcapngDiskFull {
		t.Fatal(err)
	}
	w.fail = 0
	writer.Mended()
	for _, id := range []int{2, 1, 2} {
		if err := packet(id); err != nil {
			t.Error(err)
		}
	}
	packets, err := fileReadAll(bytes.NewReader(bytes.Join(w.writes, nil)))
	if len(packets) != 4 || err != io.EOF {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

// What does not fit is refused before anything is written.
func TestPcapngWriterRefuses(t *testing.T) {
	var w pcapngWrites
	writer, err := NewPcapngWriter(&w, "")
	if err != nil {
		t.Fatal(err)
	}
	for want, p := range map[string]Packet{
		"link type -1":                                 {LinkType: -1},
		"link type 65536":                              {LinkType: 65536},
		"a packet of 16646145 bytes":                   {Data: make([]byte, pcapngMaxData+1)},
		"a packet of 4294967296 bytes":                 {Length: 1 << 32},
		"an interface name of 256 bytes":               {Interface: strings.Repeat("n", 256)},
		"the name of a network namespace of 256 bytes": {Network: strings.Repeat("n", 256)},
		"a comment of 65536 bytes":                     {Comment: strings.Repeat("c", 65536)},
	} {
		if err := writer.WritePacket(p); !errors.Is(err, ErrDoesNotFit) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if len(w.writes) != 1 {
		t.Errorf("%d writes", len(w.writes))
	}
	if err := writer.WritePacket(Packet{Data: make([]byte, pcapngMaxData), Comment: strings.Repeat("c", 65535)}); err != nil {
		t.Error(err)
	}
	if packets, err := fileReadAll(bytes.NewReader(bytes.Join(w.writes, nil))); len(packets) != 1 || err != io.EOF {
		t.Errorf("the longest: %d packets, %v", len(packets), err)
	}
	if _, err := NewPcapngWriter(&w, strings.Repeat("a", 65536)); err == nil {
		t.Error("an application name of 65536 bytes")
	}
}

func TestPcapngWriterTooManyInterfaces(t *testing.T) {
	writer, err := NewPcapngWriter(io.Discard, "")
	if err != nil {
		t.Fatal(err)
	}
	for id := range pcapngMaxInterfaces {
		if err := writer.WritePacket(Packet{InterfaceID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.WritePacket(Packet{InterfaceID: -1}); !errors.Is(err, ErrDoesNotFit) {
		t.Errorf("one more: %v", err)
	}
	if err := writer.WritePacket(Packet{InterfaceID: 5}); err != nil {
		t.Error(err)
	}
}

// Two namespaces may have an interface of the same number and name. What other
// programs say of an interface is no name of a namespace.
func TestPcapngWriterNetworks(t *testing.T) {
	at := time.Unix(0, 0).UTC()
	data := []byte("a")
	got, err := fileReadAll(bytes.NewReader(pcapngWritten(t, []Packet{
		{Data: data, Length: 1, Time: at, InterfaceID: 2, Interface: "eth0", Network: "net:[7]"},
		{Data: data, Length: 1, Time: at, InterfaceID: 2, Interface: "eth0", Network: "net:[8]"},
		{Data: data, Length: 1, Time: at, InterfaceID: 2, Interface: "eth0", Network: "Ethernet"},
		{Data: data, Length: 1, Time: at, InterfaceID: 2, Interface: "eth0", Network: "net:[7]"},
	})))
	if err != io.EOF {
		t.Fatal(err)
	}
	fileSamePackets(t, got, []Packet{
		{Data: data, Length: 1, Time: at, InterfaceID: 0, Interface: "eth0", Network: "net:[7]"},
		{Data: data, Length: 1, Time: at, InterfaceID: 1, Interface: "eth0", Network: "net:[8]"},
		{Data: data, Length: 1, Time: at, InterfaceID: 2, Interface: "eth0"},
		{Data: data, Length: 1, Time: at, InterfaceID: 0, Interface: "eth0", Network: "net:[7]"},
	})
}
