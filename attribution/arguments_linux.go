package attribution

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// argumentsWithin is how long a look at the arguments of a process may take. It takes
	// 5 µs as a rule, and milliseconds where a large program maps files meanwhile.
	argumentsWithin = 10 * time.Millisecond
	// maxLateArguments looks may be late at the same time, each in a thread of its own.
	// Nobody looks at any more then until one of them ends: who follows the kernel's
	// events has waited for 40 ms, or been replaced four times (relief).
	maxLateArguments = 4
)

// memories reads what is in other processes' memory, and that is their arguments alone.
// The kernel takes the memory's lock for it (get_mm_cmdline, fs/proc/base.c), and a
// process can keep that for seconds, as in mprotect(2) of a large mapping, or for as
// long as a file system does not answer. Everything else that is read of a process takes
// no lock that it can hold.
type memories struct {
	late    atomic.Int64 // reads that were given up and have not ended
	buffers sync.Pool    // of *[lookBuffer]byte
}

// answer reports whether not too many looks are late.
func (m *memories) answer() bool { return m == nil || m.late.Load() < maxLateArguments }

// arguments reads an open /proc/PID/cmdline, and closes it. What does not come in time
// is not known. Nil memories wait for as long as it takes.
func (m *memories) arguments(fd int) (text string) {
	if m == nil {
		return readArguments(fd, make([]byte, lookBuffer))
	}
	if !m.answer() {
		unix.Close(fd)
		return ""
	}
	done, late := make(chan string), make(chan struct{})
	go func() {
		found := m.read(fd)
		select {
		case done <- found:
		case <-late:
			m.late.Add(-1)
		}
	}()
	timer := time.NewTimer(argumentsWithin)
	defer timer.Stop()
	select {
	case text = <-done:
	case <-timer.C:
		m.late.Add(1)
		close(late)
	}
	return text
}

func (m *memories) read(fd int) string {
	buffer, ok := m.buffers.Get().(*[lookBuffer]byte)
	if !ok {
		buffer = new([lookBuffer]byte)
	}
	defer m.buffers.Put(buffer)
	return readArguments(fd, buffer[:])
}

func readArguments(fd int, buffer []byte) string {
	defer unix.Close(fd)
	n, err := unix.Read(fd, buffer)
	if err != nil {
		return ""
	}
	return string(buffer[:n])
}
