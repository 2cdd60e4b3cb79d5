package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// load is what a row of a table is about.
type load struct {
	kind  kind
	rate  int // calls a second
	calls int
	args  []string // of the program, beside what all have
	// during is done while the calls are made, in a goroutine; may be nil.
	during func(context.Context, *site, *program) error
}

// eachCall has the program write an entry for each call.
var eachCall = []string{"--max-entry-rate", "0"}

// measured is what came of it.
type measured struct {
	*verdict
	calls    map[string]access
	seconds  float64 // that the clients took
	behind   float64 // seconds from their end to the log's last line
	cpu      float64 // seconds, until then
	rss      int64   // bytes, then
	peak     int64   // bytes
	logBytes int64
}

// rate is how many calls a second were made.
func (m *measured) rate() float64 { return float64(m.made) / m.seconds }

// short says whether the machine could not make what was asked.
func (m *measured) short(rate int) bool { return isShort(m.rate(), rate) }

// slow is that as a fault, of a row that says what happens at the rate.
func (m *measured) slow(rate int) (all faults) {
	all.add(m.short(rate), "%.0f calls a second were made, of %d: nothing is shown", m.rate(), rate)
	return all
}

// measure makes a site, has the program watch it, and makes the calls.
func (p *plan) measure(ctx context.Context, l load) (m *measured, err error) {
	s, err := openSite()
	if err != nil {
		return nil, err
	}
	defer s.close()
	program, err := s.startProgram(ctx, p.binary, "log", l.args...)
	if err != nil {
		return nil, err
	}
	defer program.kill()
	if m, err = p.makeCalls(ctx, s, program, l); err != nil {
		return nil, err
	}
	if m.calls, err = s.calls(l.kind); err != nil {
		return nil, err
	}
	if m.verdict, err = program.finish(m.calls); err != nil {
		return nil, err
	}
	info, err := os.Stat(program.log)
	if err != nil {
		return nil, err
	}
	m.logBytes = info.Size()
	return m, nil
}

func (p *plan) makeCalls(ctx context.Context, s *site, program *program, l load) (*measured, error) {
	before, err := program.usage()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	during := make(chan error, 1)
	go func() {
		if l.during == nil {
			during <- nil
			return
		}
		during <- l.during(ctx, s, program)
	}()
	began := time.Now()
	err = s.call(ctx, p.client, l.kind, l.rate, l.calls)
	ended := time.Now()
	if err != nil {
		cancel() // what is done meanwhile may wait for calls
	}
	if err := errors.Join(err, <-during); err != nil {
		return nil, fmt.Errorf("%s at %d/s: %w", l.kind.name, l.rate, err)
	}
	last, err := program.awaitQuiet(ctx)
	if err != nil {
		return nil, err
	}
	after, err := program.usage()
	if err != nil {
		return nil, err
	}
	return &measured{
		seconds: ended.Sub(began).Seconds(),
		behind:  max(0, last.Sub(ended).Seconds()),
		cpu:     (after.CPU - before.CPU).Seconds(),
		rss:     after.RSS, peak: after.Peak,
	}, nil
}
