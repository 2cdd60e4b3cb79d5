package capture

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imds-analyzer/imds"
)

// What a Sieve leaves out says nothing: with and without it the same segments
// are found, and no packet is uncounted.
func TestSieveLeavesOutNoSegment(t *testing.T) {
	files, err := filepath.Glob(fileCaptures + "/*.pcap*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all, none := sieveSegments(t, file, nil)
			sieve := NewSieve(imds.DefaultEndpoints())
			some, handed := sieveSegments(t, file, sieve)
			if strings.Join(some, "\n") != strings.Join(all, "\n") {
				t.Errorf("%d segments with the sieve, %d without", len(some), len(all))
			}
			if handed+int(sieve.PassedOver()) != none {
				t.Errorf("%d packets handed on and %d passed over of %d", handed, sieve.PassedOver(), none)
			}
		})
	}
}

// sieveSegments returns what the decoder makes of a file, and the number of
// packets.
func sieveSegments(t *testing.T, file string, sieve *Sieve) (segments []string, packets int) {
	t.Helper()
	source, err := openFile(file, sieve)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	d := newDecoder(imds.DefaultEndpoints())
	for {
		p, err := source.Next()
		if err == io.EOF {
			return segments, packets
		}
		if err != nil {
			t.Fatal(err)
		}
		packets++
		var s segment
		if d.decode(p, unwrapPktap(p), &s) {
			segments = append(segments, p.Time.String()+s.key.client(d.service(&s)).String()+string(s.payload))
		}
	}
}

func TestSieveLets(t *testing.T) {
	const (
		v4    = "450000280000400040060000"
		v6Tcp = "6000000000140640"
		tcp   = "0000000000000000000000000000000000000000"
		other = "0a000001"
		imds4 = "a9fea9fe"
	)
	plain := func(src, dst string) []byte { return unhex(t, v4+src+dst+tcp) }
	ether := func(kind string, data []byte) []byte {
		return append(unhex(t, "020000000001020000000002"+kind), data...)
	}
	v6 := func(src, dst string) []byte { return unhex(t, v6Tcp+src+dst+tcp) }
	const imds6, other6 = "fd000ec2000000000000000000000254", "fd000ec2000000000000000000000255"
	for _, test := range []struct {
		name string
		link LinkType
		data []byte
		want bool
	}{
		{"to the service", LinkEthernet, ether("0800", plain(other, imds4)), true},
		{"from the service", LinkEthernet, ether("0800", plain(imds4, other)), true},
		{"what a router says of the service's", LinkEthernet, ether("0800", unhex(t, "450000280000400040010000"+other+imds4+"0b00000000000000")), true},
		{"others", LinkEthernet, ether("0800", plain(other, other)), false},
		{"tagged", LinkEthernet, ether("81000005"+"0800", plain(other, imds4)), true},
		{"tagged twice", LinkEthernet, ether("88a80005"+"81000005"+"0800", plain(other, imds4)), true},
		{"tagged others", LinkEthernet, ether("81000005"+"0800", plain(other, other)), false},
		{"802.3 with SNAP", LinkEthernet, ether("0040"+"aaaa03000000"+"0800", plain(other, imds4)), true},
		{"802.3 with SNAP, others", LinkEthernet, ether("0040"+"aaaa03000000"+"0800", plain(other, other)), false},
		{"802.3 with another LLC header", LinkEthernet, ether("0040"+"424203", plain(other, imds4)), false},
		{"IPv6 to the service", LinkEthernet, ether("86dd", v6(other6, imds6)), true},
		{"IPv6 from the service", LinkEthernet, ether("86dd", v6(imds6, other6)), true},
		{"IPv6 others", LinkEthernet, ether("86dd", v6(other6, other6)), false},
		{"ARP", LinkEthernet, ether("0806", make([]byte, 28)), false},
		{"raw", LinkRaw, plain(other, imds4), true},
		{"raw others", LinkRaw, plain(other, other), false},
		{"raw IPv6", LinkRaw, v6(other6, imds6), true},
		{"loopback", LinkNull, append([]byte{2, 0, 0, 0}, plain(imds4, other)...), true},
		{"cut before the addresses", LinkRaw, plain(other, imds4)[:16], false},
		{"cut in the link header", LinkEthernet, []byte{1, 2, 3}, false},
		{"nothing", LinkRaw, nil, false},
		{"a link type that is not known", LinkType(9999), plain(other, other), true},
	} {
		p := Packet{Data: test.data, Length: len(test.data), LinkType: test.link}
		if got := NewSieve(imds.DefaultEndpoints()).lets(&p); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A mapped address is the IPv4 address on the wire.
func TestSieveOfMappedEndpoint(t *testing.T) {
	sieve := NewSieve([]netip.AddrPort{netip.MustParseAddrPort("[::ffff:169.254.169.254]:80")})
	if len(sieve.v4) != 1 || len(sieve.v6) != 0 {
		t.Errorf("%v, %v", sieve.v4, sieve.v6)
	}
}

// Time passes where nothing but other traffic does.
func TestSieveLetsTimePass(t *testing.T) {
	var file bytes.Buffer
	w, err := NewPcapngWriter(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 30 {
		at := start.Add(time.Duration(i) * 100 * time.Millisecond)
		if err := w.WritePacket(Packet{Data: make([]byte, 60), Length: 60, Time: at, LinkType: LinkEthernet}); err != nil {
			t.Fatal(err)
		}
	}
	sieve := NewSieve(imds.DefaultEndpoints())
	source, err := newReader(&file, sieve)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := fileDrain(source)
	if err != io.EOF {
		t.Fatal(err)
	}
	if len(packets) != 3 || sieve.PassedOver() != 27 {
		t.Errorf("%d packets handed on, %d passed over", len(packets), sieve.PassedOver())
	}
}

// Of many packets in a row that are of no interest one is handed on from time to
// time, and those that are not are counted before that.
func TestSieveGivesTime(t *testing.T) {
	const count = 3*sieveRun + 5
	var file bytes.Buffer
	w, err := NewPcapngWriter(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	epoch := time.Unix(0, 0) // of clocks that were not set
	for range count {
		if err := w.WritePacket(Packet{Data: make([]byte, 60), Length: 60, Time: epoch, LinkType: LinkEthernet}); err != nil {
			t.Fatal(err)
		}
	}
	sieve := NewSieve(imds.DefaultEndpoints())
	source, err := newReader(&file, sieve)
	if err != nil {
		t.Fatal(err)
	}
	for _, passed := range []uint64{0, sieveRun, 2 * sieveRun} {
		if _, err := source.Next(); err != nil || sieve.PassedOver() != passed {
			t.Fatalf("%d passed over, not %d, %v", sieve.PassedOver(), passed, err)
		}
	}
	if packets, err := fileDrain(source); err != io.EOF || 3+len(packets)+int(sieve.PassedOver()) != count {
		t.Errorf("%d packets more, %d passed over, %v", len(packets), sieve.PassedOver(), err)
	}
}
