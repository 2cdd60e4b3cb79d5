package capture_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// The network namespaces of two containers.
const (
	inside1 = "net:[4026532001]"
	inside2 = "net:[4026532002]"
)

// inNetwork are lines of calls in a network namespace.
func inNetwork(network string, lines ...string) (placed []string) {
	for _, l := range lines {
		placed = append(placed, network+" "+l)
	}
	return placed
}

// captured is a trace that was captured in a network namespace.
func captured(network string, t packettest.Trace) packettest.Trace {
	return t.Edit(func(_ int, s *packettest.Segment) { s.Network = network })
}

// Packets that were captured in a container's network namespace, and then on the
// host: it is one call, the container's.
func TestCorpusNetworkAndHost(t *testing.T) {
	var cases []corpusCase
	for _, to := range []struct {
		name       string
		translated netip.AddrPort
		routers    uint8 // between the namespaces
		edit       func(s *packettest.Segment)
	}{
		{"bridged", netip.AddrPort{}, 0, nil},
		{"routed", netip.AddrPort{}, 1, nil},
		{"translated", translated, 1, nil},
		{"translated, without timestamps", translated, 1, withoutTimestamps},
	} {
		way := func(do talk) packettest.Trace {
			hops := packettest.NetworkHops(inside1, to.translated)
			hops[len(hops)-1].Routers = to.routers
			t := trace(do)
			if to.edit != nil {
				t = t.Edit(func(_ int, s *packettest.Segment) { to.edit(s) })
			}
			return t.Through(hops...)
		}
		// at are the places of the captures.
		at := func(places ...int) func(do talk) packettest.Trace {
			return func(do talk) packettest.Trace { return onlyPlaces(way(do), places...) }
		}
		add := func(name string, want []string, trace func() packettest.Trace) {
			cases = append(cases, corpusCase{name: to.name + ": " + name, want: inNetwork(inside1, want...), trace: trace})
		}
		add("all of the way", threeCallLines, func() packettest.Trace { return way(threeCalls) })
		add("the uplink only", threeCallLines, func() packettest.Trace { return at(0, 3)(threeCalls) })
		add("the host first", threeCallLines, func() packettest.Trace { return otherFirst(at(0, 3)(threeCalls)) })
		add("all of the host first", threeCallLines, func() packettest.Trace { return insideLast(way(threeCalls)) })
		add("no handshake", threeCallLines, func() packettest.Trace { return at(0, 3)(threeCalls)[6:] })
		add("no handshake, the host first", threeCallLines, func() packettest.Trace { return otherFirst(at(0, 3)(threeCalls)[6:]) })
		add("a reset by the service", []string{"v1 GET /a - reset"}, func() packettest.Trace {
			return at(0, 3)(func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Reset(fromServer)
			})
		})
	}
	runCorpus(t, cases)
}

// What a network namespace sends by way of another that is captured, too, is a call of the
// former, whichever capture is read first.
func TestCorpusNetworkBehindNetwork(t *testing.T) {
	cooked := func(toClient, toService uint8) func(bool) packettest.Link {
		return func(fromClient bool) packettest.Link {
			if fromClient {
				return packettest.SLL2(2, toService)
			}
			return packettest.SLL2(2, toClient)
		}
	}
	outward := cooked(packettest.CookedToUs, packettest.CookedOutgoing)
	way := func(places ...int) packettest.Trace {
		seen := trace(threeCalls).Through([]packettest.Hop{
			{Network: inside1, Link: outward},
			{Network: inside2, Link: cooked(packettest.CookedOutgoing, packettest.CookedToUs)},
			{Network: inside2, Link: outward, Routers: 1},
			{Network: inside2, Link: outward, Routers: 1}, // as a bond and what it consists of
		}...)
		return onlyPlaces(seen, places...)
	}
	runCorpus(t, []corpusCase{
		{name: "in order", want: inNetwork(inside1, threeCallLines...), trace: func() packettest.Trace { return way(0, 1, 2) }},
		{name: "the other on its way in", want: inNetwork(inside1, threeCallLines...), trace: func() packettest.Trace { return otherFirst(way(0, 1)) }},
		{name: "the other on its way out", want: inNetwork(inside1, threeCallLines...), trace: func() packettest.Trace { return otherFirst(way(0, 2)) }},
		{name: "no handshake", want: inNetwork(inside1, threeCallLines...), trace: func() packettest.Trace { return otherFirst(way(0, 1))[6:] }},
		{name: "the answer first", want: inNetwork(inside1, threeCallLines...), trace: func() packettest.Trace { return way(0, 1)[2:] }},
	})
}

