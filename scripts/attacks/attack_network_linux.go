package main

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"imds-analyzer/capture/packettest"
)

// networkAttacks are those by whoever can send packets to the service, or past the
// program. Where a number a second is said it is what EC2 lets through to all link-local
// services of an instance; the others are as fast as this machine is.
func networkAttacks() []attack {
	return []attack{
		{name: "none", about: "no attack: what the program takes by itself", do: quiet, atLeast: map[string]uint64{"quiet seconds": 5}},
		{name: "half-open", about: "400,000 SYNs from 100,000 ports, each used again and again, that are never completed", do: halfOpen(400_000, 0), atLeast: map[string]uint64{"SYNs": 100_000}, leastHonest: 0.4},
		{name: "half-open-slow", about: "the same, 20,480 at 1,024 a second", do: halfOpen(20*1024, 1024), atLeast: map[string]uint64{"SYNs": 10_000}},
		{name: "ghosts", about: "15,000 connections, completed, of a caller that no process is behind", do: ghosts, atLeast: map[string]uint64{accepted: 10_000}},
		{name: "port-reuse", about: "connections on few tuples, opened and reset", do: portReuse, atLeast: map[string]uint64{accepted: 4_000}},
		{name: "endless-heads", about: "1,000 heads that never end", do: endlessHeads, atLeast: map[string]uint64{"heads": 900, "lines": 50_000}},
		{name: "slow-heads", about: "15,000 heads of which a byte comes now and then", do: slowHeads, atLeast: map[string]uint64{"heads": 10_000, "bytes late": 5_000}},
		{name: "byte-a-minute", about: "3,000 heads of which a byte comes each minute, for three minutes; only if it is named", do: patientHeads(3000, 3, time.Minute), lasts: 5 * time.Minute,
			atLeast: map[string]uint64{"heads": 3000, "bytes late": 3 * 3000, answered: 3000}, check: allTold},
		{name: "byte-in-ten-minutes", about: "1,000 heads of which a byte comes after longer than any time for which one is waited; only if it is named", do: patientHeads(1000, 2, patience), lasts: 25 * time.Minute,
			atLeast: map[string]uint64{"heads": 1000, "bytes late": 2 * 1000, answered: 1000}},
		{name: "holes", about: "segments behind holes that are never filled, on 2,000 connections", do: holes, atLeast: map[string]uint64{accepted: 1_500, "segments": 90_000}, leastHonest: 0.4},
		{name: "long-targets", about: "requests with targets of 100 KiB, 50 on each of 20 connections", do: longTargets, atLeast: map[string]uint64{answered: 500}},
		{name: "tokens", about: "tokens of 60 KiB, and such as do not end with ==", do: tokens, atLeast: map[string]uint64{answered: 300}},
		{name: "upload", about: "a body that goes up without end, 20 MB/s", do: upload(20 << 20), atLeast: map[string]uint64{"bytes": 100 << 20}},
		{name: "upload-fast", about: "the same at the speed of loopback", do: upload(0), mayLose: true, atLeast: map[string]uint64{"bytes": 1 << 30}, leastHonest: 0.4},
		{name: "download-fast", about: "bodies of 4 GB that come down at the speed of loopback", do: download, mayLose: true, atLeast: map[string]uint64{"bytes": 1 << 30}, leastHonest: 0.4},
		{name: "endless-chunks", about: "chunks of one byte without end, up and down", do: endlessChunks, atLeast: map[string]uint64{"bytes down": 100_000, "chunks up": 100_000}},
		{name: "early-hints", about: "a million interim answers", do: earlyHints, mayLose: true, atLeast: map[string]uint64{"interim answers": 1_000_000}, leastHonest: 0.4},
		{name: "pipelined", about: "10,000 requests at once, on 4 connections", do: pipelined, atLeast: map[string]uint64{answered: 40_000}, leastHonest: 0.4, check: allTold},
		{name: "keep-alive", about: "calls on few connections, 500 a second", do: keepAlive(500), atLeast: map[string]uint64{answered: 8_000}, check: allTold},
		{name: "not-http", about: "HTTP/2, TLS and noise on 20,000 connections", do: notHTTP, atLeast: map[string]uint64{accepted: 10_000}},
		{name: "answers-only", about: "200,000 answers without requests", do: answersOnly, atLeast: map[string]uint64{"answers": 100_000}},
		{name: "icmp", about: "200,000 ICMP messages that quote packets to the service", do: icmp, atLeast: map[string]uint64{"messages": 100_000}},
		{name: "fragments", about: "fragments of 8 bytes, backwards, IPv4 and IPv6", do: fragments, atLeast: map[string]uint64{"fragments": 200_000}, leastHonest: 0.4},
		{name: "injected", about: "SYNs, RSTs, FINs and data with honest clients' addresses and ports", do: injected, atLeast: map[string]uint64{"packets": 80_000}},
		{name: "sequences", about: "overlaps, resets and others that a reader may take for what the service does not", do: sequences, check: checkSequences, atLeast: map[string]uint64{"games": uint64(len(games()))}},
		{name: "duplicates", about: "packets that 200 interfaces show", do: duplicates, check: checkDuplicates, atLeast: map[string]uint64{"conversations": 200}},
		{name: "namespaces", about: "300 network namespaces with a call in each, that come and go", do: namespaces, everywhere: true, atLeast: map[string]uint64{"namespaces": 250}, leastHonest: 0.4},
	}
}

