package cli_test

import (
	"net/netip"
	"testing"
)

// site is a host that is watched and, at the other end of a cable, a stand-in
// for the metadata service. The service's addresses are at that end only.
type site struct {
	host    *namespace
	far     *namespace
	service *standIn
}

// The addresses of the metadata service.
var (
	service4 = netip.MustParseAddr("169.254.169.254")
	service6 = netip.MustParseAddr("fd00:ec2::254")
)

var families = []struct {
	name    string
	service netip.Addr
}{{"IPv4", service4}, {"IPv6", service6}}

// hostInterface is the host's end of the cable.
const hostInterface = "cable0"

// newSite makes a site that is there until the test ends.
func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, service4)
}

// newSiteWith is newSite with another IPv4 address of the service.
func newSiteWith(t *testing.T, service netip.Addr) *site {
	t.Helper()
	host, far := newCable(t, service, service6)
	return &site{host: host, far: far, service: startService(t, far)}
}

// newCable makes a host and, at the far end of a cable, where the service has its addresses.
func newCable(t *testing.T, service4, service6 netip.Addr) (host, far *namespace) {
	t.Helper()
	host, far = newNamespace(t), newNamespace(t)
	layCable(t, host, far, service4, service6)
	return host, far
}

// layCable lays the cable.
func layCable(t *testing.T, host, far *namespace, service4, service6 netip.Addr) {
	t.Helper()
	host.ip(t, "link add "+hostInterface+" type veth peer name cable1 netns "+far.path)
	// 192.0.2.0/24 and 203.0.113.0/24 are for documentation (RFC 5737). The latter is for
	// more addresses of the host.
	far.ip(t, `
		link set cable1 up
		addr add 192.0.2.2/30 dev cable1
		addr add `+service4.String()+`/32 dev cable1
		addr add `+service6.String()+`/64 dev cable1 nodad
		route add 203.0.113.0/24 dev cable1`)
	host.ip(t, `
		link set cable0 up
		addr add 192.0.2.1/30 dev cable0
		addr add fd00:ec2::1/64 dev cable0 nodad
		route add `+service4.String()+` dev cable0`)
}

// The addresses of a container.
var (
	container4 = netip.MustParseAddr("198.51.100.2")
	container6 = netip.MustParseAddr("2001:db8::2")
)

// addContainer adds a container to the site: a namespace behind a bridge and
// address translation on the host.
func (s *site) addContainer(t *testing.T) *namespace {
	t.Helper()
	container := newNamespace(t)
	s.host.ip(t, `
		link add bridge0 type bridge
		link set bridge0 up
		addr add 198.51.100.1/24 dev bridge0
		addr add 2001:db8::1/64 dev bridge0 nodad
		link add port0 type veth peer name eth0 netns `+container.path+`
		link set port0 master bridge0
		link set port0 up`)
	container.ip(t, `
		link set eth0 up
		addr add 198.51.100.2/24 dev eth0
		addr add 2001:db8::2/64 dev eth0 nodad
		route add default via 198.51.100.1
		route add default via 2001:db8::1`)
	s.host.sysctl(t, "ipv4/ip_forward", "1")
	s.host.sysctl(t, "ipv6/conf/all/forwarding", "1")
	s.host.run(t, masquerade, "nft", "-f", "-")
	return container
}

const masquerade = `table inet nat {
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "` + hostInterface + `" masquerade
	}
}
`

// containerSource is the client's end of a call of the container, before
// translation. That keeps the port (nft(8), masquerade).
func containerSource(c call) netip.AddrPort {
	addr := container4
	if c.service == service6 {
		addr = container6
	}
	return netip.AddrPortFrom(addr, c.source.Port())
}
