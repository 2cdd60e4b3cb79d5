//go:build cgo

package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"imds-analyzer/imds"
)

const testService = "169.254.169.254:80"

// newServiceNetwork is a namespace with the service's address in it. The service
// reads a line, answers, and takes what else comes until its client closes.
func newServiceNetwork(t *testing.T) *testNetwork {
	t.Helper()
	n := newTestNetwork(t)
	var server net.Listener
	n.do(t, bringUp("lo"), give("lo", "169.254.169.254/32"), func() (err error) {
		server, err = net.Listen("tcp", testService)
		return err
	})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
	return n
}

func serve(c net.Conn) {
	defer c.Close()
	var request [256]byte
	if _, err := c.Read(request[:]); err != nil {
		return
	}
	_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	_, _ = io.Copy(io.Discard, c)
}

// exchange makes a connection to the service, and returns the client's end of it
// once the service has answered and more was sent.
func (n *testNetwork) exchange(t *testing.T, more int) netip.AddrPort {
	t.Helper()
	var client netip.AddrPort
	n.do(t, func() error {
		c, err := net.Dial("tcp", testService)
		if err != nil {
			return err
		}
		defer c.Close()
		client = c.LocalAddr().(*net.TCPAddr).AddrPort()
		if _, err := c.Write([]byte("GET /latest/ HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			return err
		}
		var answer [256]byte
		if _, err := c.Read(answer[:]); err != nil {
			return err
		}
		_, err = c.Write(bytes.Repeat([]byte("x"), more))
		return err
	})
	return client
}

// open opens a capture in the namespace.
func (n *testNetwork) open(t *testing.T, tap bool) LiveSource {
	t.Helper()
	return n.openWith(t, LiveOptions{SYNTap: tap})
}

func (n *testNetwork) openWith(t *testing.T, options LiveOptions) LiveSource {
	t.Helper()
	options.Interface, options.Endpoints = AnyInterface, imds.DefaultEndpoints()
	var s LiveSource
	n.do(t, func() (err error) {
		s, err = OpenNamespace(options, "net:[7]")
		return err
	})
	t.Cleanup(func() { s.Close() })
	return s
}

// reading reads a source in the background.
type reading struct {
	mu      sync.Mutex
	packets []Packet
	err     error         // guarded by ended
	ended   chan struct{} // closed with the source
}

func read(s Source) *reading {
	r := &reading{ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		for {
			p, err := s.Next()
			if err != nil {
				r.err = err
				return
			}
			p.Data = slices.Clone(p.Data)
			r.mu.Lock()
			r.packets = append(r.packets, *p)
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *reading) count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uint64(len(r.packets))
}

// all waits until there is nothing more to read of what the source has counted,
// closes it, and returns the packets.
func (r *reading) all(t *testing.T, s LiveSource) []Packet {
	t.Helper()
	eventually(t, "all packets are read", func() bool {
		stats, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return r.count() > 0 && r.count() == stats.Received-stats.Dropped
	})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	r.end(t)
	return r.packets
}

// end waits for the end of the source.
func (r *reading) end(t *testing.T) {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		t.Fatal("the source does not end")
	}
	if !errors.Is(r.err, io.EOF) {
		t.Errorf("the source ended with %v", r.err)
	}
}

// called keeps the calls that an Analyzer finds.
type called struct{ calls []imds.Call }

func (c *called) Opened(imds.Conn)     {}
func (c *called) Unanswered(imds.Call) {}
func (c *called) Closed(imds.Conn)     {}

func (c *called) Call(call imds.Call) {
	if call.Response != nil {
		call.Response = new(*call.Response)
	}
	c.calls = append(c.calls, call)
}

func TestNamespace(t *testing.T) {
	n := newServiceNetwork(t)
	s := n.open(t, false)
	if want := Filter(imds.DefaultEndpoints()); s.Filter() != want {
		t.Errorf("filter %q, want %q", s.Filter(), want)
	}
	r := read(s)
	before := time.Now()
	var clients []netip.AddrPort
	for range 5 {
		clients = append(clients, n.exchange(t, 0))
	}
	packets := r.all(t, s)
	checkPlaced(t, packets, before, time.Now())
	h := &called{}
	a := NewAnalyzer(imds.DefaultEndpoints(), OfflineLimits(), h)
	for _, p := range packets {
		a.Packet(&p)
	}
	a.Flush()
	var found []netip.AddrPort
	for _, c := range h.calls {
		found = append(found, c.Conn.Client)
		if c.Request.Version() != imds.V1 || c.Response == nil || c.Response.Status != 200 || c.Conn.Network != "net:[7]" || c.Conn.Interface != "lo" || !c.Conn.Handshake {
			t.Errorf("%+v", c)
		}
	}
	if !slices.Equal(found, clients) {
		t.Errorf("calls by %v, want %v", found, clients)
	}
	if stats := a.Stats(); stats.Segments != uint64(len(packets)) {
		t.Errorf("of %d packets %d are to or from the service", len(packets), stats.Segments)
	}
}

// outOfOrder is how far packets may be that came on two processors: each has its time
// before it is its turn to be put into the ring.
const outOfOrder = time.Millisecond

// checkPlaced makes sure that packets say where and when they come from.
func checkPlaced(t *testing.T, packets []Packet, before, after time.Time) {
	t.Helper()
	for i, p := range packets {
		if p.Network != "net:[7]" || p.Interface != "lo" || p.InterfaceID != 1 {
			t.Errorf("packet %d is from %q, %q, %d", i, p.Network, p.Interface, p.InterfaceID)
		}
		if p.Time.Before(before) || p.Time.After(after) {
			t.Errorf("packet %d at %v, not from %v to %v", i, p.Time, before, after)
		}
		before = p.Time.Add(-outOfOrder)
	}
}

// The tap has the SYNs, each before anything else happens, twice on the loopback
// interface: as they leave and as they arrive.
func TestNamespaceTap(t *testing.T) {
	n := newServiceNetwork(t)
	s := n.open(t, true)
	r := read(s)
	before := time.Now()
	var want, got []netip.AddrPort
	for i := range 3 {
		client := n.exchange(t, 0)
		want = append(want, client, client)
		eventually(t, "the SYN is there", func() bool { return r.count() == uint64(2*i+2) })
	}
	packets := r.all(t, s)
	checkPlaced(t, packets, before, time.Now())
	err := <-TapSYNs(&replay{packets}, imds.DefaultEndpoints(), func(client, service netip.AddrPort, at time.Time) {
		if service.String() != testService || !at.Equal(packets[len(got)].Time) {
			t.Errorf("SYN to %v at %v", service, at)
		}
		got = append(got, client)
	})
	if !errors.Is(err, io.EOF) || !slices.Equal(got, want) {
		t.Errorf("SYNs of %v, %v; want %v", got, err, want)
	}
}

// replay is a Source of packets that are there.
type replay struct{ packets []Packet }

func (r *replay) Next() (*Packet, error) {
	if len(r.packets) == 0 {
		return nil, io.EOF
	}
	p := &r.packets[0]
	r.packets = r.packets[1:]
	return p, nil
}

func (r *replay) Close() error { return nil }

// Without the time that the kernel took a packet in it is now.
func TestReceivedAt(t *testing.T) {
	for _, control := range [][]byte{nil, {1, 2, 3}, make([]byte, 64)} {
		if before, at := time.Now(), receivedAt(control); at.Before(before) || at.After(time.Now()) {
			t.Errorf("% x: %v", control, at)
		}
	}
}

// Close ends a Next that waits.
func TestNamespaceCloseWakes(t *testing.T) {
	for _, tap := range []bool{false, true} {
		t.Run(fmt.Sprintf("tap %v", tap), func(t *testing.T) {
			s := newServiceNetwork(t).open(t, tap)
			r := read(s)
			eventually(t, "Next waits", isWaiting)
			for range 2 { // the second has nothing to do
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			r.end(t)
			if p, err := s.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after the end: %v, %v", p, err)
			}
		})
	}
}

// isWaiting reports whether a goroutine waits for packets, in the runtime's
// poller or in poll(2).
func isWaiting() bool {
	var all [1 << 20]byte
	for stack := range strings.SplitSeq(string(all[:runtime.Stack(all[:], true)]), "\n\n") {
		if strings.Contains(stack, "[IO wait") && strings.Contains(stack, "packetSocket") ||
			strings.Contains(stack, "unix.Poll(") && strings.Contains(stack, "synSocket") {
			return true
		}
	}
	return false
}

// What the kernel has handed over is read after Close too.
func TestNamespaceCloseLosesNothing(t *testing.T) {
	n := newServiceNetwork(t)
	s := n.open(t, false)
	n.exchange(t, 0)
	first, err := s.Next() // there is a block now
	if err != nil {
		t.Fatal(err)
	}
	ring := s.(*ring)
	more := ring.open.left
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	r := read(s)
	r.end(t)
	if first.Time.IsZero() || more == 0 || len(r.packets) < more {
		t.Errorf("%d packets, want at least %d", len(r.packets), more)
	}
}

// What has come is read after Close too by a feed that is begun later, or is behind.
func TestNamespaceCloseLosesNothingOfAFeed(t *testing.T) {
	for _, test := range []struct {
		name  string
		early bool
		begun bool // and has read one packet
	}{
		{"ring, not begun", false, false},
		{"ring, behind", false, true},
		{"early, not begun", true, false},
		{"early, behind", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newServiceNetwork(t)
			s := n.openWith(t, LiveOptions{Early: test.early})
			f := NewFeed()
			held := &heldUp{LiveSource: s, hold: make(chan struct{})}
			if test.begun {
				f.Start()
				f.Add(held)
			} else {
				f.Add(s)
			}
			n.exchange(t, 0)
			eventually(t, "the kernel has handed over all", func() bool {
				quiet := n.isQuiet(t) // first: nothing comes behind what is counted
				stats, err := s.Stats()
				return quiet && err == nil && stats.Received > 0 && handedOver(s, stats.Received) == stats.Received
			})
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			stats, err := s.Stats()
			if err != nil || stats.Received == 0 || stats.Dropped > 0 {
				t.Fatalf("%+v, %v", stats, err)
			}
			if !test.begun {
				f.Start()
			}
			close(held.hold)
			for ended := false; !ended; {
				<-f.Ready()
				ended = f.Take().Ended
			}
			if got := f.Packets(); got != stats.Received {
				t.Errorf("%d packets are read of %d", got, stats.Received)
			}
			eventually(t, "the socket is gone", func() bool { return n.sockets(t) == 0 })
		})
	}
}

