package capture

import (
	"encoding/binary"
	"testing"

	"imds-analyzer/imds"
)

// firstPktap is a header of the first version that says nothing, before rest.
func firstPktap(length uint32, rest string, edit func(b []byte)) []byte {
	b := make([]byte, pktapFirstSize)
	binary.LittleEndian.PutUint32(b, length)
	b[4], b[8] = pktapHasPacket, byte(LinkEthernet)
	if edit != nil {
		edit(b)
	}
	return append(b, rest...)
}

func secondPktap(length byte, rest string, edit func(b []byte)) []byte {
	b := make([]byte, pktapSecondSize)
	binary.LittleEndian.PutUint32(b[pktapFlags:], pktapSecond)
	b[0], b[6] = length, byte(LinkEthernet)
	if edit != nil {
		edit(b)
	}
	return append(b, rest...)
}

func TestParsePktap(t *testing.T) {
	pid := func(at int, pid int32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], uint32(pid)) }
	}
	ethernet := func(length int) pktap { return pktap{length: length, dlt: LinkEthernet} }
	said := func(h pktap, s imds.Sender) pktap { h.sender = s; return h }
	for _, tt := range []struct {
		name string
		data []byte
		want pktap
		ok   bool
	}{
		{"nothing", nil, pktap{}, false},
		{"first", firstPktap(108, "frame", nil), ethernet(108), true},
		{"first, longer", firstPktap(110, "xxframe", nil), ethernet(110), true},
		{"first, too short by its length", firstPktap(107, "frame", nil), pktap{}, false},
		{"first, longer than what there is", firstPktap(114, "frame", nil), pktap{}, false},
		{"first, longer than any", firstPktap(1<<31, "frame", nil), pktap{}, false},
		{"first, cut", firstPktap(108, "", nil)[:107], pktap{}, false},
		{"first, no packet", firstPktap(108, "", func(b []byte) { b[4] = 0 }), pktap{}, false},
		{"first, in itself", firstPktap(108, "", func(b []byte) { b[8], b[9] = 2, 1 }), pktap{}, false},
		{"first, of no type", firstPktap(108, "", func(b []byte) { b[10] = 1 }), pktap{length: 108, dlt: 1<<16 | LinkEthernet}, true},
		{"first, pid", firstPktap(108, "", pid(52, 77)), said(ethernet(108), imds.Sender{PID: 77}), true},
		{"first, no pid", firstPktap(108, "", pid(52, -1)), ethernet(108), true},
		{"first, other pid", firstPktap(108, "", pid(84, 78)), said(ethernet(108), imds.Sender{ForPID: 78}), true},
		{"first, full name", firstPktap(108, "", func(b []byte) { copy(b[56:], "abcdefghijklmnopqrstxxxx") }),
			said(ethernet(108), imds.Sender{Name: "abcdefghijklmnopqrst"}), true},
		{"first, inbound", firstPktap(108, "", func(b []byte) { b[36] = 1 }), pktap{length: 108, dlt: LinkEthernet, inbound: true}, true},
		{"first, outbound", firstPktap(108, "", func(b []byte) { b[36] = 2 }), ethernet(108), true},

		{"second", secondPktap(40, "frame", nil), ethernet(40), true},
		{"second, too short by its length", secondPktap(39, "frame", nil), pktap{}, false},
		{"second, longer than what there is", secondPktap(46, "frame", nil), pktap{}, false},
		{"second, pids", secondPktap(40, "", func(b []byte) { pid(28, 77)(b); pid(32, 78)(b) }),
			said(ethernet(40), imds.Sender{PID: 77, ForPID: 78}), true},
		{"second, texts", secondPktap(52, "en0\x00curl\x00sh\x00frame", func(b []byte) { b[3], b[4], b[5] = 40, 44, 49 }),
			pktap{length: 52, dlt: LinkEthernet, name: "en0", sender: imds.Sender{Name: "curl", ForName: "sh"}}, true},
		{"second, text not in the header", secondPktap(44, "en0\x00frame", func(b []byte) { b[3], b[4], b[5] = 40, 45, 39 }),
			pktap{length: 44, dlt: LinkEthernet, name: "en0"}, true},
		{"second, text without an end", secondPktap(43, "en0frame", func(b []byte) { b[3] = 40 }),
			pktap{length: 43, dlt: LinkEthernet, name: "en0"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parsePktap(tt.data)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("%+v, %v", got, ok)
			}
		})
	}
}

// A file of that private link type which is not Apple's is none of ours.
func TestUnwrapPktapIsNone(t *testing.T) {
	for _, link := range []LinkType{LinkEthernet, LinkUser2, LinkPktap} {
		p := Packet{Data: []byte("some other bytes"), Length: 16, LinkType: link}
		if got := unwrapPktap(&p); got != &p {
			t.Errorf("of %d came %+v", link, got)
		}
	}
}

func FuzzPktap(f *testing.F) {
	f.Add(firstPktap(108, "frame", nil))
	f.Add(secondPktap(52, "en0\x00curl\x00sh\x00frame", func(b []byte) { b[3], b[4], b[5] = 40, 44, 49 }))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := Packet{Data: data, Length: len(data), LinkType: LinkPktap}
		inner := unwrapPktap(&p)
		if inner == &p {
			return
		}
		if len(inner.Data) >= len(data) || inner.Length != len(inner.Data) || cap(inner.Data) > cap(data) {
			t.Errorf("%d bytes of %d, which are %d on the wire", len(inner.Data), len(data), inner.Length)
		}
		if s := inner.Sender; s != nil && (s.PID <= 0 || s.ForPID < 0 || len(s.Name) > pktapNameSize) {
			t.Errorf("sender %+v", s)
		}
	})
}

// What is behind the header decides whether a packet can be read.
func TestPktapCountedByWhatIsBehind(t *testing.T) {
	for _, link := range []LinkType{LinkPktap, LinkUser2} {
		a := NewAnalyzer(imds.DefaultEndpoints(), OfflineLimits(), nil)
		wrapped := func(inner LinkType) []byte {
			return firstPktap(pktapFirstSize, string(make([]byte, 60)), func(b []byte) {
				binary.LittleEndian.PutUint32(b[8:], uint32(inner))
			})
		}
		for _, data := range [][]byte{wrapped(LinkEthernet), wrapped(105), {1, 2, 3}} {
			a.Packet(&Packet{Data: data, Length: len(data), LinkType: link})
		}
		if got := a.Stats().NotRead; len(got) != 2 || got[105] != 1 || got[link] != 1 {
			t.Errorf("%d: %v", link, got)
		}
	}
}

// What Apple's header says is read once of a packet, whatever it is: the packet, what is in its
// header, and two names are allocated.
func TestPktapIsReadOnce(t *testing.T) {
	a := NewAnalyzer(imds.DefaultEndpoints(), OfflineLimits(), nil)
	for _, behind := range []string{"no IP header", string(make([]byte, 60))} {
		data := firstPktap(pktapFirstSize, behind, func(b []byte) {
			copy(b[12:], "en0\x00")
			copy(b[56:], "curl\x00")
			binary.LittleEndian.PutUint32(b[52:], 7)
			copy(b[88:], make([]byte, pktapNameSize))
		})
		p := Packet{Data: data, Length: len(data), LinkType: LinkPktap}
		if n := testing.AllocsPerRun(100, func() { a.Packet(&p) }); n > 4 {
			t.Errorf("%v allocations for a packet", n)
		}
	}
}
