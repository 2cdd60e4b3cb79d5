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
	// maxLateArguments looks may be late at the same time without holding up anybody
	// else's, of those in a hurry and of the others.
	maxLateArguments = 4
	// memoryReaders is one for each of those, for who follows the kernel's events and
	// for who sees packets. Where all are late, which has cost who follows the events
	// 60 ms at most, nobody in a hurry looks at any more until one of them ends.
	memoryReaders = maxLateArguments + 2
)

// memories reads what is in other processes' memory, and that is their arguments alone.
// The kernel takes the memory's lock for it (get_mm_cmdline, fs/proc/base.c), and a
// process can keep that for seconds, as in mprotect(2) of a large mapping, or for as
// long as a file system does not answer. Nothing else that is read of a process takes a
// lock that it can hold, since Linux 4.1: before that the link /proc/PID/exe takes this
// one, too.
//
// For who is in a hurry threads made in advance read: priorities take a privilege that is
// given up later, and a process that lives for a millisecond has often ended when a
// goroutine without one gets its turn. Each of them keeps one of the runtime's processors
// (GOMAXPROCS) for a while after it has read, so that they are not for everybody.
type memories struct {
	all  []*memoryReader
	late atomic.Int64 // looks without hurry that nobody waits for any more

	mu    sync.Mutex      // guards what follows
	free  []*memoryReader // those that nobody waits for and that are not late
	ended bool
}

func openMemories() *memories {
	m := &memories{}
	for range memoryReaders {
		m.all = append(m.all, newMemoryReader(m.put))
	}
	m.free = append(m.free, m.all...)
	return m
}

// threads are those that read, none where everybody reads for themselves.
func (m *memories) threads() (threads []int) {
	if m == nil {
		return nil
	}
	for _, r := range m.all {
		threads = append(threads, r.thread)
	}
	return threads
}

// arguments reads an open /proc/PID/cmdline, and closes it. What does not come in time
// is not known. Nil memories wait for as long as it takes.
func (m *memories) arguments(fd int) string {
	if m == nil {
		return readArguments(fd)
	}
	if m.late.Load() >= maxLateArguments {
		unix.Close(fd)
		return ""
	}
	found, late := make(chan string), make(chan struct{})
	go func() {
		text := readArguments(fd)
		select {
		case found <- text:
		case <-late:
			m.late.Add(-1)
		}
	}()
	timer := time.NewTimer(argumentsWithin)
	defer timer.Stop()
	select {
	case text := <-found:
		return text
	case <-timer.C:
		m.late.Add(1)
		close(late)
		return ""
	}
}

// hurriedArguments is arguments for who follows the kernel's events or sees packets.
func (m *memories) hurriedArguments(fd int) string {
	if m == nil {
		return readArguments(fd)
	}
	r := m.take()
	if r == nil {
		unix.Close(fd)
		return ""
	}
	text, ok := r.ask(fd)
	if ok {
		m.put(r)
	}
	return text
}

func readArguments(fd int) string { return readArgumentsInto(fd, make([]byte, lookBuffer)) }

func readArgumentsInto(fd int, buffer []byte) string {
	defer unix.Close(fd)
	n, err := unix.Read(fd, buffer)
	if err != nil {
		return ""
	}
	return string(buffer[:n])
}

// take returns one that has nothing to do, nil if all have.
func (m *memories) take() *memoryReader {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.free) == 0 {
		return nil
	}
	last := len(m.free) - 1
	r := m.free[last]
	m.free = m.free[:last]
	return r
}

// put takes one back that has read.
func (m *memories) put(r *memoryReader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		r.state.set(readerOver)
		return
	}
	r.state.set(readerIdle)
	m.free = append(m.free, r)
}

// close ends the threads, those that are late as soon as they can be.
func (m *memories) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.free {
		r.state.set(readerOver)
	}
	m.free, m.ended = nil, true
}
