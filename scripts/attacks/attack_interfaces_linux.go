package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"imds-analyzer/capture/packettest"
)

// ports of the bridge, of which each shows a packet on both its ends.
const ports = 200

// duplicates sends conversations of which no part comes to the service into a bridge
// that does not know where it is, and thus sends them everywhere.
func duplicates(ctx context.Context, s *stage) error {
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "bridge"}}
	if err := errors.Join(netlink.LinkAdd(bridge), netlink.LinkSetUp(bridge)); err != nil {
		return err
	}
	for i := range ports {
		name, peer := fmt.Sprintf("port%d", i), fmt.Sprintf("end%d", i)
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, MasterIndex: bridge.Index}, PeerName: peer}); err != nil {
			return err
		}
		for _, end := range []string{name, peer} {
			link, err := netlink.LinkByName(end)
			if err == nil {
				err = netlink.LinkSetUp(link)
			}
			if err != nil {
				return err
			}
		}
	}
	return s.converse(ctx, "end0")
}

// converse sends 200 conversations out of an interface, 5 packets each.
func (s *stage) converse(ctx context.Context, name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	to := &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index, Halen: 6}
	return pace(ctx, 200, 20, func(i int) error {
		c := packettest.New()
		c.ClientAddr = netip.AddrPortFrom(behindTunnel(9), uint16(10000+i))
		c.ClientISN, c.ServerISN = rand.Uint32(), rand.Uint32()
		c.Open()
		c.Client("GET /latest/meta-data/duplicate HTTP/1.1\r\n\r\n")
		c.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		for _, p := range c.Packets() {
			if err := unix.Sendto(socket, p.Data, 0, to); err != nil {
				return err
			}
		}
		s.note("conversations", 1)
		return nil
	})
}

// checkDuplicates: each conversation is one call, however often it was seen.
func checkDuplicates(v *verdict, _ []entry) []string {
	if v.Counts.DroppedKernel == 0 && v.OthersReported != v.Notes["conversations"] {
		return []string{fmt.Sprintf("%d conversations are told as %d calls", v.Notes["conversations"], v.OthersReported)}
	}
	return nil
}

func namespaces(ctx context.Context, s *stage) error {
	limit := make(chan struct{}, 20)
	var running sync.WaitGroup
	defer running.Wait()
	return pace(ctx, 300, 25, func(int) error {
		limit <- struct{}{}
		running.Go(func() {
			defer func() { <-limit }()
			cmd := exec.Command(self, roleStray)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
			cmd.Stderr = os.Stderr
			if cmd.Run() == nil {
				s.note("namespaces", 1)
			}
		})
		return nil
	})
}

// stray has a way to the service that leads nowhere, and calls.
func stray() error {
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "nowhere"}, PeerName: "end"}
	if err := netlink.LinkAdd(link); err != nil {
		return err
	}
	end, err := netlink.LinkByName("end")
	if err := errors.Join(err, netlink.LinkSetUp(link), netlink.LinkSetUp(end)); err != nil {
		return err
	}
	address, err := netlink.ParseAddr("10.2.0.1/24")
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, address); err != nil {
		return err
	}
	_, everywhere, _ := net.ParseCIDR("169.254.0.0/16")
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link.Index, Dst: everywhere}); err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(service4, "80"), 200*time.Millisecond)
	if err == nil {
		_ = conn.Close()
	}
	return nil // that nobody answers is as it should be
}
