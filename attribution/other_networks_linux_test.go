package attribution

import (
	"errors"
	"io"
	"os"
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
	inNetwork := func() *child {
		return startChildWith(t, namespaces(unix.CLONE_NEWNET), "pinned", "198.51.100.7:8080")
	}
	one, two := inNetwork(), inNetwork()
	tuple := one.tuple(t)
	if other := two.tuple(t); other != tuple {
		t.Fatalf("%v and %v", tuple, other)
	}
	n.refresh()
	if s, from, ambiguous := n.lookUp(tuple); from != nil || !ambiguous {
		t.Errorf("%+v, ambiguous %v", s, ambiguous)
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
func TestOtherNetworkHasEnded(t *testing.T) {
	n := openOtherNetworks(t)
	c := startChild(t, "wait")
	process, err := n.watch(n.proc.networkNamespace("self"), c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	c.stdin.Close()
	c.Wait()
	pollerHasRun(t)
	waited := make(chan bool)
	go func() { waited <- (&otherNetwork{process: process}).wait() }()
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
