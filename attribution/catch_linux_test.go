package attribution

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openCatching opens a Resolver that has nothing but the catcher.
func openCatching(t *testing.T) (*resolver, *catcher) {
	t.Helper()
	p := proc{root: "/proc", boot: bootTime}
	sockets, err := openSockDiag(&search{facts: newFacts(p, "/etc/passwd"), now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCatcher(p, sockets, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newExactResolver(c, nil, nil)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := sockets.close(); err != nil {
			t.Error(err)
		}
	})
	return r, c
}

func TestCatcherFindsTheProcess(t *testing.T) {
	v4, v6 := listen(t, "127.0.0.1:0"), listen(t, "[::1]:0")
	for _, test := range []struct{ name, mode, address string }{
		{"IPv4", "connect", v4},
		{"IPv6", "connect", v6},
		{"IPv4 of an IPv6 socket", "mapped", v4},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := openCatching(t)
			c := startChild(t, test.mode, test.address, "", "an argument")
			a := ask(r, c.tuple(t))
			if a.Status != Resolved || a.Method != SockDiag || len(a.Candidates) > 0 {
				t.Fatalf("%s by %s, candidates %v", a.Status, a.Method, a.Candidates)
			}
			checkChild(t, c, a.Process)
		})
	}
}

// A process that ended after it was caught is known all the same.
func TestCatcherKnowsTheDead(t *testing.T) {
	r, c := openCatching(t)
	child := startChild(t, "connect", listen(t, "127.0.0.1:0"), "", "an argument")
	tuple := child.tuple(t)
	c.learnt(t, child.Process.Pid)
	q := query{tuple: tuple, at: time.Now()}
	if !c.expects(&q) {
		t.Fatal("not caught")
	}
	child.stdin.Close()
	child.Wait()
	known := make(chan Answer, 1)
	defer c.watch(q, func(a Answer) { known <- a })()
	a := <-known
	if a.Status != Resolved || a.Process.PID != child.Process.Pid || !slices.Equal(a.Process.Args, child.Args) {
		t.Errorf("%s: %+v", a.Status, a.Process)
	}
	if len(a.Process.Ancestors) == 0 || a.Process.User == nil {
		t.Errorf("ancestors %v, user %v", a.Process.Ancestors, a.Process.User)
	}
	_ = r
}

// learnt waits until it is known what the process runs.
func (c *catcher) learnt(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if p := c.youngster(pid); p.exec != 0 && p.learnt {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("what %d runs is never read", pid)
		}
		_, _ = unix.Poll(nil, 1)
	}
}

// Where it is not sure who opened the connection, others are to look.
func TestCatcherLeavesItToOthers(t *testing.T) {
	r, c := openCatching(t)
	address := listen(t, "127.0.0.1:0")
	before := time.Now()
	shared := startChild(t, "inherit", address)
	if _, err := strconv.Atoi(shared.line(t)); err != nil {
		t.Fatal(err)
	}
	tuple := shared.tuple(t)
	for name, q := range map[string]query{
		"an heir":                     {tuple: tuple, at: time.Now()},
		"a process that came later":   {tuple: startChild(t, "connect", address).tuple(t), at: before},
		"nobody's connection":         {tuple: Tuple{Local: tuple.Remote, Remote: tuple.Local}, at: time.Now()},
		"a socket of an elder's":      {tuple: elder(t, address), at: time.Now()},
		"a socket of no such address": {tuple: Tuple{Local: netip.MustParseAddrPort("203.0.113.9:9"), Remote: tuple.Remote}, at: time.Now()},
	} {
		if c.expects(&q) {
			t.Errorf("%s: %+v", name, q.caught)
		}
	}
	if a := ask(r, tuple); a.Process != nil {
		t.Errorf("%+v", a)
	}
}

// elder is a connection of this test itself, which is older than the events.
func elder(t *testing.T, address string) Tuple {
	t.Helper()
	fd, err := connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return tupleOf(t, fd)
}

