package main

import (
	"fmt"
	"io"
	"syscall"
	"time"
)

// stallRate is ten times what EC2 lets an instance make of short calls: 1,024 packets
// a second to all link-local services, and 10 packets a call (EC2 user guide).
const stallRate = 1000

// stalls are how long the program does not run. 300 ms is the bar.
func stalls() []time.Duration {
	return []time.Duration{0, 300 * time.Millisecond, 600 * time.Millisecond, time.Second, 3 * time.Second, 6 * time.Second}
}

// measureStalls stops the program for a while in the middle of the calls.
func (p *plan) measureStalls(out io.Writer) (broken int, err error) {
	printHead(out, "clients", "stopped for", "calls", "in the log", "right process", "doubted", "none", "unknown", "kernel drops", "evicted", "events lost", "without packets", "exit status")
	for _, k := range p.kinds {
		for _, stall := range stalls() {
			seconds := p.seconds + int(stall.Seconds())
			m, err := p.measure(load{kind: k, rate: stallRate, calls: stallRate * seconds, args: eachCall, during: stopFor(stall)})
			if err != nil {
				return broken, err
			}
			c := m.counts
			printRow(out, "`"+k.name+"`", stall.String(), count(m.made), count(m.logged), count(m.right), count(m.doubted), count(m.none), count(m.unknown),
				count(c.Dropped), count(c.Evicted), count(c.EventsLost), count(c.WithoutPackets), fmt.Sprint(m.exit))
			broken += printBroken(out, m.verdict)
		}
	}
	return broken, nil
}

// stopFor has the program stand still for a time, after two seconds of calls.
func stopFor(stall time.Duration) func(*program) error {
	if stall == 0 {
		return nil
	}
	return func(p *program) error {
		time.Sleep(2 * time.Second)
		if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		time.Sleep(stall)
		return p.Process.Signal(syscall.SIGCONT)
	}
}
