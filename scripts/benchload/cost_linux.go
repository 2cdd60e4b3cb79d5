package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"imds-analyzer/scripts/testbed"
)

// measureCost tells the program's CPU and memory by the rate of calls, with its default
// settings.
func (p *plan) measureCost(ctx context.Context, out io.Writer) (failed int, err error) {
	printHead(out, "clients", "calls/s", "CPU, % of one", "CPU a call, ms", "RSS, MiB", "peak RSS, MiB", "right process", "log, KiB/s")
	seconds := 2 * p.seconds
	if failed, err = p.measureQuiet(ctx, out, time.Duration(seconds)*time.Second); err != nil {
		return failed, err
	}
	for _, name := range []string{"get", "agent", "keep-alive"} {
		k, _ := kindNamed(name)
		for _, rate := range []int{10, 100, 1000} {
			m, err := p.measure(ctx, load{kind: k, rate: rate, calls: rate * seconds})
			if err != nil {
				return failed, err
			}
			printRow(out, "`"+name+"`", count(rate), fmt.Sprintf("%.2f", 100*m.cpu/m.seconds), fmt.Sprintf("%.3f", 1000*m.cpu/float64(m.made)),
				mebibytes(m.rss), mebibytes(m.peak), fmt.Sprintf("%s of %s with a line", count(m.right), count(m.right+m.doubted+m.none+m.wrong)), fmt.Sprintf("%.1f", float64(m.logBytes)/1024/m.seconds))
			failed += printFaults(out, m.broken(), m.slow(rate), m.losses())
		}
	}
	return failed, nil
}

// measureQuiet prints the row without calls.
func (p *plan) measureQuiet(ctx context.Context, out io.Writer, d time.Duration) (failed int, err error) {
	s, err := openSite()
	if err != nil {
		return 0, err
	}
	defer s.close()
	program, err := s.startProgram(ctx, p.binary, "log")
	if err != nil {
		return 0, err
	}
	defer program.kill()
	before, after, err := program.used(ctx, d)
	if err != nil {
		return 0, err
	}
	printRow(out, "none", "0", fmt.Sprintf("%.2f", percentOf(before, after)), "", mebibytes(after.RSS), mebibytes(after.Peak), "", "0")
	v, err := program.finish(nil)
	if err != nil {
		return 0, err
	}
	return printFaults(out, v.broken(), v.losses()), nil
}

// used is what the program has used before such a time and after it, a start not counted.
func (p *program) used(ctx context.Context, d time.Duration) (before, after testbed.Usage, err error) {
	if err = pause(ctx, quietFor); err != nil {
		return before, after, err
	}
	if before, err = p.usage(); err != nil {
		return before, after, err
	}
	if err = pause(ctx, d); err != nil {
		return before, after, err
	}
	after, err = p.usage()
	return before, after, err
}

func percentOf(a, b testbed.Usage) float64 {
	return 100 * (b.CPU - a.CPU).Seconds() / b.At.Sub(a.At).Seconds()
}
