package attribution

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func openOtherNetworks(t *testing.T) *otherNetworks {
	t.Helper()
	n := newOtherNetworks(proc{root: "/proc", boot: bootTime})
	t.Cleanup(func() { n.close() })
	return n
}

// eventually waits for what others do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		_, _ = unix.Poll(nil, 1)
	}
}

func TestOtherNetworks(t *testing.T) {
	n := openOtherNetworks(t)
	c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080")
	tuple := c.tuple(t)
	if _, from, _ := n.lookUp(tuple); from != nil {
		t.Error("found before its namespace is known")
	}
	if !n.refresh() || n.refresh() {
		t.Error("a namespace is to be found, once")
	}
	s, from, ambiguous := n.lookUp(tuple)
	if s.inode == 0 || from == nil || ambiguous {
		t.Fatalf("%+v, ambiguous %v", s, ambiguous)
	}
	name := n.proc.networkNamespace(strconv.Itoa(c.Process.Pid))
	if !n.keeps(name) || n.keeps(n.proc.networkNamespace("self")) {
		t.Error("what is kept is not the child's namespace alone")
	}
}

// Two namespaces can have the same connection.
func TestSameTupleInTwoNetworks(t *testing.T) {
	n := openOtherNetworks(t)
	one, two := startPinned(t), startPinned(t)
	tuple := one.tuple(t)
	if other := two.tuple(t); other != tuple {
		t.Fatalf("%v and %v", tuple, other)
	}
	n.refresh()
	if s, from, ambiguous := n.lookUp(tuple); from != nil || !ambiguous {
		t.Errorf("%+v, ambiguous %v", s, ambiguous)
	}
}

// The namespace in which the packets were captured tells which of them it is.
// Where packets are captured, no others' are.
func TestSameTupleInCapturedNetworks(t *testing.T) {
	n := openOtherNetworks(t)
	one, two := startPinned(t), startPinned(t)
	tuple := one.tuple(t)
	if other := two.tuple(t); other != tuple {
		t.Fatalf("%v and %v", tuple, other)
	}
	in := func(c *child) Tuple { return Tuple{tuple.Local, tuple.Remote, c.network()} }
	elsewhere := Tuple{tuple.Local, tuple.Remote, "net:[1]"}
	check := func(t *testing.T, asked Tuple, want *child) {
		t.Helper()
		s, from, ambiguous := n.lookUp(asked)
		if found := from != nil; found != (want != nil) || found && !want.holds(t, s.inode) {
			t.Errorf("%+v, found %v, ambiguous %v", s, found, ambiguous)
		}
	}
	n.captured = followerOf(one.network())
	check(t, in(one), nil) // no socket is kept in any
	n.open(two.network(), two.Process.Pid)
	check(t, in(one), nil)
	check(t, tuple, two)
	n.refresh()
	check(t, in(one), one)
	check(t, in(two), two)
	check(t, tuple, two)
	check(t, elsewhere, two) // its packets can have come by there
	n.captured = followerOf(one.network(), two.network())
	check(t, in(one), one)
	check(t, in(two), two)
	check(t, tuple, nil)
	check(t, elsewhere, nil)
	n.captured = nil
	check(t, in(one), one)
	check(t, tuple, nil)
}

// startPinned starts a process in a network namespace of its own, with the same
// connection as any other such one.
func startPinned(t *testing.T) *child {
	t.Helper()
	return startChildWith(t, namespaces(unix.CLONE_NEWNET), "pinned", "198.51.100.7:8080")
}

// network is the name of the child's network namespace.
func (c *child) network() string {
	return realProc().networkNamespace(strconv.Itoa(c.Process.Pid))
}

// holds reports whether the child holds the socket.
func (c *child) holds(t *testing.T, inode uint64) bool {
	t.Helper()
	dir := realProc().path(c.Process.Pid, "fd")
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if to, _ := os.Readlink(filepath.Join(dir, fd.Name())); to == fmt.Sprintf("socket:[%d]", inode) {
			return true
		}
	}
	return false
}

