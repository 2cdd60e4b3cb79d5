package capture

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// readerNice is the nice value (setpriority(2)) of threads that read live
// sources. All they do is to copy packets; on a host whose processors are all
// busy they must not wait their turn until the kernel's buffer is full.
const readerNice = -10

// hurry raises the priority of the calling goroutine, which keeps its thread
// from then on. Without the privilege (CAP_SYS_NICE) it stays as it is.
func hurry() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, readerNice) // 0 is this thread
}
