package main

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// tunnel is an interface behind which there is only the attacker: each IP packet that
// is written to it comes in as from the network, whatever is in it, and those for the
// addresses behind it can be read.
type tunnel struct{ *os.File }

func openTunnel(name string) (*tunnel, error) {
	file, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (is the kernel's tun module there?)", err)
	}
	var request struct { // struct ifreq, netdevice(7)
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], name)
	request.flags = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, failed := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), unix.TUNSETIFF, uintptr(unsafe.Pointer(&request))); failed != 0 {
		file.Close()
		return nil, fmt.Errorf("make the interface %s: %w", name, failed)
	}
	if err := routeTo(name, tunnelRange, tunnel6Range); err != nil {
		file.Close()
		return nil, err
	}
	return &tunnel{file}, nil
}

func routeTo(name string, ranges ...string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return err
	}
	for _, addresses := range ranges {
		_, to, err := net.ParseCIDR(addresses)
		if err != nil {
			return err
		}
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: to}); err != nil {
			return fmt.Errorf("route %s to %s: %w", addresses, name, err)
		}
	}
	return nil
}

// discard reads what the service answers, so that it does not stand in the way.
func (t *tunnel) discard() {
	buffer := make([]byte, 64<<10)
	for {
		if _, err := t.Read(buffer); err != nil {
			return
		}
	}
}
