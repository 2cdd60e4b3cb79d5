package attribution

import (
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// A connection that is not seen is missing after ClaimWithin, and not before.
func TestMissingAfterClaimWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tracepoint{tracker: newTracker(true), home: home{name: "net:[1]"}, watchers: make(map[Tuple][]*watcher), claims: testClaims()}
		at := time.Now()
		seen, missed := made(1, service1), made(2, service2)
		for _, h := range []*handshake{seen, missed} {
			h.end = 100
			tp.tracker.handshakes.remember(h)
			tp.mu.Lock()
			tp.tell(h)
			tp.mu.Unlock()
		}
		tp.await(tuple("10.0.0.1:1000", service1), 50, func(Answer) {})
		<-tp.missing()
		if waited := time.Since(at); waited != ClaimWithin {
			t.Errorf("after %v, want %v", waited, ClaimWithin)
		}
		checkWithout(t, tp.withoutPackets(ClaimWithin), 2)
		checkWithout(t, tp.withoutPackets(0))
	})
}

// checkWithout makes sure that the answers are of these processes.
func checkWithout(t *testing.T, answers []Answer, want ...int) {
	t.Helper()
	var got []int
	for _, a := range answers {
		got = append(got, pidOf(a.Process))
	}
	if !slices.Equal(got, want) {
		t.Errorf("processes %v, want %v", got, want)
	}
}

// What was seen is not missing if it is read only later that it was made, and nobody waits
// for that any more: not what had no beginning, either. The next connection of the same
// tuple is another one.
func TestSeenBeforeItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tracepoint{tracker: newTracker(true), home: home{name: "net:[1]"}, watchers: make(map[Tuple][]*watcher), claims: testClaims()}
		tp.await(tuple("10.0.0.1:1000", service1), 50, func(Answer) {})() // its process was found in another way
		tp.claim(tuple("[fd00:1::7]:1000", service2))
		for i, begun := range []struct {
			at      int64
			service string
		}{{0, service1}, {0, service2}, {200_000, service1}, {monotonic() + int64(time.Hour), service2}} {
			h := made(i+1, begun.service)
			h.began, h.end = begun.at, begun.at+100
			tp.tracker.handshakes.remember(h)
			tp.mu.Lock()
			tp.tell(h)
			tp.mu.Unlock()
		}
		<-tp.missing()
		checkWithout(t, tp.withoutPackets(ClaimWithin), 3)
		checkWithout(t, tp.withoutPackets(-2*time.Hour), 4)
	})
}

// Packets are read when their namespace can be gone, and its name that of another one which is
// captured itself: their connection is found, and not missing.
func TestSeenWhenTheNamespaceHasAnHeir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shared = "net:[2]"
		tp := &tracepoint{tracker: newTracker(true), home: home{name: "net:[1]"}, networks: followerOf(),
			watchers: make(map[Tuple][]*watcher), claims: testClaims()}
		h := made(7, service1)
		h.end, h.read = 100, &reading{process: Process{PID: 7}, network: shared}
		tp.tracker.handshakes.remember(h)
		tp.mu.Lock()
		tp.tell(h)
		tp.mu.Unlock()
		tp.networks.put(shared, &followed{inside: &residents{}, since: 101})
		found := make(chan Answer, 1)
		tp.await(h.tuple, 50, func(a Answer) { found <- a })
		if a := <-found; pidOf(a.Process) != 7 {
			t.Errorf("%+v", a)
		}
		checkWithout(t, tp.withoutPackets(-time.Hour))
	})
}

// Connections that come faster than their packets are read are not missing: of
// those that there is no room for it is not known, and they count as lost.
func TestWithoutPacketsOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const beyond = 100
		many := func(i int) *handshake {
			h := made(i, service1)
			h.tuple.Local, h.end = netip.AddrPortFrom(h.tuple.Local.Addr(), uint16(i+1)), 100
			return h
		}
		tp := &tracepoint{tracker: newTracker(true), home: home{name: "net:[1]"}, watchers: make(map[Tuple][]*watcher), claims: testClaims()}
		for i := range maxUnclaimed + beyond {
			h := many(i)
			tp.tracker.handshakes.remember(h)
			tp.mu.Lock()
			tp.tell(h)
			tp.mu.Unlock()
		}
		for range maxHandshakes { // of other services: the connections are not remembered any more
			tp.tracker.handshakes.remember(made(1, "203.0.113.7:80"))
		}
		for i := range maxUnclaimed + beyond {
			tp.await(many(i).tuple, 50, func(Answer) {})() // not waited for
		}
		time.Sleep(2 * ClaimWithin) // of the bubble
		if n := len(tp.withoutPackets(0)); n > 0 || tp.lost() != beyond || len(tp.missing()) > 0 {
			t.Errorf("%d are missing, said %d times; %d lost, want %d", n, len(tp.missing()), tp.lost(), beyond)
		}
	})
}

