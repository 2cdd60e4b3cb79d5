package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
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

func TestPcapngLongInterfaceName(t *testing.T) {
	f := newPcapngBytes(binary.LittleEndian)
	f.iface(1, 0, f.option(pcapngOptName, strings.Repeat("n", 5000))).simple("a", 1)
	packets, err := fileReadAll(bytes.NewReader(f.b))
	if err != io.EOF || len(packets[0].Interface) != pcapngMaxName {
		t.Errorf("%d bytes, %v", len(packets[0].Interface), err)
	}
}
