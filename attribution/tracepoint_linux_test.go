package attribution

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTraced opens a Resolver for connections to a port, and makes sure that it
// has the tracepoint.
func openTraced(t *testing.T, address string) *resolver {
	t.Helper()
	r, err := Open(Options{Services: []netip.AddrPort{netip.MustParseAddrPort(address)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if m := r.Methods(); !slices.Contains(m, Tracepoint) {
		t.Fatalf("methods %v, limits %q", m, r.Limits())
	}
	return r.(*resolver)
}

func TestTracepointFindsTheProcess(t *testing.T) {
	v4, v6 := listen(t, "127.0.0.1:0"), listen(t, "[::1]:0")
	for _, test := range []struct{ name, mode, address string }{
		{"IPv4", "connect", v4},
		{"IPv6", "connect", v6},
		{"IPv4 of an IPv6 socket", "mapped", v4},
		{"socket bound to an interface", "bound", v4},
		{"socket inherited since", "heir", v4},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := openTraced(t, test.address)
			mode := strings.Replace(test.mode, "heir", "inherit", 1)
			c := startChild(t, mode, test.address, "", "an argument")
			if test.mode == "heir" {
				c.line(t)
			}
			a := seenInHandshake(t, r, c.tuple(t))
			if a.Status != Resolved || a.Method != Tracepoint || len(a.Candidates) > 0 {
				t.Fatalf("%s by %s, candidates %v", a.Status, a.Method, a.Candidates)
			}
			checkChild(t, c, a.Process)
		})
	}
}

// seenInHandshake asks as a capture does that saw the first packet: at a time
// when the handshake was under way.
func seenInHandshake(t *testing.T, r *resolver, tuple Tuple) Answer {
	t.Helper()
	trace := r.witness.(*tracepoint)
	tuple = Tuple{Local: unmap(tuple.Local), Remote: unmap(tuple.Remote)}
	var at int64
	for deadline := time.Now().Add(10 * time.Second); at == 0; {
		trace.mu.Lock()
		if list := trace.tracker.handshakes.ended[tuple]; len(list) > 0 {
			at = (list[0].began + list[0].end) / 2
		}
		trace.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("the handshake was not seen")
		}
	}
	p := r.Seen(tuple, toWall(at))
	<-p.Done()
	return p.Answer()
}

// A reader that sleeps, as nothing happens that it is woken for, is asked, and knows soon
// of all until now.
func TestTracepointKnownUntil(t *testing.T) {
	r := openTraced(t, listen(t, "127.0.0.1:0"))
	for n := range 300 { // more often than an eventfd takes what is not read and not 1
		now := time.Now()
		for end := now.Add(30 * time.Second); r.witness.knownUntil().Before(now); time.Sleep(100 * time.Microsecond) {
			if time.Now().After(end) {
				t.Fatalf("asked for the %dth time, it does not know", n+1)
			}
		}
	}
}