// busy is how many connections a second are opened where each is more than a packet: six
// times as many as EC2 lets through. With three times that many callers are not found in
// time, and the requests for them take more memory.
const busy = 2000

// patience is longer than a connection may be silent for the program, which is ten minutes
// and the longest time that it has.
const patience = 10*time.Minute + 20*time.Second

// quiet is no attack.
func quiet(ctx context.Context, s *stage) error {
	const seconds = 5
	err := pause(ctx, seconds*time.Second)
	if ctx.Err() == nil {
		s.note("quiet seconds", seconds)
	}
	return err
}

// pause waits, but not longer than the attack may last.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return nil
}

// pace has n things a second done until there were all of them; 0 a second is as fast
// as they go.
func pace(ctx context.Context, n, aSecond int, do func(i int) error) error {
	began := time.Now()
	for i := range n {
		if i%64 == 0 && ctx.Err() != nil {
			return nil
		}
		if aSecond > 0 {
			if ahead := time.Duration(i)*time.Second/time.Duration(aSecond) - time.Since(began); ahead > 5*time.Millisecond {
				_ = pause(ctx, ahead)
			}
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// through sends packets through a tunnel, and notes them by what they are.
func (s *stage) through(ctx context.Context, what string, n, aSecond int, packet func(i int) []byte) error {
	t, err := openTunnel("attacker")
	if err != nil {
		return err
	}
	defer t.Close()
	go t.discard()
	return pace(ctx, n, aSecond, func(i int) error {
		_, err := t.Write(packet(i))
		if err == nil {
			s.note(what, 1)
		}
		return err
	})
}

// halfOpenPorts is how many ports of how many addresses half-open connections come from,
// before the first is used again.
const halfOpenPorts = 100_000

func halfOpen(n, aSecond int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		options := append(packettest.MSS(1460), packettest.WindowScale(7)...)
		return s.through(ctx, "SYNs", n, aSecond, func(i int) []byte {
			i %= halfOpenPorts
			return packetOf(behindTunnel(i/64), packettest.TCP{
				SrcPort: uint16(1024 + i%60000), Seq: rand.Uint32(), Flags: packettest.SYN, Window: 64240, Options: options,
			})
		})
	}
}

// honestClient is the address and port of an honest client that may be calling.
func honestClient() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(honestAddr), uint16(firstHonestPort+rand.IntN(honestPorts)))
}

