package capture_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// delivered writes what became of a call's answer: whether it came, the hop limit
// with which it was seen, and the one that it takes.
func delivered(c imds.Call) string {
	if c.Response == nil {
		return c.Request.Method + " -"
	}
	how := map[imds.Delivery]string{imds.DeliveryUnknown: "unknown", imds.Acknowledged: "acknowledged", imds.NotDelivered: "not delivered"}[c.Response.Delivery]
	return fmt.Sprintf("%s %s, %d of %d", c.Request.Method, how, c.Response.HopLimit, c.Response.HopLimitNeeded)
}

func deliveries(calls []imds.Call) (list []string) {
	for _, c := range calls {
		list = append(list, delivered(c))
	}
	return list
}

// asked is a client that has asked for a token.
func asked(c *packettest.Conversation) {
	c.Open()
	c.Client(put())
}

// notComing is a client that does not get its token.
func notComing(c *packettest.Conversation) {
	asked(c)
	c.ServerInVain(tokenAnswer())
}

// closesLater is notComing until the client has waited long enough.
func closesLater(c *packettest.Conversation) {
	notComing(c)
	c.Wait(time.Second)
	c.Finish(fromClient)
}

// sentAgain is notComing until the service sends once more.
func sentAgain(c *packettest.Conversation) {
	notComing(c)
	c.Wait(200 * time.Millisecond)
	c.Again(fromServer, 0)
}

// withHopLimit gives the service's data a hop limit. With 1 it is seen on the
// farthest of several legs only.
func withHopLimit(limit uint8, t packettest.Trace, farthest netip.Addr) packettest.Trace {
	t = t.Edit(func(_ int, s *packettest.Segment) {
		if !s.FromClient && len(s.Payload) > 0 {
			s.TTL = limit
		}
	})
	return slices.DeleteFunc(t, func(s packettest.Segment) bool {
		return !s.FromClient && len(s.Payload) > 0 && limit == 1 && s.Dst != farthest
	})
}

// nat is a conversation as seen on a host that routes for its client.
func nat(limit uint8, hops []packettest.Hop, do talk) []capture.Packet {
	return withHopLimit(limit, trace(do).Through(hops...), translated.Addr()).Packets()
}

// own is a conversation of the host itself.
func own(limit uint8, do talk) []capture.Packet {
	return withHopLimit(limit, trace(do), packettest.Client.Addr()).Packets()
}

// exceeding puts, behind each of the service's packets with data, what the host says
// of not being able to send it on.
func exceeding(host, service netip.Addr, t packettest.Trace) (packets []capture.Packet) {
	for _, s := range t {
		packets = append(packets, s.Packet())
		if s.FromClient || len(s.Payload) == 0 {
			continue
		}
		ip := packettest.ICMP
		kind := uint8(packettest.ICMPTimeExceeded)
		if host.Is6() {
			ip, kind = packettest.ICMPv6, packettest.ICMPv6TimeExceeded
		}
		packets = append(packets, s.Wrap(ip(host, service, kind, s.IP())))
	}
	return packets
}

func exceedingNAT(hops []packettest.Hop, do talk) []capture.Packet {
	return exceeding(translated.Addr(), packettest.Service.Addr(), withHopLimit(1, trace(do).Through(hops...), translated.Addr()))
}

var translated6 = netip.MustParseAddrPort("[fd00:2::4]:61001")

func nat6(do talk) packettest.Trace {
	c := packettest.New6()
	do(c)
	return withHopLimit(1, c.Trace().Through(packettest.ContainerHops(translated6)...), translated6.Addr())
}

