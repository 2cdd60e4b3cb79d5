package main

import (
	"context"
	"fmt"
	"io"
	"syscall"
	"time"
)

// measureStalls stops the program for a while in the middle of the calls. Where that is no
// longer than the bar nothing may be lost, and each call has its process.
func (p *plan) measureStalls(ctx context.Context, out io.Writer) (failed int, err error) {
	printHead(out, "clients", "stopped for", "made/s", "calls", "in the stall", "in the log", "right process", "doubted", "none", "unknown", "kernel drops", "evicted", "events lost", "without packets", "exit status")
	for _, k := range p.kinds {
		for _, lasts := range stalls() {
			s := newStall(lasts, p.seconds)
			m, err := p.measure(ctx, load{kind: k, rate: stallRate, calls: s.calls(stallRate), args: eachCall, during: s.stop})
			if err != nil {
				return failed, err
			}
			printStall(out, k, s, m)
			failed += printFaults(out, m.broken(), m.slow(stallRate), s.faults(m.calls, stallRate))
			if lasts <= stallBar {
				failed += printFaults(out, m.losses(), m.unnamed())
			}
		}
	}
	return failed, nil
}

func printStall(out io.Writer, k kind, s *stall, m *measured) {
	c := m.counts
	printRow(out, "`"+k.name+"`", s.lasts.String(), fmt.Sprintf("%.0f", m.rate()), count(m.made), count(s.within(m.calls)), count(m.logged), count(m.right), count(m.doubted), count(m.none), count(m.unknown),
		count(c.Dropped), count(c.Evicted), count(c.EventsLost), count(c.WithoutPackets), fmt.Sprint(m.exit))
}

// stop has the program stand still, once calls have been made for long enough.
func (s *stall) stop(ctx context.Context, at *site, p *program) error {
	if err := at.awaitCall(ctx); err != nil {
		return err
	}
	if err := pause(ctx, s.beside); err != nil {
		return err
	}
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	s.stopped = time.Now()
	err := pause(ctx, s.lasts)
	s.continued = time.Now()
	if err != nil {
		return err
	}
	return p.Process.Signal(syscall.SIGCONT)
}
