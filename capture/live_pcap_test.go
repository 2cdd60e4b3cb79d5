//go:build cgo && !windows

package capture

import (
	"math"
	"testing"

	"github.com/google/gopacket/pcap"
)

// Libpcap's counts begin anew behind 32 bits; those of a source go on.
func TestPcapCountsGoOn(t *testing.T) {
	for _, test := range []struct {
		name string
		told []pcap.Stats
		want LiveStats
	}{
		{"nothing", []pcap.Stats{{}, {}}, LiveStats{}},
		{"little", []pcap.Stats{{PacketsReceived: 3, PacketsDropped: 1}, {PacketsReceived: 7, PacketsDropped: 1, PacketsIfDropped: 2}},
			LiveStats{Received: 7, Dropped: 1, DroppedByInterface: 2}},
		{"through", []pcap.Stats{{PacketsReceived: math.MaxUint32, PacketsDropped: math.MaxUint32 - 1}, {PacketsReceived: 4, PacketsDropped: 2}},
			LiveStats{Received: 1<<32 + 4, Dropped: 1<<32 + 2}},
		{"through twice", []pcap.Stats{{PacketsReceived: 1 << 31}, {PacketsReceived: 1}, {PacketsReceived: 1 << 31}, {}}, LiveStats{Received: 2 << 32}},
	} {
		var counts pcapCounts
		var got LiveStats
		for _, told := range test.told {
			got = counts.add(told)
		}
		if got != test.want {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}