func TestDelivery(t *testing.T) {
	healthy := func(c *packettest.Conversation) {
		asked(c)
		c.Server(tokenAnswer())
		c.Close()
	}
	uplink := packettest.ContainerHops(translated)[2:]
	twoRouters := func() []packettest.Hop {
		hops := packettest.ContainerHops(translated)
		hops[2].Routers = 2
		return hops
	}
	initial := func(limit uint8, packets []packettest.Segment) []packettest.Segment {
		return packettest.Trace(packets).Edit(func(_ int, s *packettest.Segment) {
			if s.FromClient {
				s.TTL += limit - 64
			}
		})
	}
	tests := []struct {
		name    string
		packets []capture.Packet
		want    string
	}{
		{"the host itself", own(1, healthy), "PUT acknowledged, 1 of 0"},
		{"by the next request", own(1, func(c *packettest.Conversation) {
			c.Quiet = true
			asked(c)
			c.Server(tokenAnswer())
			c.Client(get("/"))
		}), "PUT acknowledged, 1 of 0; GET -"},
		{"after the service has sent it again", own(1, func(c *packettest.Conversation) {
			sentAgain(c)
			c.Wait(time.Millisecond)
			c.Stray(fromClient, func(s *packettest.Segment) { s.Ack += 100 })
			c.Wait(time.Second)
			c.Finish(fromClient)
		}), "PUT acknowledged, 1 of 0"},
		{"half closed before", own(1, func(c *packettest.Conversation) {
			asked(c)
			c.Finish(fromClient)
			c.Server(tokenAnswer())
		}), "PUT acknowledged, 1 of 0"},
		{"half closed at the same moment", own(1, func(c *packettest.Conversation) {
			asked(c)
			c.ServerInVain(tokenAnswer())
			c.Finish(fromClient)
			c.Stray(fromClient, func(s *packettest.Segment) { s.Ack += 100 })
		}), "PUT acknowledged, 1 of 0"},
		{"ICMP about what came", exceeding(netip.MustParseAddr("10.0.0.1"), packettest.Service.Addr(), trace(func(c *packettest.Conversation) {
			c.Quiet = true
			asked(c)
			c.Server(tokenAnswer())
			c.Close()
		})), "PUT acknowledged, 64 of 0"},

		{"no packet of the client's captured after its request", func() []capture.Packet {
			t := trace(healthy)
			asks := t.Data(fromClient)[0]
			return append(t[:asks+1].Packets(), t[asks+1:].Only(fromServer).Packets()...)
		}(), "PUT unknown, 64 of 0"},
		{"no acknowledgment before the end", own(1, notComing), "PUT unknown, 1 of 0"},
		{"seen twice", trace(notComing).Twice().Packets(), "PUT unknown, 64 of 0"},
		{"seen in several places", nat(64, packettest.ContainerHops(translated), notComing), "PUT unknown, 64 of 0"},
		{"ICMP about another connection", func() []capture.Packet {
			packets := own(1, notComing)
			other := packettest.From("10.0.0.7:40001")
			notComing(other)
			last := other.Trace()[len(other.Trace())-1]
			return append(packets, last.Wrap(packettest.ICMP(packettest.Client.Addr(), packettest.Service.Addr(), packettest.ICMPTimeExceeded, last.IP())))
		}(), "PUT unknown, 1 of 0"},
		{"ICMP about a request", func() []capture.Packet {
			t := trace(notComing)
			asks := t[t.Data(fromClient)[0]]
			asks.Time = t[len(t)-1].Time
			return append(t.Packets(), asks.Wrap(packettest.ICMP(packettest.Service.Addr(), packettest.Client.Addr(), packettest.ICMPTimeExceeded, asks.IP())))
		}(), "PUT unknown, 64 of 0"},
		{"seen farther away later", trace(notComing).Twice().Edit(func(i int, s *packettest.Segment) {
			if i%2 == 1 && !s.FromClient {
				s.TTL++
			}
		}).Packets(), "PUT unknown, 65 of 0"},
		{"ICMP that says something else", func() []capture.Packet {
			t := trace(notComing)
			last := t[len(t)-1]
			return append(t.Packets(), last.Wrap(packettest.ICMP(packettest.Client.Addr(), packettest.Service.Addr(), packettest.ICMPUnreachable, last.IP())))
		}(), "PUT unknown, 64 of 0"},

		{"the host itself closes", own(1, closesLater), "PUT not delivered, 1 of 0"},
		{"closes at the same moment, and takes nothing more", own(1, func(c *packettest.Conversation) {
			notComing(c)
			c.Finish(fromClient)
			c.Stray(fromClient, func(s *packettest.Segment) { s.Flags, s.Ack = packettest.RST, 0 })
		}), "PUT not delivered, 1 of 0"},
		{"resets", own(1, func(c *packettest.Conversation) {
			notComing(c)
			c.Wait(time.Second)
			c.Stray(fromClient, func(s *packettest.Segment) { s.Flags, s.Ack, s.TTL = packettest.RST, 0, 255 })
		}), "PUT not delivered, 1 of 0"},
		{"asks again", own(1, func(c *packettest.Conversation) {
			notComing(c)
			c.Wait(300 * time.Millisecond)
			c.Again(fromClient, 0)
		}), "PUT not delivered, 1 of 0"},
		{"is sent again", own(1, sentAgain), "PUT not delivered, 1 of 0"},

		{"a container, on the uplink", nat(1, uplink, closesLater), "PUT not delivered, 1 of 2"},
		{"a container, on the uplink, with ICMP", exceedingNAT(uplink, notComing), "PUT not delivered, 1 of 2"},
		{"a container, on the uplink, sent again", nat(1, uplink, sentAgain), "PUT not delivered, 1 of 2"},
		{"a container with a larger hop limit", nat(3, packettest.ContainerHops(translated), closesLater), "PUT not delivered, 3 of 2"},
		{"behind two routers", nat(1, twoRouters(), closesLater), "PUT not delivered, 1 of 3"},
		{"behind two routers, on the uplink", nat(1, twoRouters()[2:], closesLater), "PUT not delivered, 1 of 3"},
		{"a container of Windows", packettest.Trace(initial(128, withHopLimit(1, trace(closesLater).Through(uplink...), translated.Addr()))).Packets(),
			"PUT not delivered, 1 of 2"},
		{"a client with a hop limit of its own", packettest.Trace(initial(100, withHopLimit(1, trace(closesLater).Through(uplink...), translated.Addr()))).Packets(),
			"PUT not delivered, 1 of 0"},
		{"the same in two places", packettest.Trace(initial(100, withHopLimit(1, trace(closesLater).Through(packettest.ContainerHops(translated)...), translated.Addr()))).Packets(),
			"PUT not delivered, 1 of 2"},
		{"the same, with ICMP", exceeding(translated.Addr(), packettest.Service.Addr(),
			packettest.Trace(initial(100, withHopLimit(1, trace(closesLater).Through(uplink...), translated.Addr())))), "PUT not delivered, 1 of 2"},

		{"IPv6", nat6(closesLater).Packets(), "PUT not delivered, 1 of 2"},
		{"IPv6, with ICMP", exceeding(translated6.Addr(), packettest.Service6.Addr(), nat6(notComing)), "PUT not delivered, 1 of 2"},

		{"refused", own(1, func(c *packettest.Conversation) {
			asked(c)
			c.ServerInVain(answer("403 Forbidden", ""))
			c.Wait(time.Second)
			c.Finish(fromClient)
		}), "PUT unknown, 1 of 0"},
		{"no token", own(1, func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/"))
			c.ServerInVain(ok())
			c.Wait(time.Second)
			c.Finish(fromClient)
		}), "GET unknown, 1 of 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(deliveries(found(t, nil, tt.packets).calls), "; "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			for want, packets := range map[string][]capture.Packet{
				"PUT acknowledged, 64 of 0":   nat(64, way.hops(translated), healthy),
				"PUT not delivered, 1 of 2":   nat(1, way.hops(translated), closesLater),
				"PUT not delivered, 1 of 2 ":  nat(1, way.hops(translated), sentAgain),
				"PUT not delivered, 1 of 2  ": exceedingNAT(way.hops(translated), notComing),
			} {
				if got := deliveries(found(t, nil, packets).calls); !slices.Equal(got, []string{strings.TrimSpace(want)}) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// A token is handed over once it is known whether it has come, and not later than
// its client may go on without.
func TestDeliveryIsToldInTime(t *testing.T) {
	const patience, limit = 400 * time.Millisecond, 3 * time.Second
	tests := []struct {
		name string
		do   talk // after the answer
		// from is how long after the answer it is handed over, 0 if at once.
		after time.Duration
		want  string
	}{
		{"acknowledged", func(c *packettest.Conversation) {
			c.Stray(fromClient, func(s *packettest.Segment) { s.Ack += 100 })
		}, 0, "PUT acknowledged, 64 of 0"},
		{"closed", func(c *packettest.Conversation) { c.Wait(100 * time.Millisecond); c.Finish(fromClient) }, 0, "PUT not delivered, 64 of 0"},
		{"sent again", func(c *packettest.Conversation) { c.Wait(200 * time.Millisecond); c.Again(fromServer, 0) }, patience, "PUT not delivered, 64 of 0"},
		{"asked again", func(c *packettest.Conversation) { c.Wait(200 * time.Millisecond); c.Again(fromClient, 0) }, patience, "PUT not delivered, 64 of 0"},
		{"sent again later", func(c *packettest.Conversation) { c.Wait(999 * time.Millisecond); c.Again(fromServer, 0) }, 1050 * time.Millisecond, "PUT not delivered, 64 of 0"},
		{"nothing", func(*packettest.Conversation) {}, limit, "PUT unknown, 64 of 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, c := newLive(t), packettest.New()
			asked(c)
			answered := c.Now
			c.ServerInVain(tokenAnswer())
			l.hear(c)
			if len(l.calls) > 0 {
				t.Fatal("told at the answer", deliveries(l.calls))
			}
			tt.do(c)
			l.hear(c)
			if tt.after > 0 {
				l.Tick(answered.Add(tt.after - 1))
				if len(l.calls) > 0 {
					t.Fatal("told early", deliveries(l.calls))
				}
				if due, ok := l.Due(); !ok || !due.Equal(answered.Add(tt.after)) {
					t.Errorf("due at %v, not %v", due.Sub(answered), tt.after)
				}
				l.Tick(answered.Add(tt.after))
			}
			if got := deliveries(l.calls); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			l.Flush()
			if len(l.calls) != 1 {
				t.Errorf("told again: %q", deliveries(l.calls))
			}
		})
	}
}

// What waits for a token's acknowledgment keeps its order, and is not without bound.
func TestDeliveryKeepsOrder(t *testing.T) {
	const many = 200
	c := packettest.New()
	c.Open()
	var want []string
	for i := range many {
		c.Client(request("PUT", "/latest/api/token", fmt.Sprintf("X-aws-ec2-metadata-token-ttl-seconds: %d", i+1)), get("/"))
		c.ServerInVain(tokenAnswer() + ok())
		want = append(want, fmt.Sprintf("PUT %d", i+1), "GET 0")
	}
	r := newRecorder(t)
	a := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), r)
	feed(a, c.Packets())
	if told := len(r.calls); told < 2*many-64 {
		t.Errorf("%d calls wait", 2*many-told)
	}
	a.Flush()
	var got []string
	for _, c := range r.calls {
		got = append(got, fmt.Sprintf("%s %d", c.Request.Method, c.Request.TTLSeconds))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d calls of %d, or in another order: %q", len(got), len(want), got)
	}
}