// followerOf follows the namespaces, and does nothing else.
func followerOf(names ...string) *follower {
	f := newFollower(realProc())
	for _, name := range names {
		f.known[name] = &followed{inside: &residents{}}
	}
	return f
}

// Both ways that look a socket up tell the processes apart by where the packets
// were captured.
func TestFindsInCapturedNetworks(t *testing.T) {
	one, two := startPinned(t), startPinned(t)
	tuple := one.tuple(t)
	two.tuple(t)
	for _, ways := range [][]Method{{SockDiag}, {Proc}} {
		t.Run(fmt.Sprint(ways), func(t *testing.T) {
			r, err := Open(Options{Ways: ways})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			v := newVisits()
			r.Follow(v.follow)
			for _, c := range []*child{one, two} {
				name := c.network()
				v.await(t, name, 1, 0)
				eventually(t, "it is followed", func() bool { return r.(*resolver).networks.(*follower).follows(name) })
			}
			for _, c := range []*child{one, two} {
				if a := ask(r, Tuple{tuple.Local, tuple.Remote, c.network()}); pidOf(a.Process) != c.Process.Pid || a.Method != ways[0] {
					t.Errorf("%s by %s: %d, want %d", a.Status, a.Method, pidOf(a.Process), c.Process.Pid)
				}
			}
			if a := ask(r, tuple); a.Process != nil {
				t.Errorf("packets of ours are those of %d", a.Process.PID)
			}
		})
	}
}

// A namespace is left when the last process in it has ended, and followed from
// one to the other until then.
func TestOtherNetworkEnds(t *testing.T) {
	n := openOtherNetworks(t)
	c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080")
	c.tuple(t)
	name := n.proc.networkNamespace(strconv.Itoa(c.Process.Pid))
	var heir *child
	err := inNetworkOf(n.proc.path(c.Process.Pid), func() error {
		heir = startChild(t, "wait")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second process is there", func() bool { return n.proc.networkNamespace(strconv.Itoa(heir.Process.Pid)) == name })
	n.refresh()
	c.stdin.Close()
	c.Wait()
	eventually(t, "it is followed", func() bool { return n.keeps(name) })
	heir.stdin.Close()
	heir.Wait()
	eventually(t, "it is left", func() bool { return !n.keeps(name) })
}

// A process can have ended before it is waited for: its end is known to the
// poller then, and is not told again.
func TestResidentHasEnded(t *testing.T) {
	n := openOtherNetworks(t)
	c := startChild(t, "wait")
	r, err := newResidents(n.proc, n.proc.networkNamespace("self"), c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	c.stdin.Close()
	c.Wait()
	pollerHasRun(t)
	waited := make(chan bool)
	go func() { waited <- r.waitForOne() }()
	select {
	case over := <-waited:
		if !over {
			t.Error("it is not to be waited for")
		}
	case <-time.After(patience):
		t.Error("it is waited for after its end")
	}
}

// pollerHasRun returns once the poller has told of what happened before.
func pollerHasRun(t *testing.T) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	read := make(chan error)
	go func() {
		_, err := in.Read(make([]byte, 1))
		read <- err
	}()
	out.Close()
	if err := <-read; !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

// What cannot be entered is left to another way.
func TestOtherNetworkRefused(t *testing.T) {
	n := openOtherNetworks(t)
	n.refused = true
	startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080").tuple(t)
	if n.refresh() {
		t.Error("a namespace is entered")
	}
}

// A closed one takes nothing more on.
func TestOtherNetworksClosed(t *testing.T) {
	n := openOtherNetworks(t)
	n.close()
	startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080").tuple(t)
	if n.refresh() || len(n.kept) != 0 {
		t.Errorf("%d namespaces are kept", len(n.kept))
	}
}
