package main

import (
	"context"
	"fmt"
	"io"
)

// measureRates makes calls of each kind at rising rates, until something was lost, or
// the machine makes no more.
func (p *plan) measureRates(ctx context.Context, out io.Writer) (failed int, err error) {
	printHead(out, "clients", "asked/s", "made/s", "calls", "in the log", "right process", "doubted", "none", "kernel drops", "evicted", "events lost", "behind, s", "CPU s/s", "peak RSS, MiB", "log, MiB")
	for _, k := range p.kinds {
		for _, rate := range p.rates {
			m, err := p.measure(ctx, load{kind: k, rate: rate, calls: rate * p.seconds, args: eachCall})
			if err != nil {
				return failed, err
			}
			printRate(out, k, rate, m)
			failed += printFaults(out, m.broken())
			if m.lost() || m.short(rate) {
				break
			}
		}
	}
	return failed, nil
}

func printRate(out io.Writer, k kind, rate int, m *measured) {
	c := m.counts
	printRow(out, "`"+k.name+"`", count(rate), fmt.Sprintf("%.0f", m.rate()), count(m.made), count(m.logged), count(m.right), count(m.doubted), count(m.none),
		count(c.Dropped), count(c.Evicted), count(c.EventsLost), fmt.Sprintf("%.2f", m.behind), fmt.Sprintf("%.2f", m.cpu/m.seconds), mebibytes(m.peak), mebibytes(m.logBytes))
}
