package main

import (
	"errors"
	"time"

	"imds-analyzer/scripts/testbed"
)

// effort is how long things are measured.
type effort struct {
	idle  time.Duration
	load  time.Duration // of each load
	storm int           // processes
	// settle is for what the program still does about processes that have ended.
	settle time.Duration
}

// fullEffort: 20 s are 2,000 ticks of CPU, so that 0.1 % of a core can be told
// from 0.2 %.
func fullEffort() effort { return effort{20 * time.Second, 10 * time.Second, 50_000, time.Second} }

const (
	manyEvery  = 2 * time.Millisecond // 500 a second
	callsEvery = 5 * time.Millisecond // 200 a second
	stormWidth = 8                    // processes at once
)

// costs measures what the program costs each way.
func (b *bench) costs(e effort) error {
	s, err := b.newSite(newTopology(direct))
	if err != nil {
		return err
	}
	return errors.Join(s.costs(e), s.close())
}

func (s *site) costs(e effort) error {
	var all []cost
	for _, way := range s.ways {
		c, err := s.costOf(way, e)
		if err != nil {
			return err
		}
		c.print(s.out)
		all = append(all, *c)
	}
	return s.save(all)
}

func (s *site) costOf(way string, e effort) (c *cost, err error) {
	program, err := s.startProgram(way)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, program.stop()) }()
	time.Sleep(e.settle)
	m := meter{s.host, e.settle, program.Process.Pid, nil}
	c = &cost{
		Way:        way,
		Idle:       m.idle(e.idle),
		Execs:      m.load("nothing", manyEvery, e.load),
		FewerExecs: m.load("nothing", callsEvery, e.load),
		Calls:      m.load("get", callsEvery, e.load),
		Storm:      m.storm(e.storm),
	}
	return c, m.err
}

// meter measures one process. After an error it measures no more.
type meter struct {
	*launcher
	settle time.Duration
	pid    int
	err    error
}

func (m *meter) idle(duration time.Duration) period {
	begin := m.usage()
	time.Sleep(duration)
	return between(begin, m.usage(), 0)
}

// load has a client of the kind start in each interval.
func (m *meter) load(kind string, interval, duration time.Duration) period {
	return m.during(launch{
		atOnce: 1, count: int(duration / interval), interval: interval,
		command: []string{m.path, kind, base(0), m.proc},
		within:  2*duration + clientsWithin,
	})
}

// storm starts so many processes as fast as it can.
func (m *meter) storm(count int) period {
	return m.during(launch{
		atOnce: stormWidth, count: count,
		command: []string{m.path, "nothing", base(0), m.proc},
		within:  clientsWithin + time.Duration(count)*5*time.Millisecond,
	})
}

// during measures from before the clients until the program is done with them,
// and takes the time that the clients took.
func (m *meter) during(l launch) period {
	if m.err != nil {
		return period{}
	}
	l.users = "0"
	begin := m.usage()
	_, err := m.run(l)
	m.err = errors.Join(m.err, err)
	took := time.Since(begin.At)
	time.Sleep(m.settle)
	end := m.usage()
	end.At = begin.At.Add(took)
	return between(begin, end, l.count)
}

func (m *meter) usage() testbed.Usage {
	u, err := testbed.UsageOf(m.pid)
	m.err = errors.Join(m.err, err)
	return u
}
