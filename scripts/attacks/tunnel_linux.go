package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"imds-analyzer/capture/packettest"
)

// tunnel is an interface behind which there is only the attacker: each IP packet that
// is written to it comes in as from the network, whatever is in it, and those for the
// addresses behind it can be read.
type tunnel struct{ *os.File }

func openTunnel(name string) (*tunnel, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w (is the kernel's tun module there?)", err)
	}
	var request struct { // struct ifreq, netdevice(7)
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], name)
	request.flags = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, failed := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&request))); failed != 0 {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make the interface %s: %w", name, failed)
	}
	file := os.NewFile(uintptr(fd), name) // before it has an interface nobody may wait for it
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

// answers reads what the service sends, and hands over its segments.
func (t *tunnel) answers(take func(reply)) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := t.Read(buffer)
		if err != nil {
			return
		}
		if a, ok := parseReply(buffer[:n]); ok {
			take(a)
		}
	}
}

// discard reads what the service sends, so that it does not stand in the way.
func (t *tunnel) discard() { t.answers(func(reply) {}) }

// reply is an IPv4 segment of the service.
type reply struct {
	to       netip.AddrPort
	seq, ack uint32
	flags    packettest.Flags
	length   int
}

func parseReply(data []byte) (a reply, ok bool) {
	const ipHeader, tcpHeader = 20, 20 // the service sends no IP options
	if len(data) < ipHeader+tcpHeader || data[0] != 0x45 || data[9] != packettest.ProtocolTCP {
		return a, false
	}
	tcp := data[ipHeader:]
	a.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(data[16:20])), binary.BigEndian.Uint16(tcp[2:]))
	a.seq, a.ack = binary.BigEndian.Uint32(tcp[4:]), binary.BigEndian.Uint32(tcp[8:])
	a.flags = packettest.Flags(tcp[13])
	a.length = len(tcp) - int(tcp[12]>>4)*4
	return a, true
}