// A reader that is stuck in the kernel does not hold up the end of the program.
func TestAStuckReaderIsLeftBehind(t *testing.T) {
	inOwnTime(t, "stuck", func(t *testing.T) {
		wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(wake)
		began := time.Now()
		err = (&tracepoint{wake: wake, epoll: -1, nudge: -1, ended: make(chan struct{})}).close()
		if err == nil || time.Since(began) != endWithin {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if _, err := unix.Read(wake, make([]byte, 8)); err != nil {
			t.Errorf("what the reader reads from is closed, or it was not told to end: %v", err)
		}
	})
}

func TestTracepointOtherNetworkNamespace(t *testing.T) {
	r := openTraced(t, "198.51.100.7:8080")
	c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080")
	a := seenInHandshake(t, r, c.tuple(t))
	if a.Status != Resolved || a.Method != Tracepoint {
		t.Fatalf("%s by %s", a.Status, a.Method)
	}
	checkChild(t, c, a.Process)
}

func TestTracepointPIDNamespace(t *testing.T) {
	address := listen(t, "127.0.0.1:0")
	r := openTraced(t, address)
	c := startChildWith(t, namespaces(unix.CLONE_NEWPID), "connect", address)
	a := seenInHandshake(t, r, c.tuple(t))
	if a.Process == nil || a.Process.PID != c.Process.Pid || a.Process.NamespacePID != 1 {
		t.Errorf("%s: %+v, want pid %d, 1 in its namespace", a.Status, a.Process, c.Process.Pid)
	}
}

// A packet that is no handshake's first is not taken for one: the other ways
// answer.
func TestTracepointOtherTime(t *testing.T) {
	address := listen(t, "127.0.0.1:0")
	r := openTraced(t, address)
	c := startChild(t, "connect", address)
	a := ask(r, c.tuple(t)) // seen now, long after
	if a.Method == Tracepoint || pidOf(a.Process) != c.Process.Pid {
		t.Errorf("%s by %s: %d", a.Status, a.Method, pidOf(a.Process))
	}
}

// Clients that end with their connection, many at once, each asked for once it
// is gone.
func TestTracepointShortLived(t *testing.T) {
	for _, together := range []int{1, 8, 32} {
		t.Run(strconv.Itoa(together), func(t *testing.T) { shortLived(t, together, 96) })
	}
}

func shortLived(t *testing.T, together, clients int) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r := openTraced(t, server.Addr().String())
	peers := make(chan string, clients)
	go acceptAll(server, peers)
	pids, running := make(map[string]int), []*exec.Cmd{}
	for range clients {
		if len(running) == together {
			wait := running[0]
			running = running[1:]
			if err := wait.Wait(); err != nil {
				t.Error(err)
			}
		}
		cmd := startShortLived(t, server.Addr().String())
		running = append(running, cmd)
		pids[strconv.Itoa(cmd.Process.Pid)] = cmd.Process.Pid
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	right, whole := 0, 0
	for range clients {
		local, said, _ := strings.Cut(<-peers, " ")
		a := seenInHandshake(t, r, tuple(local, server.Addr().String()))
		switch pid := pidOf(a.Process); {
		case pid == pids[said]:
			right++
		case pid != 0:
			t.Errorf("%s: pid %d, want %s", local, pid, said)
		}
		switch args := a.Process.Args; {
		case slices.Equal(args, []string{"/proc/self/exe", server.Addr().String()}):
			whole++
		case len(args) > 0:
			t.Errorf("%s: arguments %q", local, args)
		}
	}
	if right < clients*99/100 || whole < clients*95/100 {
		t.Errorf("of %d clients %d were found, and the arguments of %d", clients, right, whole)
	}
}

// acceptAll tells for each connection its address and the pid that its client
// says it has.
func acceptAll(server net.Listener, peers chan<- string) {
	for {
		c, err := server.Accept()
		if err != nil {
			return
		}
		var said [16]byte
		n, _ := c.Read(said[:])
		peers <- c.RemoteAddr().String() + " " + string(said[:n])
		c.Close()
	}
}

func startShortLived(t *testing.T, address string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", address)
	cmd.Env = append(os.Environ(), childMode+"=short", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestTracefsIsFound(t *testing.T) {
	for name, open := range map[string]func() (int, error){"fsmount": detachedTracefs, "mount": hiddenTracefs} {
		fd, err := open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		fs := tracefs{fd}
		if _, err := fs.format("sock/inet_sock_set_state"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := fs.format("sock/none"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a tracepoint that is not there: %v", name, err)
		}
		fs.close()
	}
	if fd, err := mounted(t.TempDir())(); err == nil {
		unix.Close(fd)
		t.Error("any directory passes for a tracefs")
	}
}

// The filters are the kernel's to understand.
func TestFiltersAreRefusedOrSet(t *testing.T) {
	events := []perfEvent{{id: formatOf(t).id, filter: socketFilter([]uint16{80, 8080}), wakes: true}}
	rings, err := openRings(events, eventRings())
	if err != nil {
		t.Fatal(err)
	}
	if err := closeRings(rings); err != nil {
		t.Error(err)
	}
	events[0].filter = "none == 1"
	if _, err := openRings(events, eventRings()); err == nil {
		t.Error("a field that is not there can be filtered by")
	}
}

func formatOf(t *testing.T) traceFormat {
	t.Helper()
	fs, err := openTracefs()
	if err != nil {
		t.Fatal(err)
	}
	defer fs.close()
	f, err := fs.format("sock/inet_sock_set_state")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRingSizes(t *testing.T) {
	for _, test := range []struct{ processors, page, events, stacks int }{
		{1, 4 << 10, 256 << 10, 128 << 10},
		{16, 4 << 10, 256 << 10, 128 << 10},
		{32, 4 << 10, 128 << 10, 128 << 10},
		{64, 4 << 10, 64 << 10, 128 << 10},
		{192, 4 << 10, 16 << 10, 32 << 10},
		{4096, 4 << 10, 16 << 10, 32 << 10},
		{192, 64 << 10, 64 << 10, 64 << 10},
	} {
		events, stacks := eventRings().size(test.processors, test.page), stackRings().size(test.processors, test.page)
		if events != test.events || stacks != test.stacks {
			t.Errorf("%d processors, pages of %d: %d and %d, want %d and %d", test.processors, test.page, events, stacks, test.events, test.stacks)
		}
		if all := events + stacks + 2*test.page; test.page == 4<<10 && all > 516<<10 {
			t.Errorf("%d processors: %d bytes each are more than perf_event_mlock_kb allows", test.processors, all)
		}
	}
}

func TestTraceLimitSaysWhatHelps(t *testing.T) {
	for err, want := range map[error]string{refused(fs.ErrPermission, "try this"): "; try this.", fs.ErrNotExist: "4.16", errNoSocket: "no socket"} {
		if got := traceLimit(err); !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%v: %q", err, got)
		}
	}
}
