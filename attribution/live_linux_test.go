package attribution

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen starts a server that keeps its connections until their clients close.
func listen(t testing.TB, address string) string {
	t.Helper()
	server, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	return server.Addr().String()
}

func open(t testing.TB) Resolver {
	t.Helper()
	r, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// openTables opens a Resolver that has /proc alone.
func openTables(t testing.TB) Resolver {
	t.Helper()
	p := proc{root: "/proc", boot: bootTime}
	s := &search{facts: newFacts(p, "/etc/passwd"), now: time.Now}
	r := newResolver([]way{&tables{proc: p, search: s, own: true, addresses: readAddresses}}, nil)
	t.Cleanup(func() { r.Close() })
	return r
}

func ask(r Resolver, tuple Tuple) Answer {
	p := r.Seen(tuple, time.Now())
	<-p.Done()
	return p.Answer()
}

// find asks until a process is found, three times at most: reading a table of
// sockets can miss a row.
func find(t *testing.T, open func(testing.TB) Resolver, tuple Tuple) (a Answer, s Stats) {
	t.Helper()
	for range 3 {
		r := open(t)
		if a = ask(r, tuple); a.Process != nil {
			return a, r.Stats()
		}
	}
	t.Fatalf("%s, three times", a.Status)
	return a, s
}

// bothWays are how to find a process with sock_diag and with /proc alone.
func bothWays() map[Method]func(testing.TB) Resolver {
	return map[Method]func(testing.TB) Resolver{SockDiag: open, Proc: openTables}
}

// checkChild makes sure that the process found is the child.
func checkChild(t *testing.T, c *child, p *Process) {
	t.Helper()
	if p == nil {
		t.Fatal("no process")
	}
	if p.PID != c.Process.Pid {
		t.Fatalf("pid %d (%s), want %d", p.PID, p.Args, c.Process.Pid)
	}
	if !slices.Equal(p.Args, c.Args) || p.ArgsTruncated {
		t.Errorf("args %q, want %q", p.Args, c.Args)
	}
	executable, _ := os.Executable()
	directory, _ := os.Getwd()
	if p.Executable != executable || p.Deleted || p.Name == "" {
		t.Errorf("executable %q, name %q, deleted %v; want %q", p.Executable, p.Name, p.Deleted, executable)
	}
	if p.WorkingDirectory != directory {
		t.Errorf("working directory %q, want %q", p.WorkingDirectory, directory)
	}
	if p.User == nil || p.User.ID != uint32(os.Geteuid()) {
		t.Errorf("user %v", p.User)
	}
	if age := time.Since(p.Start); age < 0 || age > time.Minute {
		t.Errorf("started %v ago", age)
	}
	checkAncestors(t, p.Ancestors)
}

func checkAncestors(t *testing.T, line []Ancestor) {
	t.Helper()
	if len(line) == 0 || line[0].PID != os.Getpid() || !slices.Equal(line[0].Args, os.Args) {
		t.Fatalf("ancestors %v, want this test first", line)
	}
	if len(line) > 1 && line[1].PID != os.Getppid() {
		t.Errorf("the second ancestor is %d, want %d", line[1].PID, os.Getppid())
	}
}

func TestFindsTheProcess(t *testing.T) {
	v4, v6 := listen(t, "127.0.0.1:0"), listen(t, "[::1]:0")
	for _, test := range []struct{ name, mode, address string }{
		{"IPv4", "connect", v4},
		{"IPv6", "connect", v6},
		{"IPv4 of an IPv6 socket", "mapped", v4},
		{"socket bound to an interface", "bound", v4},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startChild(t, test.mode, test.address, "", "an argument")
			tuple := c.tuple(t)
			for method, open := range bothWays() {
				a, s := find(t, open, tuple)
				if a.Status != Resolved || a.Method != method || len(a.Candidates) > 0 {
					t.Fatalf("%s: %s by %s, candidates %v", method, a.Status, a.Method, a.Candidates)
				}
				checkChild(t, c, a.Process)
				if s.Answers[Resolved] != 1 || s.QueueFull+s.OutOfTime != 0 {
					t.Errorf("stats %+v", s)
				}
			}
		})
	}
}

func TestOpenFindsItsWays(t *testing.T) {
	r := open(t)
	if m := r.Methods(); !slices.Equal(m, []Method{Tracepoint, SockDiag, Proc}) {
		t.Errorf("methods %v, limits %q", m, r.Limits())
	}
}

func TestSharedSocket(t *testing.T) {
	c := startChild(t, "inherit", listen(t, "127.0.0.1:0"))
	heir, err := strconv.Atoi(c.line(t))
	if err != nil {
		t.Fatal(err)
	}
	tuple := c.tuple(t)
	for method, open := range bothWays() {
		a, _ := find(t, open, tuple)
		if a.Status != Shared || a.Method != method {
			t.Fatalf("%s: %s by %s", method, a.Status, a.Method)
		}
		checkChild(t, c, a.Process)
		if len(a.Candidates) != 1 || a.Candidates[0].PID != heir || len(a.Candidates[0].Args) != 1 {
			t.Errorf("candidates %v, want the heir %d", a.Candidates, heir)
		}
	}
}

