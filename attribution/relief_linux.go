package attribution

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// relieveAfter is how long the reader of events may look at a process that has just
// started. That takes some 10 µs; its rings hold the events of seconds.
const relieveAfter = 50 * time.Millisecond

// relief has another reader take the place of one that waits for a process's memory.
// The reader does not have that read by others, as it does with older processes: handing
// over takes so long on a busy machine that of processes that live for a millisecond one
// in twenty has ended by then. Nor does a process that has just started have much memory
// yet, the lock of which it could keep.
type relief struct {
	waits atomic.Bool // the reader does; who sets it to false has all that the reader had
	at    int64       // the time of the event that it has in hand
	timer *time.Timer
	// isStuck reports whether the reader's thread sleeps in the kernel. One that has only
	// not had its turn on a busy machine goes on by itself.
	isStuck func() bool
	next    func() (thread int) // starts another reader
}

func newReader(t *tracepoint, next func() (thread int)) *reader {
	r := &reader{tracepoint: t, look: make([]byte, lookBuffer)}
	thread := unix.Gettid()
	r.relief.isStuck = func() bool { return sleeps(thread) }
	r.relief.next = next
	r.relief.timer = time.AfterFunc(time.Hour, r.relieve)
	r.relief.timer.Stop()
	return r
}

// glance looks at a process that has started a program. It does not return if another
// reader has gone on meanwhile.
func (r *reader) glance(e *traceEvent, told *Process) *reading {
	memories := r.facts.proc.memories
	reads := len(told.Args) == 0 && memories.answer()
	if !reads || memories == nil {
		return r.facts.proc.glance(told, reads, r.look)
	}
	r.relief.at = e.at
	r.relief.waits.Store(true)
	r.relief.timer.Reset(relieveAfter)
	read := r.facts.proc.glance(told, true, r.look)
	if !r.relief.waits.CompareAndSwap(true, false) {
		memories.late.Add(-1)
		r.leave()
	}
	r.relief.timer.Stop()
	return read
}

// relieve starts another reader. What this one had in hand is lost, and counted as one
// event that is.
func (r *reader) relieve() {
	if r.relief.waits.Load() && !r.relief.isStuck() {
		r.relief.timer.Reset(relieveAfter)
		return
	}
	if !r.relief.waits.CompareAndSwap(true, false) {
		return
	}
	r.facts.proc.memories.late.Add(1)
	now := monotonic()
	r.losses.Add(1)
	r.blinded.Store(max(r.blinded.Load(), now))
	r.tracker.add(traceEvent{kind: blindEvent, at: r.relief.at, until: now})
	r.networks.miss()
	// Privileges may have been dropped since the first reader was given its priority.
	_ = setNice(r.relief.next())
}

// sleeps reports whether a thread of ours waits without being interrupted by signals
// (state D, proc_pid_stat(5)), as who waits for a memory's lock does.
func sleeps(thread int) bool {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", thread))
	return bytes.HasPrefix(line[bytes.LastIndexByte(line, ')')+1:], []byte(" D"))
}

// leave ends a reader whose place another has taken.
func (r *reader) leave() {
	for _, l := range r.looks {
		unix.Close(l.dir)
	}
	r.relief.timer = nil
	runtime.Goexit()
}

// end says that there is no reader any more, unless another goes on.
func (r *reader) end() {
	if r.relief.timer != nil {
		r.relief.timer.Stop()
		close(r.ended)
	}
}
