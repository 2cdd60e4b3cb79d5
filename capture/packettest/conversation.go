// Package packettest builds packets and whole TCP conversations for tests:
// what a capture would hold, byte for byte, from a few lines of test code.
package packettest

import (
	"net/netip"
	"time"

	"imds-analyzer/capture"
)

// The ends and the start of a conversation unless a test says otherwise.
var (
	Client   = netip.MustParseAddrPort("10.0.0.7:40000")
	Service  = netip.MustParseAddrPort("169.254.169.254:80")
	Client6  = netip.MustParseAddrPort("[fd00:1::7]:40000")
	Service6 = netip.MustParseAddrPort("[fd00:ec2::254]:80")
	Start    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// Conversation is a TCP connection between a client and a service that both
// follow the rules; what was captured of it is its Trace. Its fields may be
// set before the first method is called.
type Conversation struct {
	ClientAddr, ServiceAddr netip.AddrPort
	// ClientISN and ServerISN are the initial sequence numbers.
	ClientISN, ServerISN uint32
	// Now is the time of the next segment; each takes Step.
	Now  time.Time
	Step time.Duration
	// Link is where it is captured.
	Link Link
	// SegmentSize is the most payload in a segment, in bytes.
	SegmentSize int
	// Quiet sends no segments that only acknowledge.
	Quiet bool
	// Lossy is set once a segment was lost.
	Lossy bool

	trace          Trace
	client, server end
}

// end is the state of one side.
type end struct {
	sent uint32 // the next sequence number (SND.NXT, RFC 9293, section 3.3.1)
	got  uint32 // the next one expected (RCV.NXT)
	id   uint16 // the next IPv4 identification
}

// New returns a conversation on Ethernet over IPv4 in steps of a millisecond.
func New() *Conversation {
	return &Conversation{
		ClientAddr: Client, ServiceAddr: Service,
		ClientISN: 0x1a2b3c4d, ServerISN: 0x7e57ab1e,
		Now: Start, Step: time.Millisecond,
		Link: Ethernet(), SegmentSize: 1448,
	}
}

// New6 is New over IPv6.
func New6() *Conversation {
	c := New()
	c.ClientAddr, c.ServiceAddr = Client6, Service6
	return c
}

// From returns a conversation as New does from another client, whose initial
// sequence numbers are its own.
func From(client string) *Conversation {
	c := New()
	c.ClientAddr = netip.MustParseAddrPort(client)
	c.ClientISN += uint32(c.ClientAddr.Port()) * 7919
	c.ServerISN += uint32(c.ClientAddr.Port()) * 104729
	return c
}

// Open is the handshake (RFC 9293, section 3.5).
func (c *Conversation) Open() {
	c.begin()
	c.emit(true, SYN, nil)
	c.client.sent++
	c.server.got = c.client.sent
	c.emit(false, SYN|ACK, nil)
	c.server.sent++
	c.client.got = c.server.sent
	c.emit(true, ACK, nil)
}

// Opened makes the connection open without a handshake in the capture.
func (c *Conversation) Opened() {
	c.begin()
	c.client.sent++
	c.server.sent++
	c.server.got, c.client.got = c.client.sent, c.server.sent
}

func (c *Conversation) begin() {
	c.client = end{sent: c.ClientISN, id: firstID(c.ClientAddr)}
	c.server = end{sent: c.ServerISN, id: firstID(c.ServiceAddr) + 0x2000}
}

// firstID differs between ends that differ.
func firstID(end netip.AddrPort) uint16 {
	address := end.Addr().AsSlice()
	return end.Port()*31 + uint16(address[len(address)-1])*257
}

// Client sends texts from the client, each in segments of its own, and lets
// the service acknowledge the last.
func (c *Conversation) Client(texts ...string) { c.say(true, true, texts) }

// Server sends texts from the service, as Client does.
func (c *Conversation) Server(texts ...string) { c.say(false, true, texts) }

// ServerInVain sends a text from the service that the capture sees and the client
// does not get. Later ones are not got either.
func (c *Conversation) ServerInVain(text string) {
	c.emit(false, PSH|ACK, []byte(text))
	c.server.sent += uint32(len(text))
}

// LoseClient sends from the client what the service gets and the capture misses.
func (c *Conversation) LoseClient(texts ...string) { c.say(true, false, texts) }

// LoseServer sends from the service what the client gets and the capture misses.
func (c *Conversation) LoseServer(texts ...string) { c.say(false, false, texts) }

func (c *Conversation) say(fromClient, captured bool, texts []string) {
	from, to := c.ends(fromClient)
	for _, text := range texts {
		for len(text) > 0 {
			n := min(len(text), c.SegmentSize)
			if captured {
				c.emit(fromClient, PSH|ACK, []byte(text[:n]))
			}
			from.sent += uint32(n)
			text = text[n:]
		}
	}
	c.Lossy = c.Lossy || !captured
	to.got = from.sent
	if !c.Quiet {
		c.emit(!fromClient, ACK, nil)
	}
}

// Close is a close by the client, answered by the service's (RFC 9293,
// section 3.6).
func (c *Conversation) Close() { c.close(true) }

// CloseByServer is Close begun by the service.
func (c *Conversation) CloseByServer() { c.close(false) }

func (c *Conversation) close(fromClient bool) {
	c.Finish(fromClient)
	c.Finish(!fromClient)
	c.emit(fromClient, ACK, nil)
}

// Finish closes one direction.
func (c *Conversation) Finish(fromClient bool) {
	from, to := c.ends(fromClient)
	c.emit(fromClient, FIN|ACK, nil)
	from.sent++
	to.got = from.sent
}

// Reset is one side's reset (RFC 9293, section 3.5.2).
func (c *Conversation) Reset(fromClient bool) { c.emit(fromClient, RST|ACK, nil) }

// Stray records a segment as it would be sent now, changed by edit, that has
// no part in the conversation.
func (c *Conversation) Stray(fromClient bool, edit func(*Segment)) {
	s := c.segment(fromClient, ACK, nil)
	edit(&s)
	c.record(s)
}

// Again retransmits the n-th segment with payload that one side sent.
func (c *Conversation) Again(fromClient bool, n int) {
	s := c.trace[c.trace.Data(fromClient)[n]]
	s.Time = c.Now
	c.record(s)
}

// Wait lets time go by.
func (c *Conversation) Wait(d time.Duration) { c.Now = c.Now.Add(d) }

// Trace returns what was captured so far.
func (c *Conversation) Trace() Trace { return c.trace }

// Packets returns what was captured so far.
func (c *Conversation) Packets() []capture.Packet { return c.trace.Packets() }

func (c *Conversation) ends(fromClient bool) (from, to *end) {
	if fromClient {
		return &c.client, &c.server
	}
	return &c.server, &c.client
}

func (c *Conversation) emit(fromClient bool, flags Flags, payload []byte) {
	c.record(c.segment(fromClient, flags, payload))
}

func (c *Conversation) record(s Segment) {
	c.trace = append(c.trace, s)
	c.Now = c.Now.Add(c.Step)
}

func (c *Conversation) segment(fromClient bool, flags Flags, payload []byte) Segment {
	from, _ := c.ends(fromClient)
	src, dst := c.ClientAddr, c.ServiceAddr
	if !fromClient {
		src, dst = dst, src
	}
	from.id++
	s := Segment{
		TCP: TCP{SrcPort: src.Port(), DstPort: dst.Port(), Seq: from.sent, Flags: flags, Window: window(flags),
			Options: c.options(flags), Payload: payload},
		Src: src.Addr(), Dst: dst.Addr(), Time: c.Now, TTL: defaultTTL, ID: from.id,
		Link: c.Link, FromClient: fromClient,
	}
	if flags&ACK != 0 {
		s.Ack = from.got
	}
	return s
}

// window is 64 KiB, which a SYN's window says unscaled and others' in units of
// 2^7 (RFC 7323, section 2.2).
func window(flags Flags) uint16 {
	if flags&SYN != 0 {
		return 64256
	}
	return 64256 >> windowScale
}

const windowScale = 7

// options are what Linux sends.
func (c *Conversation) options(flags Flags) []byte {
	clock := uint32(c.Now.Sub(Start) / time.Millisecond)
	if flags&SYN == 0 {
		return Timestamps(clock, clock)
	}
	options := append(MSS(1460), SACKPermitted()...)
	options = append(options, Timestamps(clock, 0)...)
	return append(options, WindowScale(windowScale)...)
}
