package cli_test

import (
	"net/netip"
	"os"
	"testing"
)

// insideService6 is in the network in which the host of a site has an address.
var insideService6 = netip.MustParseAddr("fd00:ec2::253")

// Where the service's addresses are in another network namespace of the machine, as a
// stand-in's are, calls of the host are the host's, and those from within are captured
// there.
func TestLiveServiceInside(t *testing.T) {
	host, far := newCable(t, insideService, insideService6)
	s := &site{host: host, far: far, service: startService(t, far)}
	s.far.ip(t, "link set lo up")
	end := s.far.occupy(t)
	defer end()
	p := s.host.watchAll(t, "--endpoint", insideService.String(), "--endpoint", insideService6.String())
	eventually(t, "captured", func() bool { return s.far.isCaptured(t) })
	s.service.follow(rules{delay: lifeTime})
	var calls []made
	for _, service := range []netip.Addr{insideService, insideService6} {
		for _, from := range []*namespace{s.host, s.far} {
			for _, withPUT := range []bool{false, true} {
				calls = append(calls, s.send(t, from, curlOf(t), errand{service: service, withPUT: withPUT, name: "inside", giveUpAfter: "20"})...)
			}
		}
	}
	check(t, p.stop(t, os.Interrupt), calls)
}

// Where one address is inside, and there is a way out to the other, calls of the host to the
// former are the host's, and those from within to both are captured there.
func TestLiveServiceHalfInside(t *testing.T) {
	service6 := netip.MustParseAddr("fd00:ec3::254")
	s, beyond := newSiteWith(t, changedService), newNamespace(t)
	s.far.ip(t, `
		link set lo up
		link add cable2 type veth peer name cable3 netns `+beyond.path+`
		link set cable2 up
		addr add fd00:ec3::1/64 dev cable2 nodad`)
	beyond.ip(t, `
		link set cable3 up
		addr add `+service6.String()+`/64 dev cable3 nodad`)
	serve(t, beyond, s.service)
	end := s.far.occupy(t)
	defer end()
	p := s.host.watchAll(t, "--endpoint", changedService.String(), "--endpoint", service6.String())
	eventually(t, "captured", func() bool { return s.far.isCaptured(t) })
	s.service.follow(rules{delay: lifeTime})
	to4 := errand{service: changedService, withPUT: true, name: "to-inside", giveUpAfter: "20"}
	calls := append(s.send(t, s.host, curlOf(t), to4), s.send(t, s.far, curlOf(t), to4)...)
	calls = append(calls, s.send(t, s.far, curlOf(t), errand{service: service6, withPUT: true, name: "out", giveUpAfter: "20"})...)
	check(t, p.stop(t, os.Interrupt), calls)
}

// What hangs behind a namespace that the service is inside is not seen there, where the
// loopback interface alone is captured.
func TestLiveBehindServiceInside(t *testing.T) {
	s, container := newSiteWith(t, changedService), newNamespace(t)
	s.far.ip(t, `
		link set lo up
		link add cable2 type veth peer name cable3 netns `+container.path+`
		link set cable2 up
		addr add 198.51.100.1/24 dev cable2`)
	container.ip(t, `
		link set cable3 up
		addr add `+container4.String()+`/24 dev cable3
		route add default via 198.51.100.1`)
	end := s.far.occupy(t)
	defer end()
	p := s.host.watchAll(t, "--endpoint", changedService.String())
	eventually(t, "captured", func() bool { return s.far.isCaptured(t) })
	defer container.occupy(t)()
	eventually(t, "captured, too", func() bool { return container.isCaptured(t) })
	s.service.follow(rules{delay: lifeTime})
	calls := s.send(t, container, curlOf(t), errand{service: changedService, withPUT: true, name: "behind", giveUpAfter: "20"})
	check(t, p.stop(t, os.Interrupt), calls)
}