// A packet that comes just before its socket is closed, of which a waiting reader has not heard, is
// read, and the end is none that has to be told.
func TestNamespaceCloseWhilePacketComes(t *testing.T) {
	n := newServiceNetwork(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // nobody has a turn between the packet and the end
	service := &unix.SockaddrInet4{Port: 80, Addr: netip.MustParseAddrPort(testService).Addr().As4()}
	for range 20 {
		s := n.openWith(t, LiveOptions{Early: true})
		r := read(s)
		eventually(t, "the reader waits", isWaiting)
		n.do(t, func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			if err := unix.Connect(fd, service); !errors.Is(err, unix.EINPROGRESS) {
				return fmt.Errorf("connect: %w", err)
			}
			return s.Close()
		})
		r.end(t)
		if stats, err := s.Stats(); err != nil || r.count() != stats.Received || stats.Received == 0 {
			t.Fatalf("%d packets are read of %d, %v", r.count(), stats.Received, err)
		}
	}
}

// isQuiet reports whether no connection in the namespace has anything to send any more: those
// that are left listen, or wait (TIME_WAIT; proc_pid_net(5), include/net/tcp_states.h).
func (n *testNetwork) isQuiet(t *testing.T) bool {
	t.Helper()
	return !slices.ContainsFunc(n.table(t, "tcp"), func(line string) bool {
		state := strings.Fields(line)[3]
		return state != "06" && state != "0A"
	})
}

