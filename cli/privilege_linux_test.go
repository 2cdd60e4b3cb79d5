package cli

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A thread that takes no signals, as qemu has one, would be waited for without end.
func TestPrivilegesOfDeafThread(t *testing.T) {
	if err := threadsAnswer(threadsWait); err != nil {
		t.Fatal(err)
	}
	began, end, done := make(chan int), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends
		var all unix.Sigset_t
		all.Val[0] = 1 << (34 - 1)
		if err := unix.PthreadSigmask(unix.SIG_BLOCK, &all, nil); err != nil {
			t.Error(err)
		}
		began <- unix.Gettid()
		<-end
		if err := unix.PthreadSigmask(unix.SIG_UNBLOCK, &all, nil); err != nil { // the main thread does not end
			t.Error(err)
		}
	}()
	thread := strconv.Itoa(<-began)
	if err := threadsAnswer(time.Millisecond); err == nil || !strings.Contains(err.Error(), "thread "+thread+" takes no signals") {
		t.Errorf("%v", err)
	}
	close(end)
	<-done
}

// A thread with files of its own opens one where others have all descriptors, and theirs
// stay open.
func TestOwnFiles(t *testing.T) {
	var before, few unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	few = unix.Rlimit{Cur: firstOther, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	err := withOwnFiles(func() error {
		_, err := os.ReadDir("/proc/self/task")
		return err
	})
	if restored := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); restored != nil {
		t.Fatal(restored)
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stdin.Stat(); err != nil {
		t.Error(err)
	}
}
