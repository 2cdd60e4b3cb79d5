package attribution

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long the tests wait for what takes no second on an idle
// machine.
const patience = 30 * time.Second

func dial(t *testing.T) *connector {
	t.Helper()
	c, err := dialConnector(proc{root: "/proc", boot: bootTime})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// heard are the events that came so far.
type heard struct {
	*connector
	events []traceEvent
}

// await returns the first event that is wanted, which may have to come yet.
func (h *heard) await(t *testing.T, wanted func(traceEvent) bool) traceEvent {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		h.read(func(e traceEvent) { h.events = append(h.events, e) })
		if i := slices.IndexFunc(h.events, wanted); i >= 0 {
			return h.events[i]
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}, 1000)
	}
	t.Fatal("the event did not come")
	return traceEvent{}
}

func TestConnector(t *testing.T) {
	c := heard{connector: dial(t)}
	before := monotonic()
	child := startChild(t, "connect", listen(t, "127.0.0.1:0"))
	pid := child.Process.Pid
	fork := c.await(t, func(e traceEvent) bool { return e.kind == forkEvent && e.child == pid })
	exec := c.await(t, func(e traceEvent) bool { return e.kind == execEvent && e.pid == pid })
	child.stdin.Close()
	exit := c.await(t, func(e traceEvent) bool { return e.kind == exitEvent && e.pid == pid })
	if fork.pid != os.Getpid() {
		t.Errorf("forked by %d, not by %d", fork.pid, os.Getpid())
	}
	if fork.at < before || exec.at < fork.at || exit.at < exec.at || exit.at > monotonic() {
		t.Errorf("before %d, fork %d, exec %d, exit %d, now %d", before, fork.at, exec.at, exit.at, monotonic())
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
}

// An overflow is told, and events come again after it.
func TestConnectorLosesEvents(t *testing.T) {
	c := heard{connector: dial(t)}
	defer c.close()
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		t.Fatal(err)
	}
	address := listen(t, "127.0.0.1:0")
	lost := uint64(0)
	for deadline := time.Now().Add(patience); lost == 0 && time.Now().Before(deadline); {
		startChild(t, "connect", address).tuple(t)
		lost = c.read(func(traceEvent) {})
	}
	if lost == 0 {
		t.Fatal("no loss is told")
	}
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, connectorBuffer); err != nil {
		t.Fatal(err)
	}
	pid := startChild(t, "connect", address).Process.Pid
	c.await(t, func(e traceEvent) bool { return e.kind == execEvent && e.pid == pid })
}

// Where pids are not the machine's, events are of no use.
func TestConnectorInPIDNamespace(t *testing.T) {
	root := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "self", "ns"), 0o700), os.Symlink("pid:[4026532999]", filepath.Join(root, "self", "ns", "pid"))); err != nil {
		t.Fatal(err)
	}
	if _, err := dialConnector(proc{root: root}); !errors.Is(err, errNoConnector) {
		t.Errorf("%v", err)
	}
}

// A network namespace is entered by a thread of its own.
func TestInNetworkOf(t *testing.T) {
	c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "namespace", "198.51.100.7:8080")
	c.tuple(t)
	p := proc{root: "/proc"}
	ours, theirs := p.networkNamespace("thread-self"), p.networkNamespace(strconv.Itoa(c.Process.Pid))
	var inside string
	errDone := errors.New("done")
	err := inNetworkOf(p.path(c.Process.Pid), func() error { inside = p.networkNamespace("thread-self"); return errDone })
	if !errors.Is(err, errDone) || inside != theirs || inside == ours {
		t.Errorf("%v: in %s, want %s", err, inside, theirs)
	}
	if name := p.networkNamespace("self"); name != ours {
		t.Errorf("the program is in %s now", name)
	}
	if err := inNetworkOf(p.path(1<<30), func() error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nobody's: %v", err)
	}
}
