package capture_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// What a sender can put on the wire so that a reader takes for the request what the
// service does not. scripts/test-attacks plays the same before Linux's own TCP.
func TestCorpusHostileSequences(t *testing.T) {
	head, other := get("/latest/meta-data/"), get("/LATEST/USER-DATA.")
	middle := len("GET /")
	flags := func(n int, flags packettest.Flags) func(*packettest.Segment) {
		return func(s *packettest.Segment) { s.Seq, s.Flags = s.Seq+uint32(n), flags }
	}
	inside := func(stray func(c *packettest.Conversation)) talk {
		return func(c *packettest.Conversation) {
			c.Open()
			c.Client(head[:middle])
			stray(c)
			c.Wait(time.Second)
			c.Client(head[middle:])
			c.Server(ok())
			c.Close()
		}
	}
	behind := func(segments ...func(*packettest.Segment)) talk {
		return func(c *packettest.Conversation) {
			c.Open()
			for _, s := range segments {
				c.Stray(fromClient, s)
			}
			c.Client(head)
			c.Server(ok())
		}
	}
	const toMiddle, whole = 5, 80
	end := len(head)
	cases := []corpusCase{
		{name: "data without ACK", talk: behind(func(s *packettest.Segment) { s.Payload, s.Flags = []byte(other), packettest.PSH })},
		{name: "a SYN", talk: inside(func(c *packettest.Conversation) { c.Stray(fromClient, flags(12345, packettest.SYN)) })},
		{name: "a RST in the window", talk: inside(func(c *packettest.Conversation) { c.Stray(fromClient, flags(100, packettest.RST)) })},
		{name: "a service's RST in the window", talk: inside(func(c *packettest.Conversation) { c.Stray(fromServer, flags(100, packettest.RST)) })},
		{name: "a FIN behind", talk: inside(func(c *packettest.Conversation) {
			c.Stray(fromClient, flags(-toMiddle, packettest.FIN|packettest.ACK))
		})},
		{name: "data of an earlier time", talk: func(c *packettest.Conversation) {
			c.Open()
			c.Wait(time.Second)
			c.Client(head[:middle])
			c.Stray(fromClient, func(s *packettest.Segment) {
				s.Payload, s.Options = []byte(other[middle:]), packettest.Timestamps(1, 1)
			})
			c.Client(head[middle:])
			c.Server(ok())
		}},
		{name: "a longer copy behind a hole", talk: behind(ahead(toMiddle, other[toMiddle:whole-40]), ahead(toMiddle, head[toMiddle:whole-20]))},
		{name: "a copy that covers one behind a hole", talk: behind(ahead(toMiddle+3, other[toMiddle+3:20]), ahead(toMiddle, head[toMiddle:end]))},
		{name: "data on a SYN that the service does not take", trace: func() packettest.Trace {
			return trace(behind()).Edit(func(i int, s *packettest.Segment) {
				if i == 0 {
					s.Payload = []byte(other)
				}
			})
		}},
	}
	for i := range cases {
		cases[i].want, cases[i].plain = oneCallLines, true
	}
	runCorpus(t, cases)
}

// limited counts what an Analyzer with these limits finds.
func limited(limits capture.Limits, packets []capture.Packet) (*collected, capture.Stats) {
	c := &collected{}
	a := capture.NewAnalyzer(imds.DefaultEndpoints(), limits, c)
	for _, p := range packets {
		a.Packet(&p)
	}
	a.Flush()
	return c, a.Stats()
}

type collected struct {
	opened, closed int
	calls          []imds.Call
}

func (c *collected) Opened(imds.Conn)     { c.opened++ }
func (c *collected) Closed(imds.Conn)     { c.closed++ }
func (c *collected) Unanswered(imds.Call) {}
func (c *collected) Call(call imds.Call)  { c.calls = append(c.calls, kept(call)) }

// Connections that are never completed are forgotten, and those of clients are not.
func TestHalfOpenMakeRoom(t *testing.T) {
	idle := packettest.From("10.0.0.9:999")
	idle.Open()
	idle.Wait(time.Second)
	idle.Client(get("/late"))
	idle.Server(ok())
	trace := idle.Trace()
	packets := trace[:3].Packets()
	for i := range 1000 {
		s := trace[0]
		s.Src, s.SrcPort, s.Seq = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), uint16(1000+i), rand.Uint32()
		s.Time = packettest.Start.Add(time.Duration(i) * time.Microsecond * 100)
		packets = append(packets, s.Packet())
	}
	packets = append(packets, trace[3:].Packets()...)
	found, stats := limited(capture.Limits{Connections: 300, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: 1 << 20}, packets)
	if len(found.calls) != 1 || found.calls[0].Response == nil || !found.calls[0].Conn.Handshake {
		t.Errorf("calls %+v", found.calls)
	}
	if found.opened != 1 || found.closed != 1 {
		t.Errorf("told of %d connections, and of the end of %d", found.opened, found.closed)
	}
	if stats.HalfOpenDropped != 900 || stats.Evicted != 0 || stats.Connections != 1001 {
		t.Errorf("counts %+v", stats)
	}
}

