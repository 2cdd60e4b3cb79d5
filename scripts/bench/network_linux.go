package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"

	"imds-analyzer/scripts/testbed"
)

// network is a topology that is there.
type network struct {
	topology
	namespaces map[string]*testbed.Namespace
}

func newNetwork(t topology) (*network, error) {
	n := &network{t, make(map[string]*testbed.Namespace)}
	if err := n.add(t); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// add makes what a topology has, the namespaces apart that are there already.
func (n *network) add(t topology) error {
	if err := errors.Join(n.open(t), n.connect(t)); err != nil {
		return fmt.Errorf("cannot make the network: %w", err)
	}
	return nil
}

func (n *network) open(t topology) error {
	for _, name := range t.namespaces() {
		if n.namespaces[name] != nil {
			continue
		}
		space, err := testbed.NewNamespace()
		if err != nil {
			return err
		}
		n.namespaces[name] = space
	}
	return nil
}

func (n *network) close() {
	for _, space := range n.namespaces {
		space.Close()
	}
}

// remove ends a namespace, and with it its interfaces.
func (n *network) remove(name string) {
	n.namespaces[name].Close()
	delete(n.namespaces, name)
}

func (n *network) in(name string, job func() error) error {
	space := n.namespaces[name]
	if space == nil {
		return fmt.Errorf("there is no namespace %q", name)
	}
	return space.Do(job)
}

func (n *network) connect(t topology) error {
	for _, b := range t.bridges {
		if err := n.in(b.namespace, b.add); err != nil {
			return fmt.Errorf("bridge %s: %w", b.name, err)
		}
	}
	for _, c := range t.cables {
		if err := n.lay(c); err != nil {
			return err
		}
	}
	for _, r := range t.routes {
		if err := n.in(r.namespace, r.add); err != nil {
			return fmt.Errorf("route to %s: %w", r.destination, err)
		}
	}
	if err := n.set(t.sysctls); err != nil || t.masquerade == "" {
		return err
	}
	return n.in(t.watched, func() error { return translate(t.masquerade) })
}

func (n *network) set(sysctls []sysctl) error {
	for _, s := range sysctls {
		set := func() error { return os.WriteFile("/proc/sys/net/"+s.path, []byte(s.value), 0) }
		if err := n.in(s.namespace, set); err != nil {
			return err
		}
	}
	return nil
}

// lay makes the pair of interfaces in the first end's namespace, sends the
// second to its own, and configures both.
func (n *network) lay(c cable) error {
	far, err := os.Open(n.namespaces[c[1].namespace].Path)
	if err != nil {
		return err
	}
	defer far.Close()
	err = n.in(c[0].namespace, func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs:     netlink.LinkAttrs{Name: c[0].name},
			PeerName:      c[1].name,
			PeerNamespace: netlink.NsFd(far.Fd()),
		})
	})
	if err != nil {
		return fmt.Errorf("cable %s: %w", c[0].name, err)
	}
	return errors.Join(n.in(c[0].namespace, c[0].configure), n.in(c[1].namespace, c[1].configure))
}

func (p plug) configure() error {
	link, err := netlink.LinkByName(p.name)
	if err != nil {
		return fmt.Errorf("interface %s: %w", p.name, err)
	}
	if p.bridge != "" {
		return errors.Join(connectTo(link, p.bridge), setUp(link, p.addresses))
	}
	return setUp(link, p.addresses)
}

// connectTo connects an interface to a bridge.
func connectTo(link netlink.Link, bridge string) error {
	master, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("bridge %s: %w", bridge, err)
	}
	return netlink.LinkSetMaster(link, master)
}

func setUp(link netlink.Link, addresses []string) error {
	for _, address := range addresses {
		parsed, err := netlink.ParseAddr(address)
		if err == nil {
			err = netlink.AddrAdd(link, parsed)
		}
		if err != nil {
			return fmt.Errorf("address %s: %w", address, err)
		}
	}
	return netlink.LinkSetUp(link)
}

// bridgeAddress is a local one. Without, a bridge takes that of one of its ports,
// and another when that port goes, which containers would have to find out.
var bridgeAddress = net.HardwareAddr{2, 0, 0, 0, 0, 1}

func (b bridge) add() error {
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: b.name, HardwareAddr: bridgeAddress}}
	if err := netlink.LinkAdd(link); err != nil {
		return err
	}
	return setUp(link, b.addresses)
}

// translate has packets that leave by the interface carry its address.
func translate(name string) error {
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(`table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "` + name + `" masquerade
	}
}
`)
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w\n%s", err, out)
	}
	return nil
}

func (r route) add() error {
	link, err := netlink.LinkByName(r.plug)
	if err != nil {
		return err
	}
	_, to, err := net.ParseCIDR(r.destination)
	if err != nil {
		return err
	}
	route := netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Scope: netlink.SCOPE_LINK}
	if r.gateway != "" {
		route.Gw, route.Scope = net.ParseIP(r.gateway), netlink.SCOPE_UNIVERSE
	}
	return netlink.RouteAdd(&route)
}
