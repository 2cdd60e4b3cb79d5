package capture

import (
	"net/netip"
	"testing"

	"imds-analyzer/imds"
)

const (
	quotedIPv4 = "45000028000100000106" + "0000" + "a9fea9fe" + "0a000007"
	quotedTCP  = "0050" + "9c40" + "01020304"
)

// What is quoted may be cut anywhere behind the sequence number, and may be anything.
func TestTimeExceeded(t *testing.T) {
	const header = "450000640000400040010000" + "0a000001" + "a9fea9fe"
	for _, tt := range []struct {
		name, icmp string
		want       bool
	}{
		{"whole", "0b00000000000000" + quotedIPv4 + quotedTCP, true},
		{"with options", "0b00000000000000" + "46" + quotedIPv4[2:] + "01010101" + quotedTCP, true},
		{"the first of several fragments", "0b00000000000000" + quotedIPv4[:12] + "2000" + quotedIPv4[16:] + quotedTCP, true},
		{"of reassembly", "0b01000000000000" + quotedIPv4 + quotedTCP, false},
		{"unreachable", "0300000000000000" + quotedIPv4 + quotedTCP, false},
		{"cut in the sequence number", "0b00000000000000" + quotedIPv4 + quotedTCP[:14], false},
		{"cut in the header", "0b00000000000000" + quotedIPv4[:38], false},
		{"cut before it", "0b000000000000", false},
		{"nothing", "", false},
		{"a later fragment", "0b00000000000000" + quotedIPv4[:12] + "0001" + quotedIPv4[16:] + quotedTCP, false},
		{"UDP", "0b00000000000000" + quotedIPv4[:18] + "11" + quotedIPv4[20:] + quotedTCP, false},
		{"of another service", "0b00000000000000" + quotedIPv4[:24] + "0a000009" + quotedIPv4[32:] + quotedTCP, false},
		{"of another port", "0b00000000000000" + quotedIPv4 + "0051" + quotedTCP[4:], false},
		{"from the client", "0b00000000000000" + quotedIPv4[:24] + "0a000007" + "a9fea9fe" + "9c400050" + quotedTCP[8:], false},
	} {
		d := newDecoder(imds.DefaultEndpoints())
		p := Packet{Data: unhex(t, header+tt.icmp), LinkType: LinkRaw}
		b, ok := d.bystander(&p, &p)
		if !ok || b.quotes != tt.want {
			t.Errorf("%s: %v, %v", tt.name, ok, b.quotes)
			continue
		}
		if !tt.want {
			continue
		}
		if want := len(header+tt.icmp) / 2; b.header != want {
			t.Errorf("%s: headers of %d bytes, not %d", tt.name, b.header, want)
		}
		if s := b.exceeded; s.seq != 0x01020304 || s.key.client(d.service(&s)) != netip.MustParseAddrPort("10.0.0.7:40000") || s.direction != down {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

// FuzzTimeExceeded: whatever a message quotes, what is read and kept lies in it.
func FuzzTimeExceeded(f *testing.F) {
	f.Add(uint8(protoICMP), []byte("\x0b\x00\x00\x00\x00\x00\x00\x00\x45\x00\x00\x28\x00\x01\x00\x00\x01\x06\x00\x00\xa9\xfe\xa9\xfe\x0a\x00\x00\x07\x00\x50\x9c\x40\x01\x02\x03\x04"))
	f.Add(uint8(protoICMPv6), append([]byte{3, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 20, 6, 1}, make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, protocol uint8, payload []byte) {
		packet := datagram{is4: protocol != protoICMPv6, protocol: protocol, payload: payload, length: len(payload)}
		quoted, ok := timeExceeded(&packet)
		if !ok {
			return
		}
		if from := cap(payload) - cap(quoted.payload); len(quoted.payload) < minQuoted || from < icmpHeader+20 || from+minQuoted > len(payload) {
			t.Errorf("%d bytes from %d on of %d", len(quoted.payload), from, len(payload))
		}
	})
}
