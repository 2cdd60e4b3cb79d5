package capture_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// farther is the client of packets that were translated twice.
var farther = netip.MustParseAddrPort("172.31.0.4:61001")

// nestedHops are the interfaces of a container within a container: each packet is translated
// twice.
func nestedHops() []packettest.Hop {
	hops := packettest.InterfaceHops(translated)
	hops[1].Client, hops[1].Routers = translated, 1
	hops[2].Client, hops[2].Routers = farther, 2
	return hops
}

// readIn is a trace of which the packets of each interface are read by so much late.
func readIn(t packettest.Trace, late ...time.Duration) packettest.Trace {
	turn := func(s packettest.Segment) time.Time { return s.Time.Add(late[s.InterfaceID]) }
	read := slices.Clone(t)
	slices.SortStableFunc(read, func(a, b packettest.Segment) int { return turn(a).Compare(turn(b)) })
	return read
}

// On the way of a packet offloads join segments, interfaces are read late, and some are
// captured in one direction: a call is told once, as its client's.
func TestCorpusLegs(t *testing.T) {
	runCorpus(t, []corpusCase{
		{name: "translated twice, and the nearest interface read last", want: threeCallLines, trace: func() packettest.Trace {
			return readIn(trace(threeCalls).Through(nestedHops()...), 500*time.Microsecond, 0, 100*time.Microsecond)
		}},
	})
}
