package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"
)

func TestPcapngComments(t *testing.T) {
	for _, order := range pcapngOrders() {
		f := newPcapngBytes(order)
		comment := func(s string) []byte { return f.option(pcapngOptComment, s) }
		end := f.option(pcapngOptEnd, "")
		tests := []struct {
			name    string
			options [][]byte
			want    string
		}{
			{"none", nil, ""},
			{"only the end", [][]byte{end}, ""},
			{"one", [][]byte{comment("hello"), end}, "hello"},
			{"no end", [][]byte{comment("hello")}, "hello"},
			{"among others", [][]byte{f.option(2, "\x00\x00\x00\x01"), comment("a"), f.option(4, "12345678"), comment("b")}, "a\nb"},
			{"after the end", [][]byte{end, comment("hello")}, ""},
			{"ended by zero", [][]byte{comment("hello\x00")}, "hello"},
			{"longest", [][]byte{comment(strings.Repeat("x", pcapngMaxOption))}, strings.Repeat("x", pcapngMaxOption)},
			{"overruns", [][]byte{comment("a"), comment("cut off")[:8]}, "a"},
		}
		for _, test := range tests {
			t.Run(test.name+" "+order.String(), func(t *testing.T) {
				f := newPcapngBytes(order).iface(1, 0)
				f.enhanced(0, 1, "abc", 3, test.options...).enhanced(0, 1, "next", 4)
				packets, err := fileReadAll(bytes.NewReader(f.b))
				if err != io.EOF || len(packets) != 2 {
					t.Fatalf("%d packets, %v", len(packets), err)
				}
				if packets[0].Comment != test.want || packets[1].Comment != "" {
					t.Errorf("%q and %q, want %q", packets[0].Comment, packets[1].Comment, test.want)
				}
			})
		}
	}
}

// The last option may lack its padding or stop within its head.
func TestPcapngOptionEnds(t *testing.T) {
	le := binary.LittleEndian
	tests := []struct {
		data string
		code uint16
		rest int
		ok   bool
	}{
		{"", pcapngOptEnd, 0, true},
		{"\x01", 0, 0, false},
		{"\x00\x00\x00\x00rest", pcapngOptEnd, 0, true},
		{"\x00\x00\x09\x00", pcapngOptEnd, 0, true},
		{"\x01\x00\x01\x00a\x00\x00\x00rest", 1, 4, true},
		{"\x01\x00\x01\x00a", 1, 0, true},
		{"\x01\x00\x02\x00a", 0, 0, false},
	}
	for _, test := range tests {
		o, rest, ok := pcapngNextOption([]byte(test.data), le)
		if o.code != test.code || len(rest) != test.rest || ok != test.ok {
			t.Errorf("%q: code %d, %d bytes left, %v", test.data, o.code, len(rest), ok)
		}
	}
}

// All options that the format has for interfaces and packets, those of zero
// length, of unknown codes and of private use do not change what is read.
func TestPcapngOtherOptions(t *testing.T) {
	for _, order := range pcapngOrders() {
		f := newPcapngBytes(order)
		var iface, packet [][]byte
		for code := uint16(1); code < 40; code++ {
			switch code {
			case pcapngOptName, pcapngOptTsResol, pcapngOptTsOffset:
			default: // 10 is if_tzone, which no reader can make sense of
				iface = append(iface, f.option(code, ""), f.option(code, "\x00\x00\x0e\x10"), f.option(code, "odd"))
			}
			if code != pcapngOptComment { // 2 is epb_flags: in, out and both
				packet = append(packet, f.option(code, ""), f.option(code, "\x00\x00\x00\x01"), f.option(code, "\x02\x00\x00\x00"), f.option(code, "odd"))
			}
		}
		for _, code := range []uint16{2988, 2989, 19372, 19373, 0x8001, 0xffff} { // custom ones, with an enterprise number
			iface = append(iface, f.option(code, "\x00\x00\x7e\xd9value"))
			packet = append(packet, f.option(code, "\x00\x00\x7e\xd9value"))
		}
		iface = append(iface, f.option(pcapngOptName, "eth0"), f.option(pcapngOptTsResol, "\x09"), f.option(pcapngOptEnd, ""))
		packet = append(packet, f.option(pcapngOptComment, ""), f.option(pcapngOptComment, "first"), f.option(pcapngOptComment, "second"), f.option(pcapngOptEnd, ""))
		f.iface(1, 0, iface...).enhanced(0, 1e9, "abc", 3, packet...).obsolete(0, 1, 2e9, "abcd", 4, packet...)
		packets, err := fileReadAll(bytes.NewReader(f.b))
		if err != io.EOF {
			t.Fatal(err)
		}
		const comment = "\nfirst\nsecond"
		fileSamePackets(t, packets, []Packet{
			{Data: []byte("abc"), Length: 3, Time: time.Unix(1, 0).UTC(), LinkType: 1, Interface: "eth0", Comment: comment},
			{Data: []byte("abcd"), Length: 4, Time: time.Unix(2, 0).UTC(), LinkType: 1, Interface: "eth0", Comment: comment},
		})
	}
}

func TestPcapngLongInterfaceName(t *testing.T) {
	f := newPcapngBytes(binary.LittleEndian)
	f.iface(1, 0, f.option(pcapngOptName, strings.Repeat("n", 5000))).simple("a", 1)
	packets, err := fileReadAll(bytes.NewReader(f.b))
	if err != io.EOF || len(packets[0].Interface) != pcapngMaxName {
		t.Errorf("%d bytes, %v", len(packets[0].Interface), err)
	}
}
