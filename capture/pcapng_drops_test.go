package capture

import (
	"bytes"
	"io"
	"math"
	"testing"
	"time"
)

// statistics appends an Interface Statistics Block.
func (f *pcapngBytes) statistics(id uint32, options ...[]byte) *pcapngBytes {
	body := f.order.AppendUint32(nil, id)
	body = append(body, make([]byte, 8)...) // the time
	return f.block(pcapngStatistics, append(body, bytes.Join(options, nil)...))
}

func (f *pcapngBytes) count(code uint16, n uint64) []byte {
	return f.option(code, string(f.order.AppendUint64(nil, n)))
}

// What a file says was lost when it was written is counted, once.
func TestPcapngDrops(t *testing.T) {
	const ifDrop, osDrop, dropCount = 5, 7, 4
	for _, tt := range []struct {
		name string
		add  func(f *pcapngBytes)
		want uint64
	}{
		{"nothing is said", func(*pcapngBytes) {}, 0},
		{"by the interface", func(f *pcapngBytes) { f.statistics(0, f.count(ifDrop, 300)) }, 300},
		{"by the system", func(f *pcapngBytes) { f.statistics(0, f.count(4, 9000), f.count(osDrop, 500), f.count(8, 8000)) }, 500},
		{"by both", func(f *pcapngBytes) { f.statistics(0, f.count(ifDrop, 300), f.count(osDrop, 500)) }, 800},
		{"more and more", func(f *pcapngBytes) {
			f.statistics(0, f.count(ifDrop, 3)).statistics(0, f.count(ifDrop, 7)).statistics(0, f.count(ifDrop, 7))
		}, 7},
		{"less than before", func(f *pcapngBytes) { f.statistics(0, f.count(ifDrop, 7)).statistics(0, f.count(ifDrop, 3)) }, 7},
		{"of two interfaces", func(f *pcapngBytes) {
			f.iface(1, 0).statistics(0, f.count(ifDrop, 3)).statistics(1, f.count(ifDrop, 4))
		}, 7},
		{"of two sections", func(f *pcapngBytes) {
			f.statistics(0, f.count(ifDrop, 3)).section(f.order, -1).iface(1, 0).statistics(0, f.count(ifDrop, 4))
		}, 7},
		{"before packets", func(f *pcapngBytes) {
			f.enhanced(0, 1, "a", 1, f.count(dropCount, 2)).enhanced(0, 2, "a", 1).enhanced(0, 3, "a", 1, f.count(dropCount, 5))
		}, 7},
		{"before packets, and all in all", func(f *pcapngBytes) {
			f.enhanced(0, 1, "a", 1, f.count(dropCount, 2)).statistics(0, f.count(osDrop, 3)).enhanced(0, 2, "a", 1, f.count(dropCount, 5))
		}, 7},
		{"all in all, and before some packets", func(f *pcapngBytes) {
			f.enhanced(0, 1, "a", 1, f.count(dropCount, 2)).statistics(0, f.count(osDrop, 30))
		}, 30},
		{"before obsolete packets", func(f *pcapngBytes) {
			f.obsolete(0, 3, 1, "a", 1).obsolete(0, math.MaxUint16, 2, "a", 1).obsolete(0, 4, 3, "a", 1)
		}, 7},
		{"not known", func(f *pcapngBytes) {
			f.statistics(0, f.count(ifDrop, math.MaxUint64)).enhanced(0, 1, "a", 1, f.count(dropCount, math.MaxUint64))
		}, 0},
		{"more than there is room for", func(f *pcapngBytes) {
			f.iface(1, 0).statistics(0, f.count(ifDrop, math.MaxUint64-1), f.count(osDrop, 5)).statistics(1, f.count(ifDrop, 5))
		}, math.MaxInt64},
		{"of no interface", func(f *pcapngBytes) { f.statistics(1, f.count(ifDrop, 3)) }, 0},
		{"of another length", func(f *pcapngBytes) { f.statistics(0, f.option(ifDrop, "1234")).block(pcapngStatistics, nil) }, 0},
		{"in a block that is too long", func(f *pcapngBytes) {
			f.statistics(0, f.option(1, string(make([]byte, pcapngMaxStatistics-4))), f.count(ifDrop, 3))
		}, 0},
	} {
		for _, order := range pcapngOrders() {
			f := newPcapngBytes(order).iface(1, 0)
			tt.add(f)
			set := NewFileSet([]SetFile{{Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.b)), nil }}}, nil)
			if _, err := fileDrain(set); err != io.EOF || set.Drops() != tt.want {
				t.Errorf("%s: %d, %v; want %d", tt.name, set.Drops(), err, tt.want)
			}
		}
	}
}

// What the writer says is missing is read again, also where there are no packets.
func TestPcapngWriterDrops(t *testing.T) {
	packet := Packet{Data: []byte("a"), Length: 1, Time: time.Unix(1, 0), LinkType: LinkRaw}
	for _, packets := range [][]Packet{nil, {packet}} {
		var b bytes.Buffer
		w, err := NewPcapngWriter(&b, "test")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			if err := w.WritePacket(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.WriteDrops(7, time.Unix(2, 0)); err != nil {
			t.Fatal(err)
		}
		set := NewFileSet([]SetFile{{Open: func() (io.ReadCloser, error) { return io.NopCloser(&b), nil }}}, nil)
		if got, err := fileDrain(set); err != io.EOF || len(got) != len(packets) || set.Drops() != 7 {
			t.Errorf("%d packets, %d lost, %v; want %d, 7", len(got), set.Drops(), err, len(packets))
		}
	}
}
