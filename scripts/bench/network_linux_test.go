package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// newTestNetwork is there until the test ends.
func newTestNetwork(t *testing.T, top topology) *network {
	t.Helper()
	n, err := newNetwork(top)
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	t.Cleanup(n.close)
	return n
}

// The clients' namespace has what its topology says, and nothing else that
// leads anywhere.
func TestLiveNetwork(t *testing.T) {
	n := newTestNetwork(t, newTopology(direct))
	err := n.in(n.watched, func() error {
		interfaces, err := net.Interfaces()
		if err != nil {
			return err
		}
		for _, i := range interfaces {
			if i.Name != "lo" && i.Name != "bench0" {
				t.Errorf("there is an interface %s", i.Name)
			}
		}
		routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
		if err != nil {
			return err
		}
		for _, r := range routes {
			if to := r.Dst.String(); to != serviceAddress+"/32" && to != "192.0.2.0/30" {
				t.Errorf("there is a route to %s", to)
			}
		}
		ports, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
		if fields := strings.Fields(string(ports)); err != nil || len(fields) != 2 || fields[0] != "1024" {
			t.Errorf("the ports are %q, %v", ports, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A topology that cannot be is refused with a word on what is wrong.
func TestLiveNetworkRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*topology)
		want   string
	}{
		"no such address":   {func(d *topology) { d.cables[0][1].addresses = []string{"x"} }, "address x"},
		"no such interface": {func(d *topology) { d.routes[0].plug = "none" }, "route to " + serviceAddress},
		"no such route":     {func(d *topology) { d.routes[0].destination = "x" }, "route to x"},
		"no such namespace": {func(d *topology) { d.routes[0].namespace = "none" }, `no namespace "none"`},
		"no such sysctl":    {func(d *topology) { d.sysctls[0].path = "none" }, "/proc/sys/net/none"},
		"no such bridge":    {func(d *topology) { d.cables[1][0].bridge = "none" }, "bridge none"},
		"no such gateway":   {func(d *topology) { d.routes[1].gateway = "192.0.2.99" }, "route to " + anywhere},
		"a bad name":        {func(d *topology) { d.bridges[0].name = "a/b" }, "bridge a/b"},
		"no such rule":      {func(d *topology) { d.masquerade = `"` }, "nft"},
		"a name too long":   {func(d *topology) { d.cables[0][0].name = strings.Repeat("x", 40) }, "cable xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newTopology(bridged)
			test.change(&d)
			n, err := newNetwork(d)
			if err == nil {
				n.close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("it says %v, not %q", err, test.want)
			}
		})
	}
}

// A bench that cannot be leaves no files behind.
func TestLiveBenchFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	_, err := newBench(&plan{client: "/none"}, t.Output())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "the clients' program") {
		t.Errorf("it says %v", err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