// Whoever fills the memory with heads that never end makes room for a client that needs
// a little for a moment.
func TestLargestMakesRoom(t *testing.T) {
	honest := packettest.From("10.0.0.9:999")
	honest.Now = packettest.Start.Add(time.Second)
	honest.Open()
	honest.Client(get("/honest")[:30])
	honest.Client(get("/honest")[30:])
	honest.Server(ok())
	var traces []packettest.Trace
	for i := range 40 {
		c := packettest.From(fmt.Sprintf("10.0.1.%d:%d", i, 2000+i))
		c.Open()
		c.Client("GET /endless HTTP/1.1\r\nX: " + strings.Repeat("x", 20_000))
		traces = append(traces, c.Trace())
	}
	packets := packettest.Merge(append(traces, honest.Trace())...).Packets()
	found, _ := limited(capture.Limits{Connections: 300, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: 100_000}, packets)
	told := 0
	for _, c := range found.calls {
		switch c.Request.Target {
		case "/honest":
			if told++; c.Request.Version() != imds.V1 || c.Response == nil {
				t.Errorf("the honest call: %+v", c)
			}
		case "/endless":
			if c.Request.Incomplete == imds.Whole {
				t.Errorf("an endless head is told as %+v", c.Request)
			}
		}
	}
	if told != 1 || len(found.calls) != 41 {
		t.Errorf("%d calls, %d of the honest client", len(found.calls), told)
	}
}

// A client whose request makes another connection give way is read as ever, whatever that
// one's requests say of their bodies: what is remembered of heads is of others by then.
func TestWhoMakesRoomIsReadRight(t *testing.T) {
	const next, body = "GET /next HTTP/1.1\r\n\r\n", "GET /body HTTP/1.1\r\n\r\n"
	for _, test := range []struct {
		name, said, others string
		targets            []string
	}{
		{"a body behind heads without", upload("PUT", "/put", body), "GET /%d HTTP/1.1\r\n\r\n", []string{"/put"}},
		{"requests behind heads with bodies", get("/first") + next, "POST /%d HTTP/1.1\r\nContent-Length: 22\r\n\r\n" + next, []string{"/first", "/next"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var held strings.Builder
			for i := range 800 { // more than are remembered, in one segment of 64 KiB or less
				fmt.Fprintf(&held, test.others, i)
			}
			crowd := packettest.From("10.0.1.1:2000")
			crowd.Now, crowd.SegmentSize, crowd.Quiet = packettest.Start.Add(20*time.Millisecond), 60_000, true
			crowd.Open()
			crowd.LoseClient(get("/lost"))
			crowd.Client(held.String())
			client := packettest.From("10.0.0.9:999")
			client.Open()
			client.Client(test.said)
			client.Server(slices.Repeat([]string{ok()}, len(test.targets))...)
			client.Wait(50 * time.Millisecond)
			client.Client(test.said)
			limits := capture.Limits{Connections: 300, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: held.Len() + 500}
			found, _ := limited(limits, packettest.Merge(client.Trace(), crowd.Trace()).Packets())
			var got []string
			for _, c := range found.calls {
				if c.Conn.Client == client.ClientAddr {
					got = append(got, c.Request.Target)
				}
			}
			if want := slices.Repeat(test.targets, 2); !slices.Equal(got, want) {
				t.Errorf("calls %q, want %q", got, want)
			}
			if len(found.calls) < 800 {
				t.Errorf("only %d calls in all", len(found.calls))
			}
		})
	}
}

// Fragments in more pieces than there are for a reason are given up, and counted.
func TestFragmentsOfPieces(t *testing.T) {
	ip := packettest.IPv4{Src: packettest.Client.Addr(), Dst: packettest.Service.Addr(), Protocol: packettest.ProtocolTCP, TTL: 64, ID: 7, More: true}
	var packets []capture.Packet
	for i := 500; i > 0; i-- {
		ip.Offset = 8 * i
		packets = append(packets, packettest.Ethernet().Packet(ip.Bytes(make([]byte, 8)), packettest.Start))
	}
	if _, stats := limited(capture.LiveLimits(), packets); stats.SegmentsIgnored != 4 || stats.RequestsPartial != 1 {
		t.Errorf("%d datagrams given up, %d at the end, want 4 and 1", stats.SegmentsIgnored, stats.RequestsPartial)
	}
}

