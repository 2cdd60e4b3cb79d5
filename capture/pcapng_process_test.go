package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"imds-analyzer/imds"
)

// process is a block of Apple's that describes one.
func (f *pcapngBytes) process(pid uint32, options ...[]byte) *pcapngBytes {
	body := f.order.AppendUint32(nil, pid)
	return f.block(pcapngProcessBlock, append(body, bytes.Join(options, nil)...))
}

func TestPcapngSender(t *testing.T) {
	for _, order := range pcapngOrders() {
		f := newPcapngBytes(order)
		number := func(code uint16, n uint32) []byte { return f.option(code, string(order.AppendUint32(nil, n))) }
		for _, tt := range []struct {
			name    string
			options [][]byte
			inbound bool
			want    *imds.Sender
		}{
			{"nothing", nil, false, nil},
			{"inbound", [][]byte{number(2, 1)}, true, nil},
			{"outbound, and more bits", [][]byte{number(2, 0xfe)}, false, nil},
			{"inbound, and more bits", [][]byte{number(2, 0xfd)}, true, nil},
			{"not a number", [][]byte{f.option(2, "\x01\x00\x00"), f.option(0x8001, "\x00")}, false, nil},
			{"process", [][]byte{number(0x8001, 0)}, false, &imds.Sender{PID: 71, Name: "curl"}},
			{"without a name", [][]byte{number(0x8001, 1)}, false, &imds.Sender{PID: 72}},
			{"on behalf of another", [][]byte{number(0x8003, 0), number(0x8001, 1)}, false, &imds.Sender{PID: 72, ForPID: 71, ForName: "curl"}},
			{"unknown pid", [][]byte{number(0x8001, 2)}, false, &imds.Sender{Name: "kernel"}},
			{"block too short", [][]byte{number(0x8001, 3)}, false, &imds.Sender{}},
			{"block too long", [][]byte{number(0x8001, 4)}, false, &imds.Sender{}},
			{"behind these", [][]byte{number(0x8001, 5)}, false, &imds.Sender{PID: 76, Name: strings.Repeat("n", pcapngMaxName)}},
			{"not there", [][]byte{number(0x8001, 6)}, false, nil},
			{"far away", [][]byte{number(0x8001, 1<<32-1)}, false, nil},
		} {
			t.Run(tt.name+" "+order.String(), func(t *testing.T) {
				f := newPcapngBytes(order).iface(1, 0)
				f.process(71, f.option(4, strings.Repeat("u", 16)), f.option(2, "curl"), f.option(0, "")).process(72)
				f.process(1<<32-1, f.option(2, "kernel")).block(pcapngProcessBlock, nil)
				f.process(75, f.option(2, strings.Repeat("n", pcapngMaxProcess))).process(76, f.option(2, strings.Repeat("n", 300)))
				f.enhanced(0, 1, "abc", 3, tt.options...)
				f.section(order, -1).iface(1, 0).enhanced(0, 1, "abc", 3, tt.options...) // has none of these processes
				packets, err := fileReadAll(bytes.NewReader(f.b))
				if err != io.EOF || len(packets) != 2 {
					t.Fatalf("%d packets, %v", len(packets), err)
				}
				got := packets[0].Sender
				if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
					t.Errorf("sender %+v, not %+v", got, tt.want)
				}
				if packets[0].Inbound != tt.inbound || packets[1].Inbound != tt.inbound {
					t.Errorf("inbound: %v, %v", packets[0].Inbound, packets[1].Inbound)
				}
				if packets[1].Sender != nil {
					t.Errorf("in the next section %+v", packets[1].Sender)
				}
			})
		}
	}
}

// Of more processes than are kept nothing is known, and the rest stays right.
func TestPcapngManyProcesses(t *testing.T) {
	f := newPcapngBytes(binary.LittleEndian).iface(1, 0)
	for pid := range uint32(pcapngMaxProcesses + 1) {
		f.process(pid + 1)
	}
	last := func(n uint32) []byte { return f.option(0x8001, string(binary.LittleEndian.AppendUint32(nil, n))) }
	f.enhanced(0, 1, "abc", 3, last(pcapngMaxProcesses-1)).enhanced(0, 1, "abc", 3, last(pcapngMaxProcesses))
	packets, err := fileReadAll(bytes.NewReader(f.b))
	if err != io.EOF || len(packets) != 2 {
		t.Fatalf("%d packets, %v", len(packets), err)
	}
	if s := packets[0].Sender; s == nil || s.PID != pcapngMaxProcesses {
		t.Errorf("the last that is kept is %+v", s)
	}
	if s := packets[1].Sender; s != nil {
		t.Errorf("the one behind it is %+v", s)
	}
}
