package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"imds-analyzer/scripts/testbed"
)

// protocol is one kind of traffic: large segments, and packets that are as small as
// can be, of which each is looked at.
type protocol struct {
	name, unit string
	size       int // of a write
	// each is what a unit of the table is, in bytes.
	each float64
}

func protocols() []protocol {
	return []protocol{{"tcp", "MB/s", 128 << 10, 1e6}, {"udp", "1,000 packets/s", 64, 64e3}}
}

func protocolNamed(name string) (protocol, error) {
	for _, p := range protocols() {
		if p.name == name {
			return p, nil
		}
	}
	return protocol{}, fmt.Errorf("%w: no protocol %q", errUsage, name)
}

// trafficPort is that of the receiver; the metadata service has another one.
const trafficPort = "5001"

// receive takes traffic: the protocol. It says "ready", and when in ends how many bytes
// it got.
func receive(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errUsage
	}
	conn, err := listenFor(args[0], out)
	if err != nil {
		return err
	}
	received := make(chan int64)
	go func() {
		buffer, sum := make([]byte, 256<<10), int64(0)
		for {
			n, err := conn.Read(buffer)
			sum += int64(n)
			if err != nil {
				received <- sum
				return
			}
		}
	}()
	_, _ = io.Copy(io.Discard, in)
	_ = conn.SetReadDeadline(time.Now())
	_, err = fmt.Fprintln(out, <-received)
	return err
}

func listenFor(protocol string, out io.Writer) (net.Conn, error) {
	if protocol == "udp" {
		conn, err := net.ListenPacket("udp4", ":"+trafficPort)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(out, "ready")
		return conn.(net.Conn), nil
	}
	listener, err := net.Listen("tcp4", ":"+trafficPort)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	fmt.Fprintln(out, "ready")
	return listener.Accept()
}

// send makes traffic for so many seconds, as fast as it can: the protocol, the seconds.
// It says how many bytes it sent.
func send(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errUsage
	}
	p, err := protocolNamed(args[0])
	if err != nil {
		return err
	}
	seconds, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	conn, err := net.Dial(p.name+"4", net.JoinHostPort(peerAddress, trafficPort))
	if err != nil {
		return err
	}
	defer conn.Close()
	var sent int64
	buffer := make([]byte, p.size)
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); {
		n, err := conn.Write(buffer)
		sent += int64(n)
		if err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, sent)
	return err
}

// round is what one sender made in some seconds.
type round struct {
	sent, received float64 // in the protocol's unit, a second
	cpu            float64 // of the program, seconds a second
}

// measureTraffic has traffic that is none of the program's business pass by the
// interface beside, in turn with and without the program.
func (p *plan) measureTraffic(ctx context.Context, out io.Writer) (failed int, err error) {
	printHead(out, "traffic", "unit", "without: median (least to most)", "with", "lost, of pairs: median (least to most)", "received: without", "with", "CPU of the program, s/s")
	for _, protocol := range protocols() {
		var without, with []round
		var found faults
		for n := range p.pairs {
			// Whoever is first is last in the next pair.
			for _, watched := range []bool{n%2 == 1, n%2 == 0} {
				r, all, err := p.trafficRound(ctx, protocol, watched)
				if err != nil {
					return failed, err
				}
				found = append(found, all...)
				if watched {
					with = append(with, r)
				} else {
					without = append(without, r)
				}
			}
		}
		printTraffic(out, protocol, without, with)
		failed += printFaults(out, found)
	}
	return failed, nil
}

func printTraffic(out io.Writer, p protocol, without, with []round) {
	sent := func(r round) float64 { return r.sent }
	received := func(r round) float64 { return r.received }
	var lost []float64
	for i := range with {
		lost = append(lost, 100*(1-with[i].sent/without[i].sent))
	}
	cpu := pick(with, func(r round) float64 { return r.cpu })
	printRow(out, p.name, p.unit, spreadOf(pick(without, sent), "%.0f"), spreadOf(pick(with, sent), "%.0f"), spreadOf(lost, "%.1f %%"),
		fmt.Sprintf("%.0f", testbed.Median(pick(without, received))), fmt.Sprintf("%.0f", testbed.Median(pick(with, received))), spreadOf(cpu, "%.3f"))
}

func pick(rounds []round, what func(round) float64) (all []float64) {
	for _, r := range rounds {
		all = append(all, what(r))
	}
	return all
}

// roundSeconds is how long a round takes.
const roundSeconds = 3

func (p *plan) trafficRound(ctx context.Context, t protocol, watched bool) (r round, found faults, err error) {
	s, err := openSite()
	if err != nil {
		return r, nil, err
	}
	defer s.close()
	if watched {
		return s.watchedRound(ctx, p.binary, t)
	}
	if err := pause(ctx, quietFor); err != nil { // as with the program
		return r, nil, err
	}
	r, err = s.pass(ctx, t)
	return r, nil, err
}

// watchedRound has the program see to it: it is to say that there were no calls, and that
// nothing of what is its business was lost.
func (s *site) watchedRound(ctx context.Context, binary string, t protocol) (r round, found faults, err error) {
	program, err := s.startProgram(ctx, binary, "log")
	if err != nil {
		return r, nil, err
	}
	defer program.kill()
	if err := pause(ctx, quietFor); err != nil { // a start is not measured
		return r, nil, err
	}
	before, err := program.usage()
	if err != nil {
		return r, nil, err
	}
	if r, err = s.pass(ctx, t); err != nil {
		return r, nil, err
	}
	after, err := program.usage()
	if err != nil {
		return r, nil, err
	}
	r.cpu = (after.CPU - before.CPU).Seconds() / roundSeconds
	v, err := program.finish(nil)
	if err != nil {
		return r, nil, err
	}
	return r, append(v.broken(), v.losses()...), nil
}

// pass has traffic pass from the host to the peer.
func (s *site) pass(ctx context.Context, t protocol) (r round, err error) {
	var got strings.Builder
	receiver := exec.CommandContext(ctx, self, roleReceive, t.name)
	receiver.Stderr = os.Stderr
	in, err := receiver.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := receiver.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := s.far.Start(receiver); err != nil {
		return r, err
	}
	var ready string
	if _, err := fmt.Fscanln(out, &ready); err != nil {
		return r, err
	}
	sender := exec.CommandContext(ctx, self, roleSend, t.name, strconv.Itoa(roundSeconds))
	sender.Stderr, sender.Stdout = os.Stderr, &got
	err = s.host.Start(sender)
	if err == nil {
		err = sender.Wait()
	}
	_ = in.Close()
	var sent, received int64
	_, err2 := fmt.Fscanln(out, &received)
	_, err3 := fmt.Sscan(got.String(), &sent)
	if err := errors.Join(err, err2, err3, receiver.Wait(), ctx.Err()); err != nil {
		return r, err
	}
	if sent == 0 || received == 0 {
		return r, fmt.Errorf("no %s traffic passed: %d bytes sent, %d received", t.name, sent, received)
	}
	scale := t.each * roundSeconds
	return round{sent: float64(sent) / scale, received: float64(received) / scale}, nil
}
