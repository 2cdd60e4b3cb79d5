package capture

import (
	"errors"
	"net/netip"
	"os"
	"testing"

	"github.com/vishvananda/netlink"

	"imds-analyzer/imds"
)

func TestHidden(t *testing.T) {
	const v4, v6 = "169.254.169.254", "fd00:ec2::254"
	host, other := newTestNetwork(t), newTestNetwork(t)
	only := func(address string) []netip.AddrPort {
		return []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(address), 80)}
	}
	for _, test := range []struct {
		name      string
		inside    []func() error // what makes the namespace
		endpoints []netip.AddrPort
		watched   []*os.File
		hidden    bool
		err       error
	}{
		{"to one that is watched", []func() error{route(v4, "to-host")}, nil, files(host), false, nil},
		{"to one that is not", []func() error{route(v4, "to-other")}, nil, files(host), true, nil},
		{"nothing is watched", []func() error{route(v4, "to-host")}, nil, nil, true, nil},
		{"both are watched", []func() error{route(v4, "to-host"), route(v6, "to-other")}, nil, files(host, other), false, nil},
		{"one of both is watched", []func() error{route(v4, "to-host"), route(v6, "to-other")}, nil, files(host), true, nil},
		{"the way that is not watched is no endpoint's", []func() error{route(v4, "to-host"), route(v6, "to-other")}, only(v4), files(host), false, nil},
		{"IPv6 to one that is watched", []func() error{route(v6, "to-host")}, nil, files(host), false, nil},
		{"IPv6 to one that is not", []func() error{route(v6, "to-other")}, only(v6), files(host), true, nil},
		{"the service is inside", []func() error{give("lo", v4+"/32")}, nil, files(host, other), true, nil},
		{"the service is inside, IPv6", []func() error{give("lo", v6+"/128")}, nil, files(host, other), true, nil},
		{"both ends are inside", []func() error{addVeth("near", "far"), bringUp("near"), bringUp("far"), route(v4, "near")}, nil, files(host), true, nil},
		{"no route", nil, nil, files(host), false, ErrNoRoute},
		{"refused", []func() error{refuse(v4), refuse(v6)}, nil, files(host), false, ErrNoRoute},
		{"no endpoints", []func() error{route(v4, "to-other")}, []netip.AddrPort{}, files(host), false, ErrNoRoute},
	} {
		t.Run(test.name, func(t *testing.T) {
			inside := newTestNetwork(t)
			inside.do(t, bringUp("lo"))
			cable(t, inside, "to-host", host, "from-inside")
			cable(t, inside, "to-other", other, "from-inside")
			inside.do(t, test.inside...)
			endpoints := test.endpoints
			if endpoints == nil {
				endpoints = imds.DefaultEndpoints()
			}
			var hidden bool
			var err error
			inside.do(t, func() error { hidden, err = Hidden(endpoints, test.watched); return nil })
			if hidden != test.hidden || !errors.Is(err, test.err) {
				t.Errorf("hidden %v, %v; want %v, %v", hidden, err, test.hidden, test.err)
			}
			inside.do(t, remove("to-host"), remove("to-other"))
		})
	}
}

func files(networks ...*testNetwork) (list []*os.File) {
	for _, n := range networks {
		list = append(list, n.file)
	}
	return list
}

func addVeth(name, peer string) func() error {
	return func() error {
		attributes := netlink.NewLinkAttrs()
		attributes.Name = name
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: peer})
	}
}

func remove(name string) func() error {
	return func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return netlink.LinkDel(link)
	}
}

// refuse has the kernel send nothing to an address.
func refuse(address string) func() error {
	return func() error {
		to := netlink.NewIPNet(netip.MustParseAddr(address).AsSlice())
		return netlink.RouteAdd(&netlink.Route{Dst: to, Type: unreachable})
	}
}

// unreachable is RTN_UNREACHABLE (rtnetlink(7)).
const unreachable = 7

// What the kernel does not say is no answer.
func TestHiddenFails(t *testing.T) {
	if _, err := Hidden([]netip.AddrPort{{}}, nil); err == nil {
		t.Error("an endpoint without an address has a way")
	}
}
