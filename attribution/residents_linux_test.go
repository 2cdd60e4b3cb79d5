package attribution

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// waiting says when the wait for the last process is over.
func waiting(r *residents) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.wait()
	}()
	return over
}

// asking has residents ask whether their process runs, as before Linux 5.10.
func asking(t *testing.T, name string, pid int) *residents {
	t.Helper()
	r, err := newResidents(realProc(), name, pid)
	if err != nil {
		t.Fatal(err)
	}
	r.set(nil, pid)
	return r
}

func TestResidentsAreOfTheNamespace(t *testing.T) {
	c, name := startResident(t)
	if _, err := newResidents(realProc(), name, os.Getpid()); !errors.Is(err, ErrMoved) {
		t.Errorf("a process that is elsewhere: %v", err)
	}
	c.end()
	if _, err := newResidents(realProc(), name, c.Process.Pid); !errors.Is(err, unix.ESRCH) {
		t.Errorf("a process that has ended: %v", err)
	}
}

// A process can have ended before it is waited for, and the runtime have heard of
// it.
func TestResidentsEndedBefore(t *testing.T) {
	for range 20 {
		c, name := startResident(t)
		r := told(t, name, c.Process.Pid)
		c.end()
		_, _ = unix.Poll(nil, 1) // the runtime's poller has nothing else to do
		<-waiting(r)
		r.close()
	}
}

// Kernels that do not tell when a process ends are asked.
func TestResidentsAsk(t *testing.T) {
	first, name := startResident(t)
	second := startBeside(t, first)
	r := asking(t, name, first.Process.Pid)
	over := waiting(r)
	first.end()
	eventually(t, "the other process is waited for", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.pid == second.Process.Pid
	})
	select {
	case <-over:
		t.Error("there is a process still")
	default:
	}
	r.set(nil, second.Process.Pid)
	second.end()
	<-over
	r.close()
}

// A /proc with other numbers for processes than the kernel has is asked: a process that the kernel
// has by the same number is another, and can run for ever.
func TestResidentsByOtherNumbers(t *testing.T) {
	const nobodys = 1 << 22 // PID_MAX_LIMIT, linux/threads.h
	for _, pid := range []int{os.Getpid(), nobodys} {
		p := proc{root: t.TempDir(), numbered: numberedOutside}
		if err := errors.Join(os.MkdirAll(p.path(pid, "ns"), 0o700), os.Symlink("net:[1]", p.path(pid, "ns", "net"))); err != nil {
			t.Fatal(err)
		}
		r, err := newResidents(p, "net:[1]", pid)
		if err != nil {
			t.Errorf("process %d: %v", pid, err)
			continue
		}
		defer r.close()
		over := waiting(r)
		if err := os.RemoveAll(p.path(pid)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-over:
		case <-time.After(10 * askResidents):
			t.Errorf("process %d is waited for still", pid)
		}
	}
}

// Close ends the wait, however it is done.
func TestResidentsClose(t *testing.T) {
	c, name := startResident(t)
	for _, r := range []*residents{asking(t, name, c.Process.Pid), told(t, name, c.Process.Pid)} {
		over := waiting(r)
		r.close()
		r.close()
		<-over
		<-waiting(r) // over already
		before := openDescriptors(t)
		if err := r.watch(c.Process.Pid); err != nil || openDescriptors(t) != before {
			t.Errorf("%v, %d descriptors, %d before", err, openDescriptors(t), before)
		}
	}
}

func told(t *testing.T, name string, pid int) *residents {
	t.Helper()
	r, err := newResidents(realProc(), name, pid)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
