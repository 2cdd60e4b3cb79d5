package capture_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// ways are the forms in which a capture on several interfaces comes.
var ways = []struct {
	name string
	hops func(translated netip.AddrPort) []packettest.Hop
}{
	{"cooked", packettest.ContainerHopsV1},
	{"cooked v2", packettest.ContainerHops},
	{"interfaces", packettest.InterfaceHops},
}

// container is a conversation behind NAT as the hops see it.
func container(hops func(netip.AddrPort) []packettest.Hop, do talk) packettest.Trace {
	return trace(do).Through(hops(translated)...)
}

// threeCalls is a longer connection.
func threeCalls(c *packettest.Conversation) {
	c.Open()
	c.Client(put())
	c.Server(tokenAnswer())
	c.Client(get("/a", tokenField))
	c.Server(answer("200 OK", text(4000)))
	c.Client(get("/b"))
	c.Server(answer("404 Not Found", ""))
	c.Close()
}

var threeCallLines = []string{"v2 PUT /latest/api/token 200 token", "v2 GET /a 200", "v1 GET /b 404"}

// Each packet is captured up to three times on its way, the last time with
// another client. It is one call, the client's.
func TestCorpusNAT(t *testing.T) {
	var cases []corpusCase
	for _, way := range ways {
		nat := func(do talk) packettest.Trace { return container(way.hops, do) }
		add := func(name string, want []string, trace func() packettest.Trace) {
			cases = append(cases, corpusCase{name: way.name + ": " + name, want: want, trace: trace})
		}
		add("a container", threeCallLines, func() packettest.Trace { return nat(threeCalls) })
		add("the bridge before the veth", threeCallLines, func() packettest.Trace {
			t := nat(threeCalls)
			for i := 0; i+2 < len(t); i += 3 {
				if t[i].FromClient {
					t = t.Move(i, i+1)
				}
			}
			return t
		})
		add("the uplink before the others", threeCallLines, func() packettest.Trace {
			t := nat(threeCalls)
			for i := 0; i+2 < len(t); i += 3 {
				if t[i].FromClient {
					t = t.Move(i+2, i)
				}
			}
			return t
		})
		add("the SYN on the uplink only", threeCallLines, func() packettest.Trace { return nat(threeCalls)[2:] })
		add("the SYN on the veth only", threeCallLines, func() packettest.Trace { return nat(threeCalls).Drop(1, 2) })
		add("no handshake", threeCallLines, func() packettest.Trace { return nat(threeCalls)[9:] })
		add("from an answer on", threeCallLines[1:], func() packettest.Trace { return nat(threeCalls)[15:] })
		add("the second segment of a head on the uplink only", fourPiecesLines, func() packettest.Trace {
			t := nat(fourPieces)
			at := t.Data(true)
			return t.Drop(at[3], at[4])
		})
		add("every other request packet on the uplink only", fourPiecesLines, func() packettest.Trace {
			t := nat(fourPieces)
			at := t.Data(true)
			return t.Drop(at[0], at[1], at[6], at[7], at[12], at[13])
		})
		add("answers on the uplink only", threeCallLines, func() packettest.Trace { return uplinkAnswers(nat(threeCalls)) })
		add("answers on the uplink only, without the handshake", threeCallLines, func() packettest.Trace {
			return uplinkAnswers(nat(threeCalls)[9:])
		})
		add("a hop limit of 1: the token never comes", []string{"v2 PUT /latest/api/token 200 token"}, func() packettest.Trace {
			t := uplinkAnswers(nat(hopLimit1))
			return t.Edit(func(_ int, s *packettest.Segment) {
				if !s.FromClient && len(s.Payload) > 0 {
					s.TTL = 1
				}
			})
		})
		add("segments joined on the way", fourPiecesLines, func() packettest.Trace { return joined4(nat(fourPieces)) })
		add("a reset by the service", []string{"v1 GET /a - reset"}, func() packettest.Trace {
			return nat(func(c *packettest.Conversation) {
				c.Open()
				c.Client(get("/a"))
				c.Reset(fromServer)
			})
		})
		add("request again after the close", oneCallLines, func() packettest.Trace { return nat(lateAfter(time.Second, true)) })
		add("the client's port again", []string{"v1 GET /latest/meta-data/ 200", "v1 GET /latest/meta-data/ 200"}, func() packettest.Trace {
			again := packettest.New()
			again.ClientISN, again.ServerISN, again.Now = 77, 88, packettest.Start.Add(time.Minute)
			return packettest.Merge(nat(func(c *packettest.Conversation) { oneCall(c) }), oneCall(again).Through(way.hops(translated)...))
		})
		cases = append(cases, corpusCase{name: way.name + ": two containers after each other on one translated port",
			want: []string{"v1 GET /latest/meta-data/ 200", "10.0.0.8:40000 v1 GET /latest/meta-data/ 200"},
			trace: func() packettest.Trace {
				second := packettest.From("10.0.0.8:40000")
				second.Now = packettest.Start.Add(time.Minute)
				return packettest.Merge(nat(func(c *packettest.Conversation) { oneCall(c) }), oneCall(second).Through(way.hops(translated)...))
			}})
		cases = append(cases, manyContainers(way.name, way.hops)...)
	}
	runCorpus(t, append(cases, oddRoutes()...))
}

