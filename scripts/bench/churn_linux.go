package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"imds-analyzer/scripts/testbed"
)

const (
	// warmUp is how many containers come and go before the program's holdings
	// are looked at first: it opens some things when it first needs them.
	warmUp = 100
	// churnWithin is for all containers: 1,000 take some 15 s.
	churnWithin = 100 * time.Second
	// settleWithin is for what is left of the last ones.
	settleWithin = 30 * time.Second
	// steadyFor: holdings that stay so long have settled.
	steadyFor = 2 * time.Second
	// hostCalls are made on the host in each round, one in each hostEvery.
	hostCalls = 50
	hostEvery = 10 * time.Millisecond
)

// errKept: the program holds what it should have let go.
var errKept = errors.New("there is more than before")

// churned is what came of many containers.
type churned struct {
	Way        string   `json:"way"`
	Containers int      `json:"containers"`
	Seconds    float64  `json:"seconds"`
	Before     holdings `json:"before"`
	After      holdings `json:"after"`
	Run        *run     `json:"run"`
}

// churns has containers come and go, for each way.
func (b *bench) churns() error {
	var all []*churned
	var failed error
	for _, way := range b.ways {
		c, err := b.churn(way)
		if err != nil && c == nil {
			return err
		}
		failed = errors.Join(failed, err)
		printWay(b.out, way, []run{*c.Run})
		c.Run.printProblems(b.out, b.showWrong)
		fmt.Fprintf(b.out, "%d containers in %.0f s\nbefore  %v\nafter   %v\n", c.Containers, c.Seconds, c.Before, c.After)
		if wrong := c.Run.wrong(); wrong > 0 {
			failed = errors.Join(failed, fmt.Errorf("%w: %d", errWrong, wrong))
		}
		all = append(all, c)
	}
	return errors.Join(failed, b.save(all))
}

// churn has containers come and go while the program watches, and says what that
// keeps of them.
func (b *bench) churn(way string) (c *churned, err error) {
	s, err := b.newSite(newTopology(guests))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	program, err := s.startProgram(way)
	if err != nil {
		return nil, err
	}
	c = &churned{Way: way, Containers: b.containers}
	w := &watch{site: s, pid: program.Process.Pid}
	made, kept := c.measure(w)
	_ = program.awaitLines(1+made.total(), quietWithin)
	if err := errors.Join(w.err, program.stop()); err != nil {
		return nil, err
	}
	c.Run, err = judge(way, made, program.readLog)
	return c, errors.Join(kept, err)
}

// measure makes the calls. Its error says what is kept.
func (c *churned) measure(w *watch) (m made, kept error) {
	m = newChurnMade()
	first := w.holdings()
	w.come(&m, 0, warmUp)
	c.Before = w.settled(func(h holdings) bool { return h.Interfaces <= first.Interfaces })
	c.Before.Interfaces = first.Interfaces
	began := time.Now()
	w.come(&m, warmUp, warmUp+c.Containers)
	c.Seconds = time.Since(began).Seconds()
	c.After = w.settled(func(h holdings) bool { return len(h.more(c.Before)) == 0 })
	if more := c.After.more(c.Before); len(more) > 0 {
		return m, fmt.Errorf("%s: %w: %s", c.Way, errKept, strings.Join(more, "; "))
	}
	return m, nil
}

// The cells of a churn: calls on the host, and from the two kinds of containers.
func newChurnMade() (m made) {
	for _, topology := range []string{direct, bridged, own} {
		m.add(cell{topology, "get", 1, 0}, nil, 1, 0)
	}
	return m
}

// watch looks at a process while containers come and go. After an error it does
// no more.
type watch struct {
	*site
	pid int
	err error
}

// come has the containers from first to before last come and go, one after the
// other, while clients call on the host.
func (w *watch) come(m *made, first, last int) {
	stop, host := make(chan struct{}), make(chan error)
	var calls []client
	go func() {
		var err error
		calls, err = w.callOnHost(stop, len(m.clients))
		host <- err
	}()
	until := time.Now().Add(churnWithin)
	for i := first; i < last && w.err == nil; i++ {
		guest, err := w.guest(i)
		m.clients = append(m.clients, guest...)
		if w.err = err; time.Now().After(until) {
			w.err = fmt.Errorf("only %d containers came and went within %v", i-first, churnWithin)
		}
	}
	close(stop)
	w.err = errors.Join(w.err, <-host)
	m.clients = append(m.clients, calls...)
}

// callOnHost has clients call, numbered from first on, until it is told to stop.
func (w *watch) callOnHost(stop chan struct{}, first int) (calls []client, err error) {
	for {
		some, err := w.call(w.host, 0, launch{atOnce: 1, first: first + len(calls), count: hostCalls, interval: hostEvery})
		calls = append(calls, some...)
		select {
		case <-stop:
			return calls, err
		default:
		}
		if err != nil {
			return calls, err
		}
	}
}

// call has clients of a cell call.
func (s *site) call(place *launcher, cell int, o launch) ([]client, error) {
	o.users, o.within = users, clientsWithin
	o.command = kindNamed("get").command(s.path, base(cell), place.proc, 1)
	said, err := place.run(o)
	if err != nil {
		return nil, err
	}
	return readLaunched(bytes.NewReader(said), client{id: clientID{cell: cell}, args: o.command, executable: s.path, container: place.container.id})
}

// guest makes a container, has a client call in it, and ends it.
func (s *site) guest(i int) (calls []client, err error) {
	t := newGuest(i)
	c := t.containers[0]
	if err := s.network.add(t); err != nil {
		return nil, err
	}
	defer s.network.remove(c.namespace)
	place, err := s.addContainer(s.network.namespaces[c.namespace], c)
	if err == nil {
		calls, err = s.call(place, 1+i%2, launch{atOnce: 1, first: i, count: 1})
	}
	return calls, errors.Join(err, s.endContainers())
}

// settled looks until the holdings are as they should and stay so for a while, or
// there is no more time.
func (w *watch) settled(good func(holdings) bool) (now holdings) {
	until := time.Now().Add(settleWithin)
	for since := time.Now(); w.err == nil && time.Now().Before(until); time.Sleep(pollEvery) {
		last := now
		if now = w.holdings(); !now.equal(last) || !good(now) {
			since = time.Now()
		}
		if time.Since(since) > steadyFor {
			break
		}
	}
	return now
}

func (w *watch) holdings() (h holdings) {
	h, err := holdingsOf(w.pid)
	for _, name := range []string{w.network.watched, w.network.services[0]} {
		err = errors.Join(err, w.network.in(name, func() error {
			links, err := net.Interfaces()
			h.Interfaces += len(links)
			return err
		}))
	}
	w.err = errors.Join(w.err, err)
	return h
}

func holdingsOf(pid int) (h holdings, err error) {
	u, err := testbed.UsageOf(pid)
	if err != nil {
		return h, err
	}
	dir := fmt.Sprintf("/proc/%d/", pid)
	threads, err1 := os.ReadDir(dir + "task")
	files, err2 := os.ReadDir(dir + "fd")
	h = holdings{Threads: len(threads), RSS: u.RSS, Files: make(map[string]int)}
	for _, f := range files {
		// One that was closed meanwhile is none.
		if target, err := os.Readlink(filepath.Join(dir, "fd", f.Name())); err == nil {
			h.Files[fileKind(target)]++
		}
	}
	return h, errors.Join(err1, err2)
}
