package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// allAtOnce is a rate that no machine makes: clients do not wait.
const allAtOnce = 1_000_000

// measureBeyond makes calls until something has to be lost: as fast as can be, and with
// the program standing still for longer than the kernel's buffer lasts. The log has to
// say so. The default limit of entries is tried, too: all calls are in the sum.
func (p *plan) measureBeyond(ctx context.Context, out io.Writer) (failed int, err error) {
	printHead(out, "clients", "stopped for", "entries", "made/s", "calls", "in the log", "missing", "unknown", "kernel drops", "evicted", "events lost", "without packets", "behind, s", "exit status", "log, MiB")
	for _, l := range []struct {
		kind  string
		stall time.Duration
		args  []string
		about string
	}{
		{"agent", 0, eachCall, "each"},
		{"keep-alive", 0, eachCall, "each"},
		{"agent", 0, nil, "default"},
		{"keep-alive", 0, nil, "default"},
		{"agent", 10 * time.Second, eachCall, "each"},
		{"keep-alive", 10 * time.Second, eachCall, "each"},
		{"agent", 10 * time.Second, nil, "default"},
	} {
		k, _ := kindNamed(l.kind)
		ask := load{kind: k, rate: allAtOnce, calls: k.utmost() * p.seconds, args: l.args}
		if l.stall > 0 {
			s := newStall(l.stall, p.seconds)
			ask.rate, ask.calls, ask.during = 2*stallRate, s.calls(2*stallRate), s.stop
		}
		m, err := p.measure(ctx, ask)
		if err != nil {
			return failed, err
		}
		c := m.counts
		printRow(out, "`"+k.name+"`", l.stall.String(), l.about, fmt.Sprintf("%.0f", m.rate()), count(m.made), count(m.logged), count(m.made-m.logged), count(m.unknown),
			count(c.Dropped), count(c.Evicted), count(c.EventsLost), count(c.WithoutPackets), fmt.Sprintf("%.2f", m.behind), fmt.Sprint(m.exit), mebibytes(m.logBytes))
		failed += printFaults(out, m.broken())
	}
	return failed, nil
}

// utmost is about how many calls a second two processors make, with the program on them.
func (k kind) utmost() int {
	if k.connections == 0 {
		return 20_000
	}
	return 3000
}