func hopLimit1(c *packettest.Conversation) {
	c.Quiet = true
	c.Open()
	c.Client(put())
	c.Server(tokenAnswer())
	c.Wait(200 * time.Millisecond)
	c.Again(fromServer, 0)
	c.Wait(time.Second)
	c.Close()
}

// uplinkAnswers leaves the service's data on the uplink only.
func uplinkAnswers(t packettest.Trace) packettest.Trace {
	return slices.DeleteFunc(t, func(s packettest.Segment) bool {
		return !s.FromClient && len(s.Payload) > 0 && s.DstPort != translated.Port()
	})
}

// joined4 joins the first head's four segments on the uplink into one, as an
// interface with receive offload hands them on (GRO).
func joined4(t packettest.Trace) packettest.Trace {
	var uplink []int
	for _, i := range t.Data(true)[:12] {
		if t[i].SrcPort == translated.Port() {
			uplink = append(uplink, i)
		}
	}
	var all []byte
	for _, i := range uplink {
		all = append(all, t[i].Payload...)
	}
	last := uplink[3]
	return t.Edit(func(i int, s *packettest.Segment) {
		if i == last {
			s.Seq, s.Payload = t[uplink[0]].Seq, all
		}
	}).Drop(uplink[:3]...)
}

// manyContainers are clients behind one NAT at the same time.
func manyContainers(name string, hops func(netip.AddrPort) []packettest.Hop) []corpusCase {
	const n = 20
	build := func(isn func(i int) uint32, step time.Duration) packettest.Trace {
		var all []packettest.Trace
		for i := range n {
			c := packettest.From(fmt.Sprintf("10.0.0.%d:40000", 50+i))
			c.ClientISN = isn(i)
			c.Now = c.Now.Add(time.Duration(i) * step)
			c.Open()
			c.Client(get(fmt.Sprintf("/%d", i)))
			c.Server(ok())
			c.Close()
			all = append(all, c.Trace().Through(hops(netip.AddrPortFrom(translated.Addr(), uint16(60000+i)))...))
		}
		return packettest.Merge(all...)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("10.0.0.%d:40000 v1 GET /%d 200", 50+i, i))
	}
	return []corpusCase{
		{name: name + ": twenty containers at the same time", want: want, trace: func() packettest.Trace {
			return build(func(i int) uint32 { return uint32(i) * 99_000_000 }, 20*time.Microsecond)
		}},
		{name: name + ": two containers with the same ISN at the same time", want: want[:2], trace: func() packettest.Trace {
			t := build(func(int) uint32 { return 1000 }, 30*time.Microsecond)
			return slices.DeleteFunc(t, func(s packettest.Segment) bool { return !firstTwo(s) })
		}},
		{name: name + ": twenty containers with the same ISN, after each other", want: want, trace: func() packettest.Trace {
			return build(func(int) uint32 { return 1000 }, 5*time.Second)
		}},
	}
}