// A datagram to the service of which a fragment does not come may have been a request, and is
// counted, when it has waited or the capture ends.
func TestFragmentsThatAreNotWhole(t *testing.T) {
	request := packettest.IPv4{Src: packettest.Client.Addr(), Dst: packettest.Service.Addr(), Protocol: packettest.ProtocolTCP, TTL: 64, ID: 7, More: true}
	answer, other := request, request
	answer.Src, answer.Dst = request.Dst, request.Src
	other.Protocol = 17 // UDP
	at := func(ip packettest.IPv4, offset int, id uint16, after time.Duration) capture.Packet {
		ip.Offset, ip.ID = offset, id
		return packettest.Ethernet().Packet(ip.Bytes(make([]byte, 64)), packettest.Start.Add(after))
	}
	at6 := func(protocol uint8, extensions ...packettest.Extension) []capture.Packet {
		ip := packettest.IPv6{Src: packettest.Client6.Addr(), Dst: packettest.Service6.Addr(), Protocol: protocol, HopLimit: 64, Extensions: extensions}
		return []capture.Packet{packettest.Ethernet().Packet(ip.Bytes(make([]byte, 64)), packettest.Start)}
	}
	begins, goesOn := packettest.FragmentHeader(7, 0, true), packettest.FragmentHeader(7, 64, true)
	for name, tt := range map[string]struct {
		packets []capture.Packet
		want    uint64
	}{
		"of IPv6":                        {at6(packettest.ProtocolTCP, begins), 1},
		"behind an extension":            {at6(packettest.ProtocolTCP, packettest.HopByHop(), begins), 1},
		"before an extension":            {at6(packettest.ProtocolTCP, begins, packettest.DestinationOptions()), 1},
		"behind the one with extensions": {at6(packettest.DestinationOptions().Number, goesOn), 1},
		"of IPv6, of something other":    {at6(17, begins), 0},

		"the first":          {[]capture.Packet{at(request, 0, 7, 0)}, 1},
		"one behind it":      {[]capture.Packet{at(request, 64, 7, 0)}, 1},
		"of two, one late":   {[]capture.Packet{at(request, 0, 7, 0), at(request, 0, 8, time.Minute)}, 2},
		"parts of one":       {[]capture.Packet{at(request, 0, 7, 0), at(request, 128, 7, 0)}, 1},
		"of an answer":       {[]capture.Packet{at(answer, 0, 7, 0)}, 0},
		"of something other": {[]capture.Packet{at(other, 0, 7, 0)}, 0},
	} {
		_, stats := limited(capture.OfflineLimits(), tt.packets)
		if stats.RequestsPartial != tt.want || stats.SegmentsIgnored != tt.want || stats.RequestsCut != 0 {
			t.Errorf("%s: %+v, want %d", name, stats, tt.want)
		}
	}
	for _, cut := range []capture.Packet{at(request, 0, 7, 0), at6(packettest.ProtocolTCP, begins, packettest.DestinationOptions())[0]} {
		cut.Data = cut.Data[:len(cut.Data)-10]
		if _, stats := limited(capture.OfflineLimits(), []capture.Packet{cut}); stats.RequestsCut != 1 || stats.SnaplenNeeded != cut.Length {
			t.Errorf("cut: %+v, want a snaplen of %d", stats, cut.Length)
		}
	}
}

// slowHeads are connections that begin a head, one after the other within a second, and
// go on with it so many times, a byte each second.
func slowHeads(n, more int) []packettest.Trace {
	var traces []packettest.Trace
	for i := range n {
		c := packettest.From(fmt.Sprintf("10.1.%d.%d:%d", i>>8, i&255, 2000+i))
		c.Now = packettest.Start.Add(time.Duration(i) * time.Second / time.Duration(n))
		c.Open()
		c.Client("GET /slow HTTP/1.1\r\nX: ")
		for range more {
			c.Wait(time.Second)
			c.Client("x")
		}
		traces = append(traces, c.Trace())
	}
	return traces
}

// crowded has room for 300 connections.
var crowded = capture.Limits{Connections: 300, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: 1 << 20}

// Whoever opens connections without end takes the place of nobody whose request waits
// for its answer, nor of one who has just begun a head.
func TestCrowdTakesNoCall(t *testing.T) {
	waiting, split := packettest.From("10.0.0.8:998"), packettest.From("10.0.0.9:999")
	waiting.Open()
	waiting.Client(get("/waiting"))
	waiting.Wait(2 * time.Second)
	waiting.Server(ok())
	split.Wait(time.Second / 2)
	split.Open()
	split.Client(get("/split")[:30])
	split.Wait(20 * time.Millisecond)
	split.Client(get("/split")[30:])
	split.Server(ok())
	packets := packettest.Merge(append(slowHeads(1500, 2), waiting.Trace(), split.Trace())...).Packets()
	found, stats := limited(crowded, packets)
	honest, slow := 0, 0
	for _, c := range found.calls {
		switch {
		case c.Request.Target == "/slow" && c.Request.Incomplete != imds.Whole:
			slow++
		case c.Request.Version() == imds.V1 && c.Response != nil && c.Response.Status == 200 && c.Conn.Handshake:
			honest++
		default:
			t.Errorf("%+v", c)
		}
	}
	if honest != 2 || slow != 1500 || stats.Evicted == 0 {
		t.Errorf("%d honest calls, %d others, %d evicted", honest, slow, stats.Evicted)
	}
}