// handedOver is how many of the packets that were received can be read: of a ring those in blocks
// that are not the kernel's any more.
func handedOver(s LiveSource, received uint64) (n uint64) {
	r, ok := s.(*ring)
	if !ok {
		return received
	}
	for start := 0; start < r.size.bytes(); start += r.size.blockBytes {
		block := r.memory[start : start+r.size.blockBytes]
		if status := (*uint32)(unsafe.Pointer(&block[blockStatusAt])); atomic.LoadUint32(status)&unix.TP_STATUS_USER != 0 {
			n += uint64(binary.NativeEndian.Uint32(block[blockCountAt:]))
		}
	}
	return n
}

// heldUp is a source whose reader is held up behind the first packet.
type heldUp struct {
	LiveSource
	hold chan struct{}
	read bool
}

func (h *heldUp) Next() (*Packet, error) {
	if h.read {
		<-h.hold
	}
	h.read = true
	return h.LiveSource.Next()
}

// A ring that is full drops, and says so. Of what is read nothing is missing.
func TestNamespaceDrops(t *testing.T) {
	n := newServiceNetwork(t)
	s := n.open(t, false)
	n.exchange(t, 8*namespaceRing().bytes())
	n.exchange(t, 0)
	var stats LiveStats
	eventually(t, "packets are dropped", func() (dropped bool) { // what was sent last is on its way
		var err error
		if stats, err = s.Stats(); err != nil || stats.Received < stats.Dropped || stats.DroppedByInterface != 0 {
			t.Fatalf("%+v, %v", stats, err)
		}
		return stats.Dropped > 0 && stats.Received > stats.Dropped
	})
	r := read(s)
	packets := r.all(t, s)
	if closed, err := s.Stats(); err != nil || closed.Received < stats.Received || closed.Dropped < stats.Dropped {
		t.Errorf("%+v, %v; before %+v", closed, err, stats)
	}
	longest := 0
	for _, p := range packets {
		longest = max(longest, len(p.Data))
		if len(p.Data) != min(p.Length, cookedHeader+ringLongest) {
			t.Errorf("%d bytes of %d", len(p.Data), p.Length)
		}
	}
	if longest < 32<<10 {
		t.Errorf("the longest packet has %d bytes: they are not taken whole", longest)
	}
}

