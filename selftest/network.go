//go:build linux

package selftest

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// The two ends of the private network. The addresses between them are for
// documentation (RFC 5737), so that nothing else can be meant.
const (
	clientSide    = "selftest0"
	serviceSide   = "selftest1"
	clientAddr    = "192.0.2.1/30"
	serviceAddr   = "192.0.2.2/30"
	clientAddr6   = "fd00:ec2::1/64"
	serviceAddr6  = "fd00:ec2::254/64"
	imdsAddr      = "169.254.169.254/32"
	imdsEndpoint  = "169.254.169.254:80"
	imdsEndpoint6 = "[fd00:ec2::254]:80"
)

// inNewNetwork makes the command start in a network namespace of its own,
// which ends with it, and end with this process.
func inNewNetwork(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
}

// setUpClientSide makes a pair of virtual interfaces, sends one end into the
// network namespace of the process pid, and configures the other.
func setUpClientSide(pid int) error {
	if err := up("lo"); err != nil {
		return err
	}
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: clientSide}, PeerName: serviceSide, PeerNamespace: netlink.NsPid(pid)}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("cannot make a pair of virtual interfaces (is the kernel's veth module there?): %w", err)
	}
	if err := errors.Join(address(clientSide, clientAddr), up(clientSide), address6(clientSide, clientAddr6)); err != nil {
		return err
	}
	return route(clientSide, imdsAddr, serviceAddr)
}

// setUpServiceSide configures the end that was sent here.
func setUpServiceSide() error {
	return errors.Join(
		up("lo"),
		address(serviceSide, serviceAddr),
		address(serviceSide, imdsAddr),
		up(serviceSide),
		address6(serviceSide, serviceAddr6),
	)
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetUp(link)
	}
	return because("bring up", name, err)
}

func address(name, addr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return because("find", name, err)
	}
	parsed, err := netlink.ParseAddr(addr)
	if err == nil {
		err = netlink.AddrAdd(link, parsed)
	}
	return because("give "+addr+" to", name, err)
}

// address6 adds an IPv6 address that need not be probed for duplicates. A
// kernel without IPv6 goes without; hasIPv6 tells.
func address6(name, addr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return because("find", name, err)
	}
	parsed, err := netlink.ParseAddr(addr)
	if err != nil {
		return because("give "+addr+" to", name, err)
	}
	parsed.Flags = syscall.IFA_F_NODAD
	err = netlink.AddrAdd(link, parsed)
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
		return nil
	}
	return because("give "+addr+" to", name, err)
}

func route(name, destination, gateway string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return because("find", name, err)
	}
	_, to, err := net.ParseCIDR(destination)
	if err != nil {
		return because("route "+destination+" to", name, err)
	}
	via, _, err := net.ParseCIDR(gateway)
	if err == nil {
		err = netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Gw: via})
	}
	return because("route "+destination+" to", name, err)
}

func because(what, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot %s %s: %w", what, name, err)
}

// hasIPv6 reports whether the service can be reached over IPv6.
func hasIPv6() bool {
	conn, err := net.DialTimeout("tcp", imdsEndpoint6, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
