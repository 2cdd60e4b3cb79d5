package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"imds-analyzer/capture/packettest"
)

// A game is a connection on which one and the same byte has several values, or none for
// some. What the service has made of it is in its log, and has to be in the program's.
type game struct {
	name  string
	clock uint32 // timestamps, from this one on
	onSYN string
	want  string // which copy the service reads by the rules of TCP; one if it is empty
	v2    bool   // and it has a token
	play  func(c *peer) error
}

// The copies.
const one, two = "AAAA", "BBBB"

// wanted is the call that the service reads, as it and the log have to have it.
func (g game) wanted() string {
	return gamePath + cmp.Or(g.want, one) + " " + access{V2: g.v2}.version()
}

const gamePath = "/latest/meta-data/game/"

// The target is the same length in all copies.
const (
	gameBegin = "GET " + gamePath
	gameEnd   = " HTTP/1.1\r\nHost: imds\r\n\r\n"
)

func games() []game {
	const token = " HTTP/1.1\r\nX-aws-ec2-metadata-token: AQAEA==\r\n\r\n"
	text := func(middle string) string { return gameBegin + middle + gameEnd }
	n := len(gameBegin)
	return []game{
		{name: "plain", play: func(c *peer) error { return c.send(text(one)) }},
		{name: "again, in order", want: two, play: func(c *peer) error {
			return steps(c.at(0, gameBegin), c.at(0, text(two)[:n]+two), c.at(n, one), c.at(n+4, gameEnd))
		}},
		{name: "same place behind a hole", play: func(c *peer) error {
			return steps(c.at(n, one+gameEnd), c.at(n, two+gameEnd), c.at(0, gameBegin))
		}},
		{name: "later one covers", want: two, play: func(c *peer) error {
			return steps(c.at(n+1, one[1:]), c.at(n, two+gameEnd), c.at(0, gameBegin))
		}},
		{name: "later one is longer", want: two, play: func(c *peer) error {
			return steps(c.at(n, one), c.at(n, two+gameEnd), c.at(0, gameBegin))
		}},
		{name: "later one begins before", want: two, play: func(c *peer) error {
			return steps(c.at(n+2, one[2:]+gameEnd), c.at(n, two), c.at(0, gameBegin))
		}},
		{name: "later one fills the hole and more", want: two, play: func(c *peer) error {
			return steps(c.at(n, one+gameEnd), c.at(0, gameBegin+two))
		}},
		{name: "without ACK", play: func(c *peer) error {
			return steps(c.inject(0, packettest.TCP{Flags: packettest.PSH, Payload: []byte(text(two))}), c.at(0, text(one)))
		}},
		{name: "old timestamp", clock: 5000, play: func(c *peer) error {
			old := packettest.TCP{Flags: dataFlags, Payload: []byte(two + gameEnd), Options: packettest.Timestamps(1000, 0)}
			return steps(c.at(0, gameBegin), c.inject(n, old), c.at(n, one+gameEnd))
		}},
		{name: "outside the window", play: func(c *peer) error {
			return steps(c.at(4<<20, text(two)), c.at(0, text(one)))
		}},
		{name: "on a SYN", onSYN: text(two), play: func(c *peer) error { return c.send(text(one)) }},
		{name: "SYN inside", play: func(c *peer) error {
			return steps(c.at(0, gameBegin), c.inject(12345, packettest.TCP{Flags: packettest.SYN}), c.at(n, one+gameEnd))
		}},
		{name: "RST outside the window", play: func(c *peer) error {
			return steps(c.at(0, gameBegin), c.inject(1<<30, packettest.TCP{Flags: packettest.RST}), wait(500*time.Millisecond), c.at(n, one+gameEnd))
		}},
		{name: "RST in the window", play: func(c *peer) error {
			return steps(c.at(0, gameBegin), c.inject(n+100, packettest.TCP{Flags: packettest.RST}), wait(500*time.Millisecond), c.at(n, one+gameEnd))
		}},
		{name: "FIN ahead", play: func(c *peer) error {
			return steps(c.at(0, gameBegin), c.inject(n+2000, packettest.TCP{Flags: packettest.FIN | packettest.ACK}), wait(500*time.Millisecond), c.at(n, one+gameEnd))
		}},
		{name: "FIN with data", play: func(c *peer) error {
			return c.inject(0, packettest.TCP{Flags: packettest.FIN | dataFlags, Payload: []byte(text(one))})
		}},
		{name: "a token in the copy", want: two, v2: true, play: func(c *peer) error {
			return steps(c.at(n, one+gameEnd), c.at(n, two+token), c.at(0, gameBegin))
		}},
	}
}

// steps have been made: what each says was done in their order.
func steps(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func wait(d time.Duration) error {
	time.Sleep(d)
	return nil
}

func sequences(ctx context.Context, s *stage) error {
	p, err := openPeers()
	if err != nil {
		return err
	}
	defer p.Close()
	for i, g := range games() {
		c, err := p.dial(gamePlayer(i), g.clock, g.onSYN)
		if err == nil {
			err = c.await(ctx)
		}
		if err == nil {
			err = g.play(c)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		if !c.answered(2 * time.Second) {
			s.note("without answer", 1)
		}
		s.note("games", 1)
	}
	return pause(ctx, time.Second)
}

// gamePlayer tells the games apart.
func gamePlayer(i int) netip.AddrPort { return netip.AddrPortFrom(behindTunnel(7), uint16(30000+i)) }

// checkSequences compares what the service has seen in each game with what was told.
func checkSequences(v *verdict, log []entry) (faults []string) {
	for i, g := range games() {
		from := gamePlayer(i)
		saw, told := seen(v.Log, from), toldOf(log, from)
		if saw != g.wanted() || told != g.wanted() {
			faults = append(faults, fmt.Sprintf("%s: to be %q, the service saw %q, told is %q", g.name, g.wanted(), saw, told))
		}
	}
	return faults
}

func seen(log []access, from netip.AddrPort) string {
	var words []string
	for _, a := range log {
		if a.From == from.String() {
			words = append(words, a.Target+" "+a.version())
		}
	}
	return strings.Join(words, ", ")
}

func toldOf(log []entry, from netip.AddrPort) string {
	var words []string
	for _, e := range log {
		if e.Source.IP == from.Addr().String() && e.Source.Port == int(from.Port()) {
			words = append(words, e.URL.Original+" "+e.IMDS.Version)
		}
	}
	return strings.Join(words, ", ")
}