// With sock_diag alone the connector's events are used, and said to be.
func TestOpenWithoutTracepoint(t *testing.T) {
	r, err := Open(Options{Ways: []Method{SockDiag}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if m := r.Methods(); !slices.Equal(m, []Method{SockDiag}) || len(r.Limits()) != 0 {
		t.Errorf("methods %v, limits %q", m, r.Limits())
	}
	catches, ok := r.(*resolver).witness.(*catcher)
	if !ok {
		t.Fatal("nothing catches processes")
	}
	address := listen(t, "127.0.0.1:0")
	eventually(t, "a process is looked at before it opens its socket, or it may have inherited that", func() bool {
		c := startChild(t, "connect", address)
		catches.learnt(t, c.Process.Pid) // or it may be an heir: its birth is not known yet
		a := ask(r, c.tuple(t))
		if a.Method != SockDiag {
			t.Errorf("%s by %s", a.Status, a.Method)
		}
		checkChild(t, c, a.Process)
		return a.Status == Resolved
	})
}

// Events that were lost put an end to what was known.
func TestCatcherLosesEvents(t *testing.T) {
	_, c := openCatching(t)
	child := startChild(t, "connect", listen(t, "127.0.0.1:0"))
	tuple := child.tuple(t)
	c.learnt(t, child.Process.Pid)
	c.note(traceEvent{kind: blindEvent, at: monotonic(), until: monotonic()})
	if q := (query{tuple: tuple, at: time.Now()}); c.expects(&q) {
		t.Errorf("%+v", q.caught)
	}
	if _, all := c.after(toMonotonic(time.Now().Add(-time.Second))); all {
		t.Error("all births pass for known")
	}
}

// What is known of a process is what is so when it is asked, whether the reader has read it or not.
func TestCatcherKnowsBirths(t *testing.T) {
	c := &catcher{tracepoint: &tracepoint{}, events: dial(t), young: young{from: monotonic()}}
	defer c.events.close()
	before := monotonic()
	child := startChild(t, "connect", listen(t, "127.0.0.1:0"))
	child.tuple(t)
	if b := c.birth(child.Process.Pid); b.since < before || b.exec < b.since || b.parent != unix.Getpid() {
		t.Errorf("%+v", b)
	}
}

// Among the events that were lost may be the first program in a network namespace: all are
// looked at again.
func TestCatcherMissesNamespaces(t *testing.T) {
	f := newFollowing(t)
	f.active.Store(true)
	c := &catcher{tracepoint: &tracepoint{networks: f}, events: dial(t)}
	defer c.events.close()
	if c.drain(); len(f.missed) > 0 {
		t.Error("events are missed that were not lost")
	}
	if err := unix.SetsockoptInt(c.events.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		t.Fatal(err)
	}
	address := listen(t, "127.0.0.1:0")
	eventually(t, "a loss is told", func() bool {
		startChild(t, "connect", address).tuple(t)
		c.drain()
		return c.losses.Load() > 0
	})
	if len(f.missed) == 0 {
		t.Error("namespaces are not looked at again")
	}
}

// What a look finds that takes its time, as where all processors are busy, is no less
// certain for that.
func TestCatcherTakesItsTime(t *testing.T) {
	_, c := openCatching(t)
	end := c.beginLook(&query{})
	caught := monotonic()
	eventually(t, "the reader goes on until the look", func() bool {
		c.ring()
		_, _ = unix.Poll(nil, 1)
		return monotonic()-caught > 10*int64(holdBack) && c.hasRead().After(toWall(caught-2*int64(holdBack)))
	})
	found, pid := tuple("10.0.0.1:1", "10.0.0.2:80"), unix.Getpid()
	c.report(traceEvent{kind: connectEvent, at: caught, pid: pid}, found)
	end()
	known := make(chan Answer, 1)
	defer c.await(found, caught, func(a Answer) { known <- a })()
	select {
	case a := <-known:
		if pidOf(a.Process) != pid {
			t.Errorf("%+v", a)
		}
	case <-time.After(patience):
		t.Error("it is forgotten")
	}
}
