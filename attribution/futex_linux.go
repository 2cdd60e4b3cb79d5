package attribution

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations of futex(2), among threads of one process (linux/futex.h).
const (
	futexWait = 0 | futexPrivate
	futexWake = 1 | futexPrivate

	futexPrivate = 128
)

// futex is a number that one thread changes and another waits for (futex(2)). Unlike
// with a channel, the kernel wakes who waits by its own priority: with that the runtime
// first has another thread find out, which has none.
type futex struct{ atomic.Uint32 }

// set changes the number, and wakes who waits.
func (f *futex) set(to uint32) {
	f.Store(to)
	f.wake()
}

// change is set if the number is the one, and reports whether it is.
func (f *futex) change(from, to uint32) bool {
	if !f.CompareAndSwap(from, to) {
		return false
	}
	f.wake()
	return true
}

// wait waits while the number is the one, at most for that long, negative for ever.
// It may return before.
func (f *futex) wait(while uint32, most time.Duration) {
	var timeout *unix.Timespec
	if most >= 0 {
		t := unix.NsecToTimespec(int64(most))
		timeout = &t
	}
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&f.Uint32)), futexWait, uintptr(while), uintptr(unsafe.Pointer(timeout)), 0, 0)
}

func (f *futex) wake() {
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&f.Uint32)), futexWake, 1, 0, 0, 0)
}
