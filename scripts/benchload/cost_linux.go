package main

import (
	"fmt"
	"io"
	"time"

	"imds-analyzer/scripts/testbed"
)

// measureCost tells the program's CPU and memory by the rate of calls, with its default
// settings.
func (p *plan) measureCost(out io.Writer) (broken int, err error) {
	printHead(out, "clients", "calls/s", "CPU, % of one", "CPU a call, ms", "RSS, MiB", "peak RSS, MiB", "right process", "log, KiB/s")
	seconds := 2 * p.seconds
	if err := p.measureQuiet(out, time.Duration(seconds)*time.Second); err != nil {
		return 0, err
	}
	for _, name := range []string{"get", "agent", "keep-alive"} {
		k, _ := kindNamed(name)
		for _, rate := range []int{10, 100, 1000} {
			m, err := p.measure(load{kind: k, rate: rate, calls: rate * seconds})
			if err != nil {
				return broken, err
			}
			printRow(out, "`"+name+"`", count(rate), fmt.Sprintf("%.2f", 100*m.cpu/m.seconds), fmt.Sprintf("%.3f", 1000*m.cpu/float64(m.made)),
				mebibytes(m.rss), mebibytes(m.peak), fmt.Sprintf("%s of %s with a line", count(m.right), count(m.right+m.doubted+m.none+m.wrong)), fmt.Sprintf("%.1f", float64(m.logBytes)/1024/m.seconds))
			broken += printBroken(out, m.verdict)
		}
	}
	return broken, nil
}

// measureQuiet prints the row without calls.
func (p *plan) measureQuiet(out io.Writer, d time.Duration) error {
	s, err := openSite()
	if err != nil {
		return err
	}
	defer s.close()
	program, err := s.startProgram(p.binary, "log")
	if err != nil {
		return err
	}
	defer program.kill()
	time.Sleep(quietFor)
	before, err := program.usage()
	if err != nil {
		return err
	}
	time.Sleep(d)
	after, err := program.usage()
	if err != nil {
		return err
	}
	printRow(out, "none", "0", fmt.Sprintf("%.2f", percentOf(before, after)), "", mebibytes(after.RSS), mebibytes(after.Peak), "", "0")
	return nil
}

func percentOf(a, b testbed.Usage) float64 {
	return 100 * (b.CPU - a.CPU).Seconds() / b.At.Sub(a.At).Seconds()
}
