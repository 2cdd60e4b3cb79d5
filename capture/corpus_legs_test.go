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

// without leaves out the segments that drop says.
func without(t packettest.Trace, drop func(s packettest.Segment) bool) packettest.Trace {
	return slices.DeleteFunc(slices.Clone(t), drop)
}

// offloaded joins segments that follow each other, where join says so, as an interface does.
func offloaded(t packettest.Trace, join func() bool) (handed packettest.Trace) {
	for _, s := range t {
		if n := len(handed); n > 0 && isFollowedBy(&handed[n-1], &s) && join() {
			last := &handed[n-1]
			last.Payload = slices.Concat(last.Payload, s.Payload)
			last.Time, last.Flags = s.Time, last.Flags|s.Flags
			continue
		}
		handed = append(handed, s)
	}
	return handed
}

func always() bool { return true }

// isFollowedBy reports whether a segment's data goes on with the next one's.
func isFollowedBy(s, next *packettest.Segment) bool {
	return s.FromClient == next.FromClient && s.Ack == next.Ack && len(s.Payload) > 0 && len(next.Payload) > 0 &&
		(s.Flags|next.Flags)&(packettest.SYN|packettest.FIN) == 0 && s.Seq+uint32(len(s.Payload)) == next.Seq
}

// On the way of a packet offloads join segments, interfaces are read late, and some are
// captured in one direction: a call is told once, as its client's.
func TestCorpusLegs(t *testing.T) {
	runCorpus(t, []corpusCase{
		{name: "translated twice, and the nearest interface read last", want: threeCallLines, trace: func() packettest.Trace {
			return readIn(trace(threeCalls).Through(nestedHops()...), 500*time.Microsecond, 0, 100*time.Microsecond)
		}},
		{name: "no handshake, and segments joined on the uplink", want: fourPiecesLines, trace: func() packettest.Trace {
			c := packettest.New()
			c.SegmentSize = 50
			fourPieces(c)
			uplink := packettest.InterfaceHops(translated)[2:]
			return packettest.Merge(c.Trace()[3:], offloaded(c.Trace()[3:].Through(uplink...), always))
		}},
		{name: "no handshake, and the uplink captured on the way back only", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())[3:].Through(packettest.InterfaceHops(translated)...)
			return without(t, func(s packettest.Segment) bool { return s.FromClient && s.InterfaceID == 2 })
		}},
		{name: "translated twice, no handshake, and all but the nearest interface captured on the way back only", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())[3:].Through(nestedHops()...)
			return without(t, func(s packettest.Segment) bool { return s.FromClient && s.InterfaceID > 0 })
		}},
		{name: "no handshake, the uplink captured on the way back only and read first", want: oneCallLines, trace: func() packettest.Trace {
			c := packettest.New()
			c.Quiet = true
			t := readIn(oneCall(c)[3:].Through(packettest.InterfaceHops(translated)...), 2*time.Millisecond, 2*time.Millisecond, 0)
			return without(t, func(s packettest.Segment) bool { return s.FromClient && s.InterfaceID == 2 })
		}},
		{name: "the port again without an end, and the interface between read last", want: []string{"v1 GET /a 200", "v1 GET /latest/meta-data/ 200"}, trace: func() packettest.Trace {
			first, second := packettest.New(), packettest.New()
			first.Open()
			first.Client(get("/a"))
			first.Server(ok())
			second.ClientISN, second.ServerISN, second.Now = 5, 6, first.Now.Add(time.Second)
			t := slices.Concat(first.Trace(), oneCall(second)).Through(nestedHops()...)
			return readIn(t, 0, 2300*time.Microsecond, 100*time.Microsecond)
		}},
	})
}

// crowd is so much traffic of another client that no copy of a segment before it is remembered.
func crowd(now time.Time) packettest.Trace {
	c := packettest.From("10.0.0.99:999")
	c.Now, c.Step, c.SegmentSize = now, 10*time.Microsecond, 1
	c.Open()
	c.Client(upload("PUT", "/crowd", text(6000)))
	c.Server(ok())
	return c.Trace()
}

// Where so much is captured between the copies of a connection's first packets that they are not
// known as such, each leg tells of what those hold, and what comes behind them is told once. It
// is told of both as well if each has something else to tell by then.
func TestCorpusLegsKnownLate(t *testing.T) {
	for _, test := range []struct {
		name        string
		first, then talk
		far, near   []string
	}{
		{
			"calls", func(c *packettest.Conversation) { c.Client(get("/a")); c.Server(ok()) },
			func(*packettest.Conversation) {},
			[]string{"v1 GET /a 200"}, []string{"v1 GET /a 200", "v2 GET /b 404", "v1 GET /c 200"},
		},
		{
			"a token that is acknowledged later", func(c *packettest.Conversation) { c.Client(put()); c.ServerInVain(tokenAnswer()) },
			func(*packettest.Conversation) {},
			[]string{"v2 PUT /latest/api/token 200 token", "v2 GET /b 404"},
			[]string{"v2 PUT /latest/api/token 200 token", "v2 GET /b 404", "v1 GET /c 200"},
		},
		{
			"a token that comes late", func(c *packettest.Conversation) { c.Client(put()); c.Wait(500 * time.Millisecond) },
			func(c *packettest.Conversation) { c.Server(tokenAnswer()) },
			[]string{"v2 PUT /latest/api/token 200 token unanswered"},
			[]string{"v2 PUT /latest/api/token 200 token unanswered", "v2 GET /b 404", "v1 GET /c 200"},
		},
	} {
		for name, order := range map[string][]int{"nearer first": {0, 1}, "farther first": {1, 0}} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				c, hops := packettest.New(), packettest.InterfaceHops(translated)
				c.Open()
				test.first(c)
				begun := len(c.Trace())
				test.then(c)
				c.Client(get("/b", tokenField))
				c.Server(answer("404 Not Found", ""))
				c.Client(get("/c"))
				c.Server(ok())
				first := c.Trace()[:begun].Through(hops...)
				legs := []packettest.Trace{
					without(first, func(s packettest.Segment) bool { return s.InterfaceID == 2 }),
					without(first, func(s packettest.Segment) bool { return s.InterfaceID != 2 }),
				}
				got := found(t, nil, slices.Concat(legs[order[0]], crowd(c.Trace()[begun-1].Time), legs[order[1]], c.Trace()[begun:].Through(hops...)).Packets())
				want := append(slices.Clone(test.near), "10.0.0.99:999 v1 PUT /crowd 200")
				for _, l := range test.far {
					want = append(want, translated.String()+" "+l)
				}
				checkLines(t, got.lines(), want)
			})
		}
	}
}