// A holder that started after the connection was seen has not opened it.
func TestHolderYoungerThanConnection(t *testing.T) {
	before := time.Now().Add(-100 * time.Millisecond)
	c := startChild(t, "connect", listen(t, "127.0.0.1:0"))
	p := open(t).Seen(c.tuple(t), before)
	<-p.Done()
	if a := p.Answer(); a.Status != Inferred || a.Process.PID != c.Process.Pid {
		t.Errorf("%s: %v", a.Status, a.Process)
	}
}

// The tuple may long be that of another connection.
func TestSeenAWhileAgo(t *testing.T) {
	c := startChild(t, "connect", listen(t, "127.0.0.1:0"))
	p := open(t).Seen(c.tuple(t), time.Now().Add(-lookBack/2))
	<-p.Done()
	if a := p.Answer(); a.Status != Inferred {
		t.Errorf("%s: %v", a.Status, a.Process)
	}
}

func TestClosedConnection(t *testing.T) {
	fd, err := connect(listen(t, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	tuple := tupleOf(t, fd)
	unix.Close(fd)
	for method, open := range bothWays() {
		if a := ask(open(t), tuple); a.Status != NotFound || a.Process != nil || a.Method != "" {
			t.Errorf("%s: %+v", method, a)
		}
	}
}

func tupleOf(t testing.TB, fd int) Tuple {
	t.Helper()
	local, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	remote, err := unix.Getpeername(fd)
	if err != nil {
		t.Fatal(err)
	}
	return Tuple{Local: addrPort(local), Remote: addrPort(remote)}
}

// A socket that listens on the port is not the connection.
func TestListenerIsNoConnection(t *testing.T) {
	address := netip.MustParseAddrPort(listen(t, "127.0.0.1:0"))
	tuple := Tuple{Local: address, Remote: netip.MustParseAddrPort("127.0.0.1:1")}
	for method, open := range bothWays() {
		if a := ask(open(t), tuple); a.Status != NotFound {
			t.Errorf("%s: %+v", method, a)
		}
	}
}

func TestOtherNetworkNamespace(t *testing.T) {
	c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080")
	a, _ := find(t, open, c.tuple(t))
	if a.Status != Resolved || a.Method != SockDiag {
		t.Fatalf("%s by %s", a.Status, a.Method)
	}
	checkChild(t, c, a.Process)
}

func TestPIDNamespace(t *testing.T) {
	c := startChildWith(t, namespaces(unix.CLONE_NEWPID), "connect", listen(t, "127.0.0.1:0"))
	a := ask(open(t), c.tuple(t))
	if a.Process == nil || a.Process.PID != c.Process.Pid || a.Process.NamespacePID != 1 {
		t.Errorf("%s: %+v, want pid %d, 1 in its namespace", a.Status, a.Process, c.Process.Pid)
	}
}

func TestManyAtOnce(t *testing.T) {
	const children, connections = 8, 16
	address := listen(t, "127.0.0.1:0")
	r := open(t)
	var asking sync.WaitGroup
	for range children {
		c := startChild(t, "connect", address)
		tuple := c.tuple(t)
		asking.Go(func() {
			for i := range connections {
				at := time.Now().Add(-time.Duration(i) * 2 * samePacket / connections)
				p := r.Seen(tuple, at)
				<-p.Done()
				if a := p.Answer(); a.Process != nil && a.Process.PID != c.Process.Pid {
					t.Errorf("pid %d, want %d", a.Process.PID, c.Process.Pid)
				}
			}
		})
	}
	asking.Wait()
	if s := r.Stats(); s.Answers[Resolved] < children {
		t.Errorf("stats %+v", s)
	}
}

// An executable that was replaced keeps a path that can be read.
func TestDeletedExecutable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	c := startProgram(t, path, nil, "connect", listen(t, "127.0.0.1:0"))
	tuple := c.tuple(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p := ask(open(t), tuple).Process
	if p == nil || p.Executable != path || !p.Deleted {
		t.Errorf("process %+v, want the deleted %s", p, path)
	}
}

func TestLongArguments(t *testing.T) {
	c := startChild(t, "connect", listen(t, "127.0.0.1:0"), strings.Repeat("x", 2*MaxArgsBytes))
	p := ask(open(t), c.tuple(t)).Process
	if p == nil || !p.ArgsTruncated || len(strings.Join(p.Args, " ")) != MaxArgsBytes {
		t.Errorf("arguments of %d bytes, truncated %v", len(strings.Join(p.Args, " ")), p.ArgsTruncated)
	}
}
