package cli_test

import (
	"net/netip"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// The answer to a token request that leaves the service with a hop limit of 1 is not
// forwarded to a container behind address translation.

const (
	container = "172.17.0.2:"
	uplink    = "10.0.1.23:"
)

// contained is a client in a container, as `tcpdump -i any` on its host sees it.
func (s *stage) contained(port, agent string) *client {
	c := s.open(container+port, agent)
	c.route = packettest.ContainerHops(netip.MustParseAddrPort(uplink + port))
	return c
}

// routed is a trace at each place of its route. What is out of hops there is not seen
// behind the router.
func routed(trace packettest.Trace, route []packettest.Hop) packettest.Trace {
	var seen packettest.Trace
	for _, segment := range trace {
		one := packettest.Trace{segment}
		if !segment.FromClient && segment.TTL <= 1 && len(route) > 1 {
			last := route[len(route)-1]
			one = packettest.Trace{segment}.Through(packettest.Hop{Link: last.Link, Client: last.Client, Routers: last.Routers})
		} else {
			one = one.Through(route...)
		}
		seen = append(seen, one...)
	}
	return seen
}

// lost is an answer with that hop limit that does not come to the client.
func (c *client) lost(ttl uint8) *client {
	c.act(func() {
		c.talk.Stray(false, func(s *packettest.Segment) {
			s.Flags |= packettest.PSH
			s.Payload, s.TTL = []byte(answerOf(200, c.server)), ttl
		})
	})
	return c
}

// exceeded is what the router, which is the container's host, says of the segment that
// was captured last (RFC 792, "Time Exceeded Message").
func (c *client) exceeded() *client {
	trace := routed(c.talk.Trace(), c.route)
	dropped := trace[len(trace)-1]
	icmp := append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, dropped.IP()...)
	sum := internetChecksum(icmp)
	icmp[2], icmp[3] = byte(sum>>8), byte(sum)
	message := packettest.IPv4{Src: dropped.Dst, Dst: dropped.Src, Protocol: 1, TTL: 64}.Bytes(icmp)
	dropped.Time = c.stage.now
	c.stage.more = append(c.stage.more, dropped.Wrap(message))
	c.stage.wait(c.talk.Step)
	return c
}

// internetChecksum is that of RFC 1071.
func internetChecksum(b []byte) uint16 {
	sum := uint32(0)
	for i, octet := range b {
		sum += uint32(octet) << (8 * (1 - i%2))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// waitsInVain sends the answer again and again until the client's patience is over.
func (c *client) waitsInVain(ttl uint8, icmp bool) {
	for _, pause := range []time.Duration{0, 200, 400} {
		c.stage.wait(pause * time.Millisecond)
		if c.lost(ttl); icmp {
			c.exceeded()
		}
	}
	c.stage.wait(400 * time.Millisecond)
}

// givesUp is the client's close. Nothing more comes to it.
func (c *client) givesUp() { c.act(func() { c.talk.Finish(true) }) }

func TestHopLimit(t *testing.T) {
	for name, icmp := range map[string]bool{"sent again": false, "time exceeded": true} {
		for closing, closes := range map[string]bool{"closed": true, "left open": false} {
			for seen, places := range map[string]int{"on any": 3, "on the uplink": 1} {
				t.Run(name+", "+closing+", "+seen, func(t *testing.T) {
					t.Parallel()
					calls := played(t, func(s *stage) {
						sdk := s.contained("40001", goV2)
						sdk.route = sdk.route[3-places:]
						sdk.asksToken()
						sdk.waitsInVain(1, icmp)
						if closes {
							sdk.givesUp()
						}
						sdk.found("hop-limit", "-")
						next := sdk.again(container + "40002")
						next.route = packettest.ContainerHops(netip.MustParseAddrPort(uplink + "40002"))[3-places:]
						next.get("fallback-token-undelivered,hop-limit", "undelivered/-/user_agent")
					})
					checkTTL(t, calls, []ttl{{1, 2}, {64, 0}})
				})
			}
		}
	}
}

// ttl is an answer's hop limit, and what it needs.
type ttl struct{ seen, needed int }

func checkTTL(t *testing.T, calls []found, want []ttl) {
	t.Helper()
	if len(calls) != len(want) {
		t.Fatalf("%d calls", len(calls))
	}
	for i := range calls {
		if got := (ttl{calls[i].IMDS.ResponseTTL, calls[i].IMDS.TTLNeeded}); got != want[i] {
			t.Errorf("%v: hop limit %+v, want %+v", &calls[i], got, want[i])
		}
	}
}

// A hop limit of 1 is enough on the host itself.
func TestHopLimitOnTheHost(t *testing.T) {
	calls := played(t, func(s *stage) {
		c := s.open(from(40001), goV2)
		c.asksToken().lost(1) // on the wire, and then acknowledged:
		c.act(func() { c.talk.LoseServer(answerOf(200, service)) })
		c.found("-", "-")
		c.getV2(200, "-")
		c.again(from(40002)).get("v2-capable", "-")
	})
	checkTTL(t, calls, []ttl{{1, 0}, {64, 0}, {64, 0}})
}

// An answer that has a high hop limit and gets lost is no matter of the hop limit.
func TestAnswerLostForAnotherReason(t *testing.T) {
	played(t, func(s *stage) {
		c := s.open(from(40001), goV2)
		c.asksToken()
		c.waitsInVain(64, false)
		c.givesUp()
		c.found("-", "-")
		c.again(from(40002)).get("fallback-token-undelivered", "undelivered/-/user_agent")
	})
}

// Delivered after it was sent again, it is no failure.
func TestAnswerDeliveredLate(t *testing.T) {
	played(t, func(s *stage) {
		c := s.contained("40001", goV2)
		c.asksToken().lost(64)
		c.stage.wait(200 * time.Millisecond)
		c.answered(200).found("-", "-")
		c.getV2(200, "-")
	})
}