// openServices opens a Resolver that is told of connections to the services.
func openServices(t *testing.T, services ...string) *resolver {
	t.Helper()
	var o Options
	for _, s := range services {
		o.Services = append(o.Services, netip.MustParseAddrPort(s))
	}
	r, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if m := r.Methods(); !slices.Contains(m, Tracepoint) || r.Missing() == nil {
		t.Fatalf("methods %v, limits %q", m, r.Limits())
	}
	return r.(*resolver)
}

// Told is who made a connection that was not seen, once: not who was refused, and
// not whose connection was seen, from its start or later.
func TestWithoutPackets(t *testing.T) {
	const inside, closed = "198.51.100.23:8023", "127.0.0.1:1" // tcpmux: nobody listens there
	address := listen(t, "127.0.0.1:0")
	r := openServices(t, inside, closed, address)
	if fd, err := connect(closed); err == nil {
		unix.Close(fd)
		t.Fatal("somebody listens")
	}
	seen, late := startChild(t, "connect", address), startChild(t, "connect", address)
	seenInHandshake(t, r, seen.tuple(t))
	tuple := late.tuple(t)
	eventually(t, "the connection is told of", func() bool { return r.isAwaited(tuple) })
	p := r.SeenOpen(tuple, time.Now())
	<-p.Done()
	missed := startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", inside)
	tuple = missed.tuple(t)
	eventually(t, "the connection is told of", func() bool { return r.isAwaited(tuple) })
	checkWithout(t, r.WithoutPackets(time.Hour))
	answers := r.WithoutPackets(0)
	checkWithout(t, answers, missed.Process.Pid)
	if a := answers[0]; a.Status != Resolved || a.Method != Tracepoint {
		t.Errorf("%s by %s", a.Status, a.Method)
	}
	checkChild(t, missed, answers[0].Process)
	checkWithout(t, r.WithoutPackets(0))
}

// isAwaited reports whether a connection is one that has to be seen.
func (r *resolver) isAwaited(tuple Tuple) bool {
	tp := r.witness.(*tracepoint)
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return slices.ContainsFunc(tp.claims.waiting, func(c claim) bool { return c.tuple == tuple })
}

// A socket stays in the network namespace in which it was made: what connects it can have
// gone to another one. Its packets are seen there, and not missing.
func TestSeenWhereTheSocketWasMade(t *testing.T) {
	address := listen(t, "127.0.0.1:0")
	r := openServices(t, address)
	local, done := make(chan unix.Sockaddr), make(chan struct{})
	defer close(done)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(local)
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return
		}
		to := netip.MustParseAddrPort(address)
		if unix.Unshare(unix.CLONE_NEWNET) == nil && unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}) == nil {
			name, _ := unix.Getsockname(fd)
			local <- name
			<-done // it is looked at
		}
		unix.Close(fd)
	}()
	name, ok := (<-local).(*unix.SockaddrInet4)
	if !ok {
		t.Fatal("it does not connect")
	}
	t4 := tuple(netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port)).String(), address)
	eventually(t, "the connection is told of", func() bool { return r.isAwaited(t4) })
	<-r.Seen(t4, toWall(beganOf(t, r, t4))).Done()
	checkWithout(t, r.WithoutPackets(0))
}

// beganOf is when a connection that has to be seen began.
func beganOf(t *testing.T, r *resolver, tuple Tuple) int64 {
	t.Helper()
	tp := r.witness.(*tracepoint)
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for _, c := range tp.claims.waiting {
		if c.tuple == tuple {
			return c.began
		}
	}
	t.Fatal("none waits")
	return 0
}

// That a namespace was of no interest may have been a mistake.
func TestWithoutPacketsAsksAgain(t *testing.T) {
	const inside = "198.51.100.23:8023"
	r, v := openServices(t, inside), newVisits()
	c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "later", inside)
	c.line(t)
	name := realProc().networkNamespace(strconv.Itoa(c.Process.Pid))
	v.refused[name] = true
	r.Follow(v.follow)
	v.await(t, name, 1, 0)
	if _, err := c.stdin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	tuple := c.tuple(t)
	eventually(t, "the connection is told of", func() bool { return r.isAwaited(tuple) })
	checkWithout(t, r.WithoutPackets(0), c.Process.Pid)
	v.await(t, name, 2, 0)
}

// Where the kernel does not tell of all connections, that is not hidden.
func TestMissingIsNotTold(t *testing.T) {
	for _, ways := range [][]Method{{SockDiag, Proc}, {Proc}} {
		r := openFollowing(t, ways)
		if r.Missing() != nil || len(r.WithoutPackets(0)) > 0 {
			t.Errorf("%v: connections without packets are told of", ways)
		}
	}
	if r := NewOffline(); r.Missing() != nil || len(r.WithoutPackets(0)) > 0 {
		t.Error("connections without packets are told of offline")
	}
}
