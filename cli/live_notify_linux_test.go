package cli_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// serviceManager is a stand-in for one that is told how the program is.
type serviceManager struct {
	address string
	told    watched[string] // messages
}

func newServiceManager(t *testing.T) *serviceManager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // sockets have short names (unix(7))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &serviceManager{address: filepath.Join(dir, "socket")}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	go func() {
		defer m.told.end()
		for buffer := make([]byte, 4096); ; {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			m.told.add(string(buffer[:n]))
		}
	}()
	return m
}

// start has the program started as it would.
func (m *serviceManager) start(t *testing.T, n *namespace, watchdog string, args ...string) *liveProgram {
	t.Helper()
	cmd := liveCommand(append([]string{"--own-namespace"}, args...)...)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+m.address, "WATCHDOG_USEC="+watchdog)
	return launch(t, n, cmd)
}

func (m *serviceManager) await(t *testing.T, message string) {
	t.Helper()
	m.told.wait(t, message, func(list []string) bool { return slices.Contains(list, message) })
}

// A service manager is told when the capture is open, that it goes on, what it has
// found, and that it ends.
func TestLiveNotify(t *testing.T) {
	t.Parallel()
	s, m := newSite(t), newServiceManager(t)
	p := m.start(t, s.host, "200000")
	m.await(t, "READY=1")
	if first := m.told.soFar()[0]; first != "READY=1" {
		t.Errorf("the first word is %q", first)
	}
	m.await(t, "STATUS=Capturing on any: 0 calls, 0 of them IMDSv1")
	calls := s.visits(t, curlOf(t)) // all that are made after the word that it is ready
	const status = "STATUS=Capturing on any: 10 calls, 4 of them IMDSv1"
	m.await(t, status)
	m.told.wait(t, "three signs of life after the status", func(list []string) bool {
		return times(list[slices.Index(list, status):], "WATCHDOG=1") >= 3
	})
	if n := times(m.told.soFar(), status); n != 1 {
		t.Errorf("the same status was told %d times", n)
	}
	check(t, p.stop(t, syscall.SIGTERM), calls)
	m.await(t, "STOPPING=1")
	if n := times(m.told.soFar(), "READY=1"); n != 1 {
		t.Errorf("it was ready %d times", n)
	}
}

// times counts a message.
func times(list []string, message string) (n int) {
	for _, told := range list {
		if told == message {
			n++
		}
	}
	return n
}

// Who is not ready does not say so.
func TestLiveNotifyNotReady(t *testing.T) {
	t.Parallel()
	s, m := newSite(t), newServiceManager(t)
	m.start(t, s.host, "200000", "-o", filepath.Join(t.TempDir(), "missing", "log")).finish(t, 1)
	if told := m.told.soFar(); len(told) > 0 {
		t.Errorf("a program that could not open its log told %q", told)
	}
}

// A manager that cannot be told is no reason not to capture. It is said once.
func TestLiveNotifyNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := &serviceManager{address: filepath.Join(t.TempDir(), "nobody")}
	p := m.start(t, s.host, "200000")
	p.awaitStart(t)
	calls := s.visits(t, curlOf(t))
	check(t, p.stop(t, syscall.SIGTERM), calls)
	if n := strings.Count(p.errors(), "the service manager cannot be told how the capture is: "); n != 1 {
		t.Errorf("that was said %d times: %s", n, p.errors())
	}
}

// A watchdog whose time cannot be read does not keep the word that it is ready back.
func TestLiveNotifyOddWatchdog(t *testing.T) {
	t.Parallel()
	s, m := newSite(t), newServiceManager(t)
	p := m.start(t, s.host, "soon")
	m.await(t, "READY=1")
	p.stop(t, syscall.SIGTERM)
	if words := "The service manager's watchdog: error converting WATCHDOG_USEC"; strings.Count(p.errors(), words) != 1 {
		t.Errorf("not said once: %s: %s", words, p.errors())
	}
}