// A call that only waits for one before it waits no longer than that.
func TestDeliveryHoldsUpNoMore(t *testing.T) {
	l, c := newLive(t), packettest.New()
	c.Open()
	c.Client(put() + get("/"))
	answered := c.Now
	c.ServerInVain(tokenAnswer())
	c.Wait(time.Second)
	c.ServerInVain(ok())
	l.hear(c)
	l.found()
	l.Tick(answered.Add(3 * time.Second))
	l.found("v2 PUT /latest/api/token 200 token", "v1 GET / 200")
}

// What is saved of a message that quotes a token is its headers: they tell the same
// of the token's delivery.
func TestSavedQuotes(t *testing.T) {
	for name, packets := range map[string][]capture.Packet{
		"IPv4": exceedingNAT(packettest.ContainerHops(translated), notComing),
		"IPv6": exceeding(translated6.Addr(), packettest.Service6.Addr(), nat6(notComing)),
	} {
		t.Run(name, func(t *testing.T) {
			quoted := packets[len(packets)-1]
			if !strings.Contains(string(quoted.Data), secret) {
				t.Fatal("nothing is quoted")
			}
			saved := packetsIn(savedOf(packets))
			if len(saved) != len(packets) {
				t.Fatalf("%d packets of %d", len(saved), len(packets))
			}
			for i, p := range saved {
				if strings.Contains(string(p.Data), secret) || strings.Contains(string(p.Data), "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 20\r\n\r\nAQ") {
					t.Errorf("packet %d holds the token: %q", i, p.Data)
				}
			}
			if last := saved[len(saved)-1]; !strings.HasPrefix(string(quoted.Data), string(last.Data)) || strings.Contains(string(last.Data), "HTTP") || last.Length != quoted.Length {
				t.Errorf("%q is saved of %q", last.Data, quoted.Data)
			}
			if got, want := deliveries(callsIn(saved)), []string{"PUT not delivered, 1 of 2"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// In the real captures each token came.
func TestDeliveryInCaptures(t *testing.T) {
	tokens := 0
	for _, name := range []string{"boto", "cloud-init", "container-nat-hostany", "curl-eth", "curl-ipv6", "ec2-tools-lo", "fallback-403",
		"go-tools", "npm-http", "proxy-haproxy-any", "segmented"} {
		for _, c := range analyze(t, captureOf(t, name)) {
			if !c.Request.IsTokenRequest() || c.Response == nil || c.Response.Status != 200 {
				continue
			}
			tokens++
			if c.Response.Delivery != imds.Acknowledged {
				t.Errorf("%s: %s at %v", name, delivered(c), c.Request.Time)
			}
		}
	}
	if tokens < 50 {
		t.Errorf("%d tokens", tokens)
	}
}