// What comes of a connection that had to go takes nobody else's place, and is counted,
// until it begins a message.
func TestRestTakesNoPlace(t *testing.T) {
	const connections, more = 1000, 5
	traces := slowHeads(connections, more)
	found, stats := limited(crowded, packettest.Merge(traces...).Packets())
	if gone := uint64(connections - crowded.Connections); stats.Evicted != gone || stats.Connections != connections || stats.SegmentsIgnored < gone*more/2 {
		t.Errorf("%d connections, %d evicted, %d segments ignored", stats.Connections, stats.Evicted, stats.SegmentsIgnored)
	}
	if len(found.calls) != connections {
		t.Errorf("%d calls", len(found.calls))
	}

	late := packettest.From("10.0.0.9:999")
	late.Open()
	late.Wait(10 * time.Second)
	late.Client(get("/late"))
	late.Server(ok())
	trace := late.Trace()
	found, _ = limited(crowded, packettest.Merge(append(traces, trace[3:])...).Packets())
	if !slices.ContainsFunc(found.calls, func(c imds.Call) bool { return c.Request.Target == "/late" && c.Response != nil }) {
		t.Error("a request on a connection that is not known is not told")
	}
}

// Whatever finds no room is a reason not to take the log for whole, also if no connection
// was given up for it.
func TestNoRoomShows(t *testing.T) {
	open := func(n int) []capture.Packet { return packettest.Merge(slowHeads(n, 0)...).Packets() }
	cut := packettest.From("10.0.0.9:999") // its first segment says nothing by itself
	cut.Now = packettest.Start.Add(2 * time.Second)
	cut.Opened()
	cut.Client("GE", "T /cut HTTP/1.1\r\n\r\n")
	fragment := packettest.IPv4{Src: packettest.Client.Addr(), Dst: packettest.Service.Addr(), Protocol: packettest.ProtocolTCP, TTL: 64, More: true}
	var fragments []capture.Packet
	for i := range 65 {
		fragment.ID = uint16(i)
		fragments = append(fragments, packettest.Ethernet().Packet(fragment.Bytes(make([]byte, 8)), packettest.Start))
	}
	for _, test := range []struct {
		name             string
		packets          []capture.Packet
		ignored, evicted uint64
	}{
		{"as many connections as there is room for", open(crowded.Connections), 0, 0},
		{"the beginning of a request behind them", slices.Concat(open(crowded.Connections), cut.Packets()), 2, 1},
		{"and behind more", slices.Concat(open(crowded.Connections+5), cut.Packets()), 2, 5},
		{"as many fragments as there is room for, never whole", fragments[:64], 64, 0},
		{"and one more", fragments, 65, 1},
	} {
		if _, stats := limited(crowded, test.packets); stats.SegmentsIgnored != test.ignored || stats.Evicted != test.evicted {
			t.Errorf("%s: %d segments ignored, %d connections evicted", test.name, stats.SegmentsIgnored, stats.Evicted)
		}
	}
}

// A segment that there is no room to wait for is read as it is, and not dropped.
func TestNoRoomToWait(t *testing.T) {
	c := packettest.New()
	c.Open()
	c.LoseClient(get("/lost"))
	c.Client(get("/seen"))
	found, stats := limited(capture.Limits{Connections: 10, HalfOpen: 10, ClosedConnections: 10, BufferedBytes: 100}, c.Packets())
	if len(found.calls) != 1 || found.calls[0].Request.Target != "/seen" || stats.SegmentsIgnored != 0 {
		t.Errorf("%d segments ignored, and calls %+v", stats.SegmentsIgnored, found.calls)
	}
}

// Behind a head that there is no room to keep the next one is found, wherever that is noticed.
func TestNoRoomForAHead(t *testing.T) {
	head := get("/big")
	for rest := 1; rest <= 5; rest++ {
		c := packettest.New()
		c.Open()
		c.Client(head[:len(head)-rest], head[len(head)-rest:])
		c.Client(get("/next"))
		found, _ := limited(capture.Limits{Connections: 10, HalfOpen: 10, ClosedConnections: 10, BufferedBytes: len(head) - rest}, c.Packets())
		if len(found.calls) != 2 || found.calls[0].Request.Incomplete != imds.HeadersTooLarge || found.calls[1].Request.Target != "/next" {
			t.Errorf("without room for the last %d bytes: %+v", rest, found.calls)
		}
	}
}