// sockets is how many packet sockets there are.
func (n *testNetwork) sockets(t *testing.T) int {
	t.Helper()
	return len(n.table(t, "packet"))
}

// table returns the lines of one of the namespace's tables without its title (proc_pid_net(5)).
func (n *testNetwork) table(t *testing.T, name string) []string {
	t.Helper()
	var table []byte
	n.do(t, func() (err error) {
		table, err = os.ReadFile("/proc/thread-self/net/" + name)
		return err
	})
	return strings.Split(strings.TrimSpace(string(table)), "\n")[1:]
}

// A capture that was closed keeps nothing of its namespace, read or not.
func TestNamespaceIsGivenBack(t *testing.T) {
	n := newServiceNetwork(t)
	sockets := func() int { return n.sockets(t) }
	for _, tap := range []bool{false, true} {
		unread, other := n.open(t, tap), n.open(t, tap)
		r := read(other)
		if sockets() != 2 {
			t.Fatalf("%d packet sockets", sockets())
		}
		unread.Close()
		other.Close()
		r.end(t)
		eventually(t, "the sockets are gone", func() bool { return sockets() == 0 })
	}
}

func TestNamespaceWithoutPermission(t *testing.T) {
	n := newServiceNetwork(t)
	n.do(t, func() error { return dropCapability(unix.CAP_NET_RAW) })
	for _, tap := range []bool{false, true} {
		n.do(t, func() error {
			_, err := OpenNamespace(LiveOptions{Interface: AnyInterface, Endpoints: imds.DefaultEndpoints(), SYNTap: tap}, "net:[7]")
			if !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "net:[7]") {
				t.Errorf("tap %v: %v", tap, err)
			}
			return nil
		})
	}
}

// dropCapability takes a capability from the calling thread.
func dropCapability(capability uint) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var held [2]unix.CapUserData
	if err := unix.Capget(&header, &held[0]); err != nil {
		return err
	}
	held[capability/32].Effective &^= 1 << (capability % 32)
	return unix.Capset(&header, &held[0])
}
