package packettest

import (
	"net/netip"
	"slices"
	"time"
)

// Hop is a place at which a capture on several interfaces sees a packet on
// its way between client and service.
type Hop struct {
	InterfaceID int
	Interface   string
	// Network is the network namespace, empty for the one of the capture.
	Network string
	// Link is the link layer for packets from the client and to it.
	Link func(fromClient bool) Link
	// Client is the client's address as translated on the way here, zero if
	// it is still its own (RFC 3022, section 2.2).
	Client netip.AddrPort
	// Routers is how many routers there are between the client and here.
	Routers uint8
}

// ContainerHops are the places at which `tcpdump -i any` sees the packets of
// a container behind bridge and masquerade: its veth, the bridge, and the
// uplink with the translated client. The capture is Linux cooked v2.
func ContainerHops(translated netip.AddrPort) []Hop {
	return []Hop{
		{Link: cooked2(7)},
		{Link: cooked2(5)},
		{Link: cooked2(2), Client: translated, Routers: 1},
	}
}

func cooked2(index uint32) func(bool) Link {
	return func(bool) Link { return SLL2(index, CookedToUs) }
}

// ContainerHopsV1 is ContainerHops in Linux cooked v1, which tells no
// interface.
func ContainerHopsV1(translated netip.AddrPort) []Hop {
	inward := func(fromClient bool) Link {
		if fromClient {
			return SLL(CookedToUs)
		}
		return SLL(CookedOutgoing)
	}
	outward := func(fromClient bool) Link { return inward(!fromClient) }
	return []Hop{{Link: inward}, {Link: inward}, {Link: outward, Client: translated, Routers: 1}}
}

// InterfaceHops is ContainerHops as pcapng has it with one interface each.
func InterfaceHops(translated netip.AddrPort) []Hop {
	link := func(bool) Link { return Ethernet() }
	return []Hop{
		{InterfaceID: 0, Interface: "veth1", Link: link},
		{InterfaceID: 1, Interface: "docker0", Link: link},
		{InterfaceID: 2, Interface: "eth0", Link: link, Client: translated, Routers: 1},
	}
}

// NetworkHops is ContainerHops of a capture in the container's network namespace
// too, where its packets come by first.
func NetworkHops(network string, translated netip.AddrPort) []Hop {
	return append([]Hop{{Network: network, Link: cooked2(2)}}, ContainerHops(translated)...)
}

// hopDelay is how long after one hop the next one sees a packet.
const hopDelay = 5 * time.Microsecond

// Through returns each segment as seen at each hop, the client's from the
// first to the last and the service's the other way.
func (t Trace) Through(hops ...Hop) Trace {
	var seen Trace
	for _, s := range t {
		way := slices.Clone(hops)
		if !s.FromClient {
			slices.Reverse(way)
		}
		for i, hop := range way {
			at := hop.seen(s, hops[len(hops)-1].Routers)
			at.Time = s.Time.Add(time.Duration(i) * hopDelay)
			seen = append(seen, at)
		}
	}
	return seen
}

// seen returns a segment as the hop sees it; the service's segments have been
// through no router yet where the client's have been through routers.
func (h Hop) seen(s Segment, routers uint8) Segment {
	s.Link, s.InterfaceID, s.Interface = h.Link(s.FromClient), h.InterfaceID, h.Interface
	s.Network = h.Network
	if s.FromClient {
		s.TTL -= h.Routers
	} else {
		s.TTL -= routers - h.Routers
	}
	switch {
	case !h.Client.IsValid():
	case s.FromClient:
		s.Src, s.SrcPort = h.Client.Addr(), h.Client.Port()
	default:
		s.Dst, s.DstPort = h.Client.Addr(), h.Client.Port()
	}
	return s
}
