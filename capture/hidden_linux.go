package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Hidden reports whether packets to one of the endpoints can leave the network
// namespace that the calling thread is in without being seen in any of those
// that are watched: by an interface whose other end is in none of them. Where
// there is no route to any of them, the error is ErrNoRoute.
func Hidden(endpoints []netip.AddrPort, watched []*os.File) (bool, error) {
	routes := 0
	for _, endpoint := range endpoints {
		link, err := linkTo(endpoint.Addr())
		if err != nil {
			return false, fmt.Errorf("find the way to %s: %w", endpoint.Addr(), err)
		}
		if link == nil {
			continue
		}
		routes++
		if !leadsInto(link.Attrs().NetNsID, watched) {
			return true, nil
		}
	}
	if routes == 0 {
		return false, ErrNoRoute
	}
	return false, nil
}

// linkTo is the interface by which packets leave for the address, nil if there
// is none.
func linkTo(a netip.Addr) (netlink.Link, error) {
	route, err := routeTo(a)
	if route == nil || err != nil {
		return nil, err
	}
	return netlink.LinkByIndex(route.LinkIndex)
}

// routeTo is the way that packets to the address take, nil if there is none.
func routeTo(a netip.Addr) (*netlink.Route, error) {
	routes, err := netlink.RouteGet(a.AsSlice())
	if isNoRoute(err) || err == nil && len(routes) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &routes[0], nil
}

// Outside are those of the endpoints that the network namespace that the calling thread is
// in has not itself, as one has in which something takes the service's place. Its own
// packets to such an address take the loopback interface, and no others are captured.
func Outside(endpoints []netip.AddrPort) (rest []netip.AddrPort) {
	for _, endpoint := range endpoints {
		if route, err := routeTo(endpoint.Addr()); err != nil || route == nil || route.Type != unix.RTN_LOCAL {
			rest = append(rest, endpoint)
		}
	}
	return rest
}

// isNoRoute knows the kernel's ways of saying that there is no route (ip(7)), and
// that of a kernel without the address's family.
func isNoRoute(err error) bool {
	for _, none := range []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENODEV, unix.EACCES, unix.EINVAL, unix.EAFNOSUPPORT, unix.EOPNOTSUPP} {
		if errors.Is(err, none) {
			return true
		}
	}
	return false
}

// leadsInto reports whether the other end of an interface, or the one below it,
// is in one of the namespaces. The kernel tells it by a number that it has given
// to that namespace in this one (IFLA_LINK_NETNSID, rtnetlink(7)), -1 if the
// interface has no such end.
func leadsInto(id int, namespaces []*os.File) bool {
	if id < 0 {
		return false
	}
	for _, n := range namespaces {
		if known, err := netlink.GetNetNsIdByFd(int(n.Fd())); err == nil && known == id {
			return true
		}
	}
	return false
}
