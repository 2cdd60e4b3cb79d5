package attribution

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// argumentsWithin is how long a look at the arguments of a process may take. It takes
	// 5 µs as a rule, and milliseconds where a large program maps files meanwhile.
	argumentsWithin = 10 * time.Millisecond
	// maxLateArguments looks may be late at the same time without holding up anybody
	// else's.
	maxLateArguments = 4
	// memoryReaders is one for each of those, for each worker, for who follows the
	// kernel's events and for who sees packets. Where all are late, which has cost who
	// follows the events 100 ms at most, nobody looks at any more until one of them ends.
	memoryReaders = maxLateArguments + workers + 2
)

// memories reads what is in other processes' memory, and that is their arguments alone.
// The kernel takes the memory's lock for it (get_mm_cmdline, fs/proc/base.c), and a
// process can keep that for seconds, as in mprotect(2) of a large mapping, or for as
// long as a file system does not answer. Nothing else that is read of a process takes a
// lock that it can hold, since Linux 4.1: before that the link /proc/PID/exe takes this
// one, too.
//
// Threads made in advance read, and those who ask wait for them: priorities take a
// privilege that is given up later, and a process that lives for a millisecond has often
// ended when a goroutine without one gets its turn.
type memories struct {
	all []*memoryReader

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
		return readArguments(fd, make([]byte, lookBuffer))
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

// What a memoryReader does, and what is to become of what it reads.
const (
	readerIdle   uint32 = iota
	readerAsked         // somebody waits
	readerLate          // nobody waits any more, perhaps before it has begun
	readerHasAll        // text is there
	readerOver          // the thread ends
)

// memoryReader is a thread that reads memory for others.
type memoryReader struct {
	thread int
	state  futex
	fd     int    // what it is asked for
	text   string // what it found, for who waits
}

// newMemoryReader starts one, which calls put with itself when it was late and is so no
// more.
func newMemoryReader(put func(*memoryReader)) *memoryReader {
	r, started := &memoryReader{}, make(chan int)
	go r.run(started, put)
	r.thread = <-started
	return r
}

func (r *memoryReader) run(started chan<- int, put func(*memoryReader)) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	started <- unix.Gettid()
	buffer := make([]byte, lookBuffer)
	for {
		switch state := r.state.Load(); state {
		case readerAsked:
			r.text = readArguments(r.fd, buffer)
			if !r.state.change(readerAsked, readerHasAll) {
				put(r)
			}
		case readerLate: // it had no processor until now
			unix.Close(r.fd)
			put(r)
		case readerOver:
			return
		default:
			r.state.wait(state, -1)
		}
	}
}

// ask has it read the file, and close it. It reports false if that is late.
func (r *memoryReader) ask(fd int) (text string, ok bool) {
	r.fd = fd
	r.state.set(readerAsked)
	for end := monotonic() + int64(argumentsWithin); r.state.Load() == readerAsked; {
		left := time.Duration(end - monotonic())
		if left > 0 {
			r.state.wait(readerAsked, left)
		} else if r.state.change(readerAsked, readerLate) {
			return "", false
		}
	}
	return r.text, true
}

func readArguments(fd int, buffer []byte) string {
	defer unix.Close(fd)
	n, err := unix.Read(fd, buffer)
	if err != nil {
		return ""
	}
	return string(buffer[:n])
}
