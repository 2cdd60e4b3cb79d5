package main

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"imds-analyzer/capture/packettest"
)

// networkAttacks are those by whoever can send packets to the service, or past the
// program.
func networkAttacks() []attack {
	return []attack{
		{name: "none", about: "no attack: what the program takes by itself", do: func(ctx context.Context, _ *stage) error { return pause(ctx, 5*time.Second) }},
		{name: "half-open", about: "SYNs of 400,000 connections that are never completed, as fast as they go", do: halfOpen(400_000, 0)},
		{name: "half-open-slow", about: "the same at 1,024 packets a second, which is what EC2 lets through", do: halfOpen(20*1024, 1024)},
	}
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

var (
	target4 = netip.MustParseAddr(service4)
	target6 = netip.MustParseAddr(service6)
)

// behindTunnel is one of the attacker's addresses.
func behindTunnel(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 128 + byte(i>>16&0x7f), byte(i >> 8), byte(i)})
}

// packetOf is an IPv4 packet to the service.
func packetOf(from netip.Addr, t packettest.TCP) []byte {
	if t.DstPort == 0 {
		t.DstPort = 80
	}
	if t.Window == 0 {
		t.Window = 502
	}
	return packettest.IPv4{Src: from, Dst: target4, Protocol: packettest.ProtocolTCP, TTL: 64, ID: uint16(rand.Uint32())}.Bytes(t.Bytes(from, target4))
}

func halfOpen(n, aSecond int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		t, err := openTunnel("attacker")
		if err != nil {
			return err
		}
		defer t.Close()
		go t.discard()
		options := append(packettest.MSS(1460), packettest.WindowScale(7)...)
		return pace(ctx, n, aSecond, func(i int) error {
			s.note("SYNs", 1)
			_, err := t.Write(packetOf(behindTunnel(i/64), packettest.TCP{
				SrcPort: uint16(1024 + i%60000), Seq: rand.Uint32(), Flags: packettest.SYN, Window: 64240, Options: options,
			}))
			return err
		})
	}
}
