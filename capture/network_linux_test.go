package capture

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// testNetwork is a network namespace of the test's own, kept by a thread.
type testNetwork struct {
	jobs chan func()
	file *os.File
}

// newTestNetwork makes one that is there until the test ends. Nothing is up in it.
func newTestNetwork(t *testing.T) *testNetwork {
	t.Helper()
	n := &testNetwork{jobs: make(chan func())}
	entered, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		entered <- n.enter()
		for job := range n.jobs {
			job()
		}
	}()
	t.Cleanup(func() {
		close(n.jobs)
		<-ended
		n.file.Close()
	})
	if err := <-entered; err != nil {
		t.Fatalf("tests of namespaces need root: %v", err)
	}
	return n
}

func (n *testNetwork) enter() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	n.file, err = os.Open("/proc/thread-self/ns/net")
	return err
}

// do runs the jobs in the namespace, up to the first that fails.
func (n *testNetwork) do(t *testing.T, jobs ...func() error) {
	t.Helper()
	result := make(chan error)
	n.jobs <- func() {
		for _, job := range jobs {
			if err := job(); err != nil {
				result <- err
				return
			}
		}
		result <- nil
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// bringUp brings an interface up.
func bringUp(name string) func() error {
	return func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	}
}

// give gives an interface an address.
func give(name, address string) func() error {
	return func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(address)
		if err != nil {
			return err
		}
		a.Flags = unix.IFA_F_NODAD // at once, without asking whether another has it
		return netlink.AddrAdd(link, a)
	}
}

// route leads what is sent to an address to an interface.
func route(address, name string) func() error {
	return func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		to := netlink.NewIPNet(net.IP(netip.MustParseAddr(address).AsSlice()))
		return netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Scope: netlink.SCOPE_LINK})
	}
}

// cable connects two namespaces by a pair of interfaces, which are up then.
func cable(t *testing.T, one *testNetwork, name string, other *testNetwork, otherName string) {
	t.Helper()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	one.do(t, func() error {
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: otherName, PeerNamespace: netlink.NsFd(int(other.file.Fd()))})
	}, bringUp(name))
	other.do(t, bringUp(otherName))
}

// patience is how long is waited for what is sure to come.
const patience = 20 * time.Second

// eventually waits for what others do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		_, _ = unix.Poll(nil, 1)
	}
}
