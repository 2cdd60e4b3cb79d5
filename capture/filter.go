package capture

import (
	"fmt"
	"net/netip"
	"strings"
)

// Filter returns the filter for packets to and from the endpoints, in the
// language of pcap-filter(7): all TCP, what may be part of it without showing a
// port, which is a later fragment or a packet with IPv6 extension headers, and
// what routers say of packets whose hop limit was used up. ICMPv6 is let through
// with the extension headers. The decoder decides. Addresses are numeric, so
// nothing is looked up.
func Filter(endpoints []netip.AddrPort) string {
	return anyOf(endpoints,
		"(ip host %s and (tcp port %d or ip[6:2] & 0x1fff != 0 or icmp[0] = 11))",
		"(ip6 host %s and (tcp port %d or ip6[6] != 6))")
}

// synFilter returns the filter for the first segment of connections to the
// endpoints. tcp[13] reads IPv4 only; behind a plain IPv6 header of 40 bytes
// the flags are at 53.
func synFilter(endpoints []netip.AddrPort) string {
	return anyOf(endpoints,
		"(ip dst host %s and tcp dst port %d and tcp[13] & 0x12 = 0x02)",
		"(ip6 dst host %s and tcp dst port %d and ip6[6] = 6 and ip6[53] & 0x12 = 0x02)")
}

// anyOf makes a filter of one for each endpoint, by its address and port.
func anyOf(endpoints []netip.AddrPort, v4, v6 string) string {
	var terms []string
	for _, e := range endpoints {
		term := v6
		if e.Addr().Is4() {
			term = v4
		}
		terms = append(terms, fmt.Sprintf(term, e.Addr(), e.Port()))
	}
	return strings.Join(terms, " or ")
}

// tagged makes a filter also match packets with one or two VLAN tags. Each
// vlan moves the offsets of all that follows it, so it stands last. It is for
// Ethernet only: cooked headers have no place for tags.
func tagged(filter string) string {
	return fmt.Sprintf("%s or (vlan and (%s or (vlan and (%s))))", filter, filter, filter)
}
