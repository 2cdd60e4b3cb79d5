package capture

import (
	"testing"
)

func TestNFLOGAttributes(t *testing.T) {
	const head = "\x02\x00\x00\x05"
	tests := []struct {
		name, data        string
		header, etherType int
	}{
		{"payload alone", head + "\x08\x00\x09\x00\x45...", 8, etherIPv4},
		{"payload alone, big-endian", head + "\x00\x08\x00\x09\x60...", 8, etherIPv6},
		{"payload of no IP", head + "\x08\x00\x09\x00\x00...", 8, 0},
		{"payload cut by the snaplen", head + "\xdc\x05\x09\x00\x45", 8, etherIPv4},
		{"padded before", head + "\x05\x00\x0a\x00\x00\x00\x00\x00" + "\x08\x00\x09\x00\x45...", 16, etherIPv4},
		{"padded before, big-endian", head + "\x00\x05\x00\x0a\x00\x00\x00\x00" + "\x00\x08\x00\x09\x45...", 16, etherIPv4},
		{"nested before", head + "\x08\x00\x01\x00\x08\x00\x03\x00" + "\x04\x00\x12\x80" + "\x08\x00\x09\x00\x45...", 20, etherIPv4},
		{"nested before, big-endian", head + "\x00\x08\x00\x01\x08\x00\x03\x00" + "\x00\x04\x80\x12" + "\x00\x08\x00\x09\x45...", 20, etherIPv4},
		{"empty before", head + "\x04\x00\x0a\x00" + "\x08\x00\x09\x00\x45...", 12, etherIPv4},
		{"no payload", head + "\x08\x00\x01\x00\x08\x00\x03\x00", 12, 0},
		{"length too short", head + "\x03\x00\x0a\x00" + "\x08\x00\x09\x00\x45...", 0, 0},
		{"length 0", head + "\x00\x00\x0a\x00" + "\x08\x00\x09\x00\x45...", 0, 0},
		{"overruns", head + "\xff\xff\x0a\x00" + "\x08\x00\x09\x00\x45...", 16, 0},
		{"header alone", head, 4, 0},
		{"empty", "", 0, 0},
	}
	for _, test := range tests {
		if header, etherType := nflog([]byte(test.data)); header != test.header || etherType != test.etherType {
			t.Errorf("%s: %d, %#x", test.name, header, etherType)
		}
	}
}

// FuzzNFLOG: whatever the bytes, the packet begins within them or is none.
func FuzzNFLOG(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x05\x05\x00\x0a\x00\x00\x00\x00\x00\x08\x00\x09\x00\x45..."))
	f.Add([]byte("\x0a\x00\x00\x05\x00\x05\x00\x0a\x00\x00\x00\x00\x00\x08\x00\x09\x60..."))
	f.Add([]byte("\x02\x00\x00\x05\xff\xff\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		header, etherType := nflog(data)
		if header > len(data) || etherType != 0 && (header >= len(data) || etherType != etherOfIP(data, header)) {
			t.Errorf("%#x after %d of %d bytes", etherType, header, len(data))
		}
	})
}

// Packets whose link type is not known are counted by it, and no others.
func TestNotReadIsCounted(t *testing.T) {
	a := NewAnalyzer(nil, OfflineLimits(), nil)
	if got := a.Stats().NotRead; got != nil {
		t.Errorf("%v at first", got)
	}
	for _, link := range []LinkType{LinkEthernet, 9, LinkRaw, 105, 9, LinkNFLOG, LinkLinuxSLL2, LinkNull, LinkIPv6, 0xffff} {
		a.Packet(&Packet{LinkType: link, Data: make([]byte, 60), Length: 60})
	}
	got := a.Stats().NotRead
	if len(got) != 3 || got[9] != 2 || got[105] != 1 || got[0xffff] != 1 {
		t.Errorf("%v", got)
	}
	got[9] = 7
	if a.Stats().NotRead[9] != 2 {
		t.Error("the counts are shared")
	}
}

// Names are for those that are not read.
func TestLinkTypeNames(t *testing.T) {
	named := 0
	for link := range LinkType(1 << 16) {
		if link.Name() == "" {
			continue
		}
		// What is for private use can be read where one writer's use is known.
		if named++; link.known() && link.Name() != "private use" {
			t.Errorf("%d is read, and named %q", link, link.Name())
		}
	}
	if named < 40 {
		t.Errorf("%d names", named)
	}
}
