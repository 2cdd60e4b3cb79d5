package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"imds-analyzer/capture/packettest"
)

// peers are the attacker's connections: what is in their packets, and in which order
// they come, is the attacker's choice.
type peers struct {
	*tunnel
	mu  sync.Mutex
	all map[netip.AddrPort]*peer
}

func openPeers() (*peers, error) {
	t, err := openTunnel("attacker")
	if err != nil {
		return nil, err
	}
	p := &peers{tunnel: t, all: make(map[netip.AddrPort]*peer)}
	go t.answers(p.take)
	return p, nil
}

// take takes in a segment of the service.
func (p *peers) take(a reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.all[a.to]
	if peer == nil {
		return
	}
	next := a.seq + uint32(a.length)
	if a.flags&(packettest.SYN|packettest.FIN) != 0 {
		next++
	}
	if !peer.open || int32(next-peer.ack) > 0 {
		peer.ack = next
	}
	peer.acked = a.ack
	if a.flags&packettest.SYN != 0 && !peer.open {
		peer.open = true
		close(peer.opened)
	}
	if a.length > 0 {
		select {
		case peer.data <- struct{}{}:
		default:
		}
	}
}

// peer is a connection. seq is the sequence number of the next byte, and is moved on
// by send alone; mu of its peers guards ack, acked and open.
type peer struct {
	*peers
	from       netip.AddrPort
	clock      uint32 // of its timestamps; 0 for none
	seq        uint32
	ack, acked uint32
	onSYN      string
	open       bool
	opened     chan struct{}
	data       chan struct{} // receives when there is an answer
}

// dial begins a connection, with data on the SYN if there is some.
func (p *peers) dial(from netip.AddrPort, clock uint32, onSYN string) (*peer, error) {
	c := &peer{peers: p, from: from, clock: clock, seq: rand.Uint32(), opened: make(chan struct{}), data: make(chan struct{}, 1)}
	p.mu.Lock()
	p.all[from] = c
	p.mu.Unlock()
	c.onSYN = onSYN
	err := c.knock()
	c.seq++
	return c, err
}

// knock sends the SYN.
func (c *peer) knock() error {
	options := append(packettest.MSS(1460), packettest.WindowScale(7)...)
	if c.clock > 0 {
		options = append(options, packettest.Timestamps(c.clock, 0)...)
	}
	return c.inject(0, packettest.TCP{Flags: packettest.SYN, Window: 64240, Options: options, Payload: []byte(c.onSYN)})
}

// knocks is how often a SYN is sent at most.
const knocks = 6

// await waits for the handshake, and ends it.
func (c *peer) await(ctx context.Context) error {
	for range knocks {
		select {
		case <-c.opened:
			return c.inject(0, packettest.TCP{Flags: packettest.ACK})
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		c.seq--
		err := c.knock() // an interface takes a moment to be up
		c.seq++
		if err != nil {
			return err
		}
	}
	return errors.New("the service does not answer a SYN")
}

// inject sends a segment that begins ahead of the next byte by an offset. What is not
// given is as it has to be, and nothing moves on.
func (c *peer) inject(ahead int, t packettest.TCP) error {
	c.mu.Lock()
	t.SrcPort, t.Seq = c.from.Port(), c.seq+uint32(ahead)
	if t.Flags&packettest.ACK != 0 {
		t.Ack = c.ack
	}
	c.mu.Unlock()
	if c.clock > 0 && t.Options == nil {
		t.Options = packettest.Timestamps(c.clock, 0)
	}
	_, err := c.Write(packetOf(c.from.Addr(), t))
	return err
}

// data is a segment's flags.
const dataFlags = packettest.PSH | packettest.ACK

// send sends the next bytes.
func (c *peer) send(text string) error {
	err := c.inject(0, packettest.TCP{Flags: dataFlags, Payload: []byte(text)})
	c.seq += uint32(len(text))
	return err
}

// at sends bytes ahead of the next one by an offset, and does not move on.
func (c *peer) at(ahead int, text string) error {
	return c.inject(ahead, packettest.TCP{Flags: dataFlags, Payload: []byte(text)})
}

// answered waits until the service has sent something.
func (c *peer) answered(d time.Duration) bool {
	select {
	case <-c.data:
		return true
	case <-time.After(d):
		return false
	}
}

// behindTunnel is one of the attacker's addresses.
func behindTunnel(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 128 + byte(i>>16&0x7f), byte(i >> 8), byte(i)})
}

var target4 = netip.MustParseAddr(service4)

// packetOf is an IPv4 packet to the service.
func packetOf(from netip.Addr, t packettest.TCP) []byte {
	if t.DstPort == 0 {
		t.DstPort = 80
	}
	if t.Window == 0 {
		t.Window = 502
	}
	ip := packettest.IPv4{Src: from, Dst: target4, Protocol: packettest.ProtocolTCP, TTL: 64, ID: uint16(rand.Uint32())}
	return ip.Bytes(t.Bytes(from, target4))
}

// fromService is a packet that pretends to be the service's.
func fromService(to netip.AddrPort, payload []byte) []byte {
	t := packettest.TCP{SrcPort: 80, DstPort: to.Port(), Seq: rand.Uint32(), Ack: rand.Uint32(), Flags: dataFlags, Window: 502, Payload: payload}
	ip := packettest.IPv4{Src: target4, Dst: to.Addr(), Protocol: packettest.ProtocolTCP, TTL: 64, ID: uint16(rand.Uint32())}
	return ip.Bytes(t.Bytes(target4, to.Addr()))
}

// quoted is the beginning of a packet, as routers send it back in an ICMP message.
func quoted(from netip.AddrPort) []byte {
	packet := packetOf(from.Addr(), packettest.TCP{SrcPort: from.Port(), Seq: rand.Uint32(), Flags: packettest.ACK})
	binary.BigEndian.PutUint16(packet[10:], 0)
	return packet[:28]
}
