package attribution

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

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
			r.text = readArgumentsInto(r.fd, buffer)
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