// firstTwo tells the segments of the first two of manyContainers.
func firstTwo(s packettest.Segment) bool {
	client, port := s.Src, s.SrcPort
	if !s.FromClient {
		client, port = s.Dst, s.DstPort
	}
	last := client.As4()[3]
	return client == translated.Addr() && port < 60002 || client != translated.Addr() && last < 52
}

func oddRoutes() []corpusCase {
	same := func(clients ...string) func() packettest.Trace {
		return func() packettest.Trace {
			var all []packettest.Trace
			for i, client := range clients {
				c := packettest.From(client)
				c.ClientISN, c.ServerISN = 1000, 5000
				c.Now = c.Now.Add(time.Duration(i) * 10 * time.Microsecond)
				all = append(all, oneCall(c))
			}
			return packettest.Merge(all...)
		}
	}
	on := func(build func() packettest.Trace, link packettest.Link) func() packettest.Trace {
		return func() packettest.Trace { return build().On(link) }
	}
	const call = " v1 GET /latest/meta-data/ 200"
	twoClients := same("10.0.0.8:40001", "10.0.0.9:40002")
	two := []string{"10.0.0.8:40001" + call, "10.0.0.9:40002" + call}
	samePort := same("10.0.0.8:40001", "10.0.0.9:40001")
	twoOfAPort := []string{"10.0.0.8:40001" + call, "10.0.0.9:40001" + call}
	onePort := same("10.0.0.8:40001", "10.0.0.8:40002")
	twoOfAnAddress := []string{"10.0.0.8:40001" + call, "10.0.0.8:40002" + call}
	return []corpusCase{
		{name: "two clients with the same ISN on Ethernet", trace: twoClients, want: two},
		{name: "two clients with the same ISN and port on Ethernet", trace: samePort, want: twoOfAPort},
		{name: "two ports of a client with the same ISN on Ethernet", trace: onePort, want: twoOfAnAddress},
		{name: "two clients with the same ISN, cooked", trace: on(twoClients, packettest.SLL(0)), want: two},
		{name: "two ports of a client with the same ISN, cooked", trace: on(onePort, packettest.SLL(packettest.CookedOutgoing)), want: twoOfAnAddress},
		{name: "two clients with the same ISN on an interface, cooked v2", trace: on(twoClients, packettest.SLL2(3, 0)), want: two},
		{name: "two clients with the same ISN on a raw link", trace: on(twoClients, packettest.Raw(capture.LinkRaw)), want: two},
		// This could be a router's one interface too.
		{name: "two clients with the same ISN and a different TTL on an interface", want: two, or: [][]string{two[:1]}, trace: func() packettest.Trace {
			return twoClients().Edit(func(_ int, s *packettest.Segment) {
				if s.SrcPort == 40002 {
					s.TTL--
				}
			})
		}},
		{name: "two clients with the same ISN on different interfaces with the same TTL", want: two, trace: func() packettest.Trace {
			return twoClients().Edit(func(_ int, s *packettest.Segment) {
				if s.SrcPort == 40002 || s.DstPort == 40002 {
					s.InterfaceID, s.Interface = 1, "veth2"
				}
			})
		}},
		{name: "two clients with the same ISN, and no handshake", want: two, trace: func() packettest.Trace {
			t := twoClients()
			return slices.DeleteFunc(t, func(s packettest.Segment) bool { return s.Time.Before(packettest.Start.Add(2900 * time.Microsecond)) })
		}},
		{name: "two clients with the same ISN and other heads", want: []string{"10.0.0.8:40001 v1 GET /a 200", "10.0.0.9:40002 v2 GET /b 404"},
			trace: func() packettest.Trace {
				a, b := packettest.From("10.0.0.8:40001"), packettest.From("10.0.0.9:40002")
				a.ClientISN, b.ClientISN, a.ServerISN, b.ServerISN = 1000, 1000, 5000, 5000
				a.Open()
				b.Open()
				a.Client(get("/a"))
				b.Client(get("/b", tokenField))
				a.Server(ok())
				b.Server(answer("404 Not Found", ""))
				return packettest.Merge(a.Trace(), b.Trace())
			}},
		{name: "thirty clients with ISN 0", want: thirty(call), trace: func() packettest.Trace {
			var all []packettest.Trace
			for i := range 30 {
				c := packettest.From(fmt.Sprintf("10.0.1.%d:40000", 100+i))
				c.ClientISN, c.ServerISN = 0, 0
				all = append(all, oneCall(c))
			}
			return packettest.Merge(all...)
		}},
		{name: "only the address is translated", want: oneCallLines, trace: func() packettest.Trace {
			return container(func(netip.AddrPort) []packettest.Hop {
				return packettest.ContainerHops(netip.MustParseAddrPort("192.168.5.4:40000"))
			}, func(c *packettest.Conversation) { oneCall(c) })
		}},
		{name: "routed without translation", want: threeCallLines, trace: func() packettest.Trace {
			return container(func(netip.AddrPort) []packettest.Hop { return packettest.ContainerHops(netip.AddrPort{}) }, threeCalls)
		}},
		{name: "translated twice on the way", want: threeCallLines, trace: func() packettest.Trace {
			return container(func(netip.AddrPort) []packettest.Hop {
				hops := packettest.ContainerHops(netip.MustParseAddrPort("172.17.0.9:50001"))
				last := packettest.ContainerHops(translated)[2]
				last.Link = func(bool) packettest.Link { return packettest.SLL2(1, 0) }
				last.Routers = 2
				return append(hops, last)
			}, threeCalls)
		}},
		{name: "only the uplink was captured", want: []string{"192.168.5.4:61001 v1 GET /latest/meta-data/ 200"}, trace: func() packettest.Trace {
			return container(func(to netip.AddrPort) []packettest.Hop { return packettest.ContainerHops(to)[2:] }, func(c *packettest.Conversation) { oneCall(c) })
		}},
		{name: "over IPv6", want: threeCallLines, trace: func() packettest.Trace {
			c := packettest.New6()
			threeCalls(c)
			return c.Trace().Through(packettest.ContainerHops(netip.MustParseAddrPort("[fd00:2::4]:61001"))...)
		}},
		{name: "a host's own process beside a container", want: []string{"v1 GET /latest/meta-data/ 200", "192.168.5.4:50000 v1 GET /latest/meta-data/ 200"},
			trace: func() packettest.Trace {
				own := oneCall(packettest.From("192.168.5.4:50000")).On(packettest.SLL2(2, packettest.CookedOutgoing))
				return packettest.Merge(container(packettest.ContainerHops, func(c *packettest.Conversation) { oneCall(c) }), own)
			}},
		// A service on the host in place of the real one, as kube2iam is: the
		// second leg goes elsewhere.
		{name: "the service is translated", want: oneCallLines, trace: func() packettest.Trace {
			t := oneCall(packettest.New())
			elsewhere := t.Edit(func(_ int, s *packettest.Segment) {
				local := netip.MustParseAddr("10.0.0.1")
				if s.FromClient {
					s.Dst, s.DstPort = local, 8181
				} else {
					s.Src, s.SrcPort = local, 8181
				}
				s.Time = s.Time.Add(10 * time.Microsecond)
				s.InterfaceID = 1
			})
			return packettest.Merge(t, elsewhere)
		}},
	}
}

func thirty(call string) []string {
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("10.0.1.%d:40000%s", 100+i, call))
	}
	return lines
}
