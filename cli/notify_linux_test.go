package cli

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// stuckManager is a stand-in for a service manager that reads nothing, and has been told as
// much as there is room for.
func stuckManager(t *testing.T) *net.UnixConn {
	t.Helper()
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unixgram"}
	manager, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { manager.Close() })
	other, err := net.DialUnix("unixgram", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for err == nil {
		_ = other.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, err = other.Write([]byte("full"))
	}
	t.Setenv("NOTIFY_SOCKET", address.Name)
	return manager
}

// toldTo reads what a manager is told, up to a word.
func toldTo(t *testing.T, manager *net.UnixConn, last string) (told []string) {
	t.Helper()
	_ = manager.SetReadDeadline(time.Now().Add(10 * time.Second))
	for buffer := make([]byte, 256); !slices.Contains(told, last); {
		n, err := manager.Read(buffer)
		if err != nil {
			t.Fatalf("%v: told is %q", err, told)
		}
		if words := string(buffer[:n]); words != "full" {
			told = append(told, words)
		}
	}
	return told
}

// A manager that is stuck holds up nobody, and is told all the same when it reads again.
func TestNotifyStuckManager(t *testing.T) {
	for _, test := range []struct {
		name  string
		tells int // how many statuses, behind the word that it is ready
		said  string
	}{
		{"for a moment", 2, ""},
		{"for long", 3 * maxUntold, "the service manager does not read how the capture is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			manager, said := stuckManager(t), make(chan string, 1)
			n, err := newNotifier(func(err error) { said <- err.Error() })
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			n.tell(daemon.SdNotifyReady)
			for i := range test.tells {
				n.tellStatus(strings.Repeat("x", i+1))
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("it is held up for %s", took)
			}
			if told := toldTo(t, manager, "STATUS=x"); !slices.Equal(told, []string{daemon.SdNotifyReady, "STATUS=x"}) {
				t.Errorf("told is %q", told)
			}
			n.tellStatus("all is well")
			n.end()
			toldTo(t, manager, "STATUS=all is well")
			close(said)
			if got := <-said; got != test.said {
				t.Errorf("said is %q, want %q", got, test.said)
			}
		})
	}
}

// The end waits for a manager that is stuck, and not for long.
func TestNotifyEnd(t *testing.T) {
	stuckManager(t)
	n, err := newNotifier(func(error) {}) // the manager is gone when the test ends
	if err != nil {
		t.Fatal(err)
	}
	n.tell(daemon.SdNotifyStopping)
	begun := time.Now()
	n.end()
	if took := time.Since(begun); took < lastWords || took > lastWords+5*time.Second {
		t.Errorf("the end takes %s", took)
	}
	(*notifier)(nil).end()
}

// Who cannot be told is told of once.
func TestNotifyNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	var said []string
	n, err := newNotifier(func(err error) { said = append(said, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	n.tell(daemon.SdNotifyReady)
	n.tell(daemon.SdNotifyStopping)
	n.end()
	if len(said) != 1 || !strings.HasSuffix(said[0], syscall.ENOENT.Error()) {
		t.Errorf("said is %q", said)
	}
}