func answersOnly(ctx context.Context, s *stage) error {
	body := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	return s.through(ctx, "answers", 200_000, 20_000, func(i int) []byte {
		to := netip.AddrPortFrom(behindTunnel(i), uint16(1024+i%60000))
		if i%4 == 0 {
			to = honestClient()
		}
		return fromService(to, body)
	})
}

func icmp(ctx context.Context, s *stage) error {
	router := netip.MustParseAddr("10.128.0.1")
	return s.through(ctx, "messages", 200_000, 20_000, func(i int) []byte {
		from := netip.AddrPortFrom(behindTunnel(i), uint16(1024+i%60000))
		if i%2 == 0 {
			from = honestClient()
		}
		return packettest.ICMP(router, target4, packettest.ICMPTimeExceeded, quoted(from))
	})
}

// injected are packets that pretend to be an honest client's. The service's kernel has
// no use for them, as their sequence numbers are wrong.
func injected(ctx context.Context, s *stage) error {
	kinds := []packettest.TCP{
		{Flags: packettest.SYN},
		{Flags: packettest.RST},
		{Flags: packettest.RST | packettest.ACK},
		{Flags: packettest.FIN | packettest.ACK},
		{Flags: dataFlags, Payload: []byte("GET /latest/meta-data/injected HTTP/1.1\r\n\r\n")},
	}
	return s.through(ctx, "packets", 160_000, 20_000, func(i int) []byte {
		from, t := honestClient(), kinds[i%len(kinds)]
		t.SrcPort, t.Seq, t.Ack = from.Port(), rand.Uint32(), rand.Uint32()
		return packetOf(from.Addr(), t)
	})
}

// fragments never make a whole datagram: the first is missing.
func fragments(ctx context.Context, s *stage) error {
	const each, all = 4000, 64
	payload := make([]byte, 8*each+8)
	six := netip.MustParseAddr("fd00:128::1")
	return s.through(ctx, "fragments", each*all, 0, func(i int) []byte {
		offset := 8 * (each - i/all)
		if i%2 == 0 {
			ip := packettest.IPv4{Src: behindTunnel(1), Dst: target4, Protocol: packettest.ProtocolTCP, TTL: 64, ID: uint16(i % all), Offset: offset, More: true}
			return ip.Bytes(payload[offset : offset+8])
		}
		ip := packettest.IPv6{Src: six, Dst: netip.MustParseAddr(service6), Protocol: packettest.ProtocolTCP, HopLimit: 64,
			Extensions: []packettest.Extension{packettest.FragmentHeader(uint32(i%all), offset, true)}}
		return ip.Bytes(payload[offset : offset+8])
	})
}

// connections opens connections of packets, and does something on each.
func connections(ctx context.Context, n, aSecond int, do func(i int, c *peer) error) error {
	p, err := openPeers()
	if err != nil {
		return err
	}
	defer p.Close()
	return pace(ctx, n, aSecond, func(i int) error {
		c, err := p.dial(netip.AddrPortFrom(behindTunnel(i), uint16(1024+i%60000)), 0, "")
		if err != nil {
			return err
		}
		if err := c.await(ctx); err != nil {
			return nil // the kernel has no room for it, or the time is over
		}
		return do(i, c)
	})
}

// ghosts leave the service room for honest clients: a process has 20,000 files on many
// hosts, and what they open stays open.
func ghosts(ctx context.Context, s *stage) error {
	return connections(ctx, 15_000, busy, func(int, *peer) error {
		s.note("connections", 1)
		return nil
	})
}

// holes sends every other byte.
func holes(ctx context.Context, s *stage) error {
	return connections(ctx, 2000, 0, func(_ int, c *peer) error {
		s.note("connections", 1)
		for j := range 60 {
			if err := c.at(2*j+1, "x"); err != nil {
				return err
			}
			s.note("segments", 1)
		}
		return nil
	})
}

func localAddr(i int) *net.TCPAddr { return &net.TCPAddr{IP: net.IPv4(10, 2, byte(i>>8), byte(i))} }