// withoutTimestamps takes TCP's options from a segment.
func withoutTimestamps(s *packettest.Segment) { s.Options = nil }

// onlyPlaces leaves out what was not captured at one of the places, of the four on
// the way of NetworkHops.
func onlyPlaces(t packettest.Trace, places ...int) packettest.Trace {
	var kept packettest.Trace
	for i, s := range t {
		place := i % 4
		if !s.FromClient {
			place = 3 - place
		}
		if slices.Contains(places, place) {
			kept = append(kept, s)
		}
	}
	return kept
}

// otherFirst has of two captures of each segment the one come first that is not inside1's.
func otherFirst(t packettest.Trace) packettest.Trace {
	for i := 0; i+1 < len(t); i += 2 {
		if t[i].Network == inside1 {
			t = t.Move(i, i+1)
		}
	}
	return t
}

// insideLast has the container's capture of each segment come after the host's.
func insideLast(t packettest.Trace) packettest.Trace {
	for i := 0; i+3 < len(t); i += 4 {
		if t[i].Network != "" {
			t = t.Move(i, i+3)
		}
	}
	return t
}

// The same tuple in several network namespaces is as many connections.
func TestCorpusSameTupleInNetworks(t *testing.T) {
	talkOf := func(path string, isn uint32, late time.Duration) packettest.Trace {
		c := packettest.New()
		c.ClientISN, c.ServerISN = isn, isn*3
		c.Now = c.Now.Add(late)
		c.Open()
		c.Client(get(path))
		c.Server(ok())
		c.Close()
		return c.Trace()
	}
	three := func(late time.Duration) packettest.Trace {
		return packettest.Merge(talkOf("/a", 1000, 0), captured(inside1, talkOf("/b", 2000, late)), captured(inside2, talkOf("/c", 3000, 2*late)))
	}
	want := []string{"v1 GET /a 200", inside1 + " v1 GET /b 200", inside2 + " v1 GET /c 200"}
	runCorpus(t, []corpusCase{
		{name: "at the same time", want: want, trace: func() packettest.Trace { return three(0) }},
		{name: "one packet after the other", want: want, trace: func() packettest.Trace { return three(100 * time.Microsecond) }},
		{name: "one connection after the other", want: want, trace: func() packettest.Trace { return three(time.Minute) }},
		{name: "without the host", want: want[1:], trace: func() packettest.Trace {
			return slices.DeleteFunc(three(0), func(s packettest.Segment) bool { return s.Network == "" })
		}},
		{name: "closed in one, and used on in the other", want: []string{"v1 GET /a 200", inside1 + " v1 GET /b 200", inside1 + " v1 GET /d 404"}, trace: func() packettest.Trace {
			c := packettest.New()
			c.ClientISN = 2000
			c.Open()
			c.Client(get("/b"))
			c.Server(ok())
			c.Wait(time.Second)
			c.Client(get("/d"))
			c.Server(answer("404 Not Found", ""))
			c.Close()
			return packettest.Merge(talkOf("/a", 1000, 0), captured(inside1, c.Trace()))
		}},
		{name: "each of them on the host too, translated", want: inNetwork2(), trace: func() packettest.Trace {
			one := talkOf("/b", 2000, 0).Through(packettest.NetworkHops(inside1, translated)...)
			two := talkOf("/c", 3000, 0).Through(packettest.NetworkHops(inside2, netip.AddrPortFrom(translated.Addr(), 61002))...)
			return packettest.Merge(onlyPlaces(one, 0, 3), onlyPlaces(two, 0, 3))
		}},
	})
}

func inNetwork2() []string {
	return []string{inside1 + " v1 GET /b 200", inside2 + " v1 GET /c 200"}
}
