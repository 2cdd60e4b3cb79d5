package capture_test

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// BenchmarkAnalyzer is the time that a client takes that asks for a token and uses it, on one
// connection, from its packets' bytes to the calls.
func BenchmarkAnalyzer(b *testing.B) {
	c := newClients(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		c.next()
	}
	if c.calls != 2*b.N {
		b.Errorf("%d calls of %d clients", c.calls, b.N)
	}
}

// What packets bring is read where it lies, and a connection takes the room of one before:
// where thousands of calls come and go, as many pieces of garbage would be left.
func TestCallsAreReadWithoutAllocations(t *testing.T) {
	const before, measured = 1000, 1000 // tables have grown then
	c := newClients(before + measured + 1)
	for range before {
		c.next()
	}
	n := testing.AllocsPerRun(measured, c.next)
	if want := 2 * (before + measured + 1); c.calls != want {
		t.Fatalf("%d calls, want %d", c.calls, want)
	}
	if n > 0 {
		t.Errorf("%v allocations for a client's two calls", n)
	}
}

// Of clients that come and go one by one nothing is kept beyond the limits, however long that
// goes on.
func TestMemoryStaysAsClientsComeAndGo(t *testing.T) {
	limits := capture.LiveLimits()
	limits.ClosedConnections = 100
	c := &clients{}
	c.analyzer = capture.NewAnalyzer(imds.DefaultEndpoints(), limits, c)
	heap := func(from, to int) uint64 {
		for i := from; i < to; i++ {
			c.packets = append(c.packets[:0], clientPackets(i))
			c.next()
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const all = 12_000
	few := heap(0, all/4)
	many := heap(all/4, all)
	runtime.KeepAlive(c)
	// Whatever were kept of each would take a pointer's eight bytes or more.
	if many > few+2*all {
		t.Errorf("%d bytes of heap after %d clients, %d after %d", few, all/4, many, all)
	}
}

// clients come one after the other, each from another port.
type clients struct {
	analyzer *capture.Analyzer
	packets  [][]capture.Packet // of each to come
	calls    int
}

func newClients(n int) *clients {
	c := &clients{}
	c.analyzer = capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), c)
	for i := range n {
		c.packets = append(c.packets, clientPackets(i))
	}
	return c
}

// clientPackets are those of one connection with a token request and a call. Ports come again
// after some hours, as they do.
func clientPackets(i int) []capture.Packet {
	one := packettest.New()
	one.ClientAddr = netip.AddrPortFrom(packettest.Client.Addr(), uint16(20_000+i%10_000))
	one.ClientISN += uint32(i) * 7919
	one.Now = one.Now.Add(time.Duration(i) * time.Second)
	one.Open()
	one.Client("PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n")
	one.Server("HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 6\r\n\r\ntokens")
	one.Client("GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: 169.254.169.254\r\nX-aws-ec2-metadata-token: tokens\r\n\r\n")
	one.Server("HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 4\r\n\r\ni-07")
	one.Close()
	return one.Packets()
}

// next reads the next client's packets.
func (c *clients) next() {
	for i := range c.packets[0] {
		c.analyzer.Packet(&c.packets[0][i])
	}
	c.packets = c.packets[1:]
}

func (c *clients) Opened(imds.Conn)     {}
func (c *clients) Call(imds.Call)       { c.calls++ }
func (c *clients) Unanswered(imds.Call) {}
func (c *clients) Closed(imds.Conn)     {}
