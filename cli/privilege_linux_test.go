package cli

import (
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
	}()
	thread := strconv.Itoa(<-began)
	if err := threadsAnswer(time.Millisecond); err == nil || !strings.Contains(err.Error(), "thread "+thread+" takes no signals") {
		t.Errorf("%v", err)
	}
	close(end)
	<-done
}
