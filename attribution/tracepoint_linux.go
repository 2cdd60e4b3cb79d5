package attribution

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// traceNice is the nice value (setpriority(2)) of the thread that reads:
	// processes live a millisecond.
	traceNice = -20
	// traceSlice is the shortest time slice there is (sched_attr(7); as such
	// since Linux 6.12, before that it says nothing): who asks for less is let
	// run sooner when it wakes, also where nice values do not count.
	traceSlice = 100 * time.Microsecond
	// impairedFor is how long after a loss the other ways start at once.
	impairedFor = time.Second
	// endWithin is how long the reader may take to end: it looks for that after each
	// round, the longest of which take some 100 ms (argumentsWithin).
	endWithin = time.Second
	// forGood is the time of a loss that does not end.
	forGood = math.MaxInt64
)

// tracepoint is the witness that reads the kernel's own tracepoint for the
// states of TCP sockets, in all network namespaces, and those for what
// processes do.
type tracepoint struct {
	facts facts
	// processors are the reader's.
	processors processors
	rings      []*perfRing
	stacks     []*perfRing // of the same processors, none where stacks are not sampled
	decode     *decoder
	epoll      int
	wake       int           // eventfd(2): the reader is to end
	nudge      int           // eventfd(2): the reader is to read what there is
	ended      chan struct{} // closed when the reader has ended
	failure    chan struct{} // closed when what is read is not to be trusted any more; nil if it always is
	threads    []int         // the reader's, and those that it waits for
	slow       error         // why they have no raised priority, nil if they have
	less       []error       // why less is sampled of what processes do, nil if all is

	losses  atomic.Uint64 // records that the kernel had no room for
	blinded atomic.Int64  // when events were missing last, ns, 0 if never
	known   atomic.Int64  // all is known that happened until then, ns, CLOCK_MONOTONIC

	home     home      // mu guards it
	networks *follower // nil if none are followed
	claims   claims    // mu guards it
	// tracker is the reader's, but for the handshakes that ended: these, and
	// what follows, mu guards.
	tracker  *tracker
	mu       sync.Mutex
	watchers map[Tuple][]*watcher // by the tuple's ends
}

// watcher waits for the handshake on a tuple.
type watcher struct {
	tuple Tuple
	at    int64 // ns, CLOCK_MONOTONIC
	known func(Answer)
	// answered is true once known is called or about to be; the tracepoint's mu guards it.
	answered bool
}

func openTracepoint(p proc, f facts, o Options, networks *follower) (*tracepoint, error) {
	decode, events, less, err := tracepoints(p, o.ports())
	if err != nil {
		return nil, err
	}
	online, err := readProcessors(onlineFile)
	if err != nil {
		return nil, err
	}
	rings, err := openRings(events, eventRings())
	if err != nil {
		online.file.Close()
		return nil, err
	}
	stacks, lessStill := openStacks(decode)
	t := &tracepoint{
		facts: f, processors: online, rings: rings, stacks: stacks, decode: decode, less: append(less, lessStill...), epoll: -1, wake: -1, nudge: -1,
		ended: make(chan struct{}), failure: make(chan struct{}), watchers: make(map[Tuple][]*watcher),
		tracker: newTracker(decode.fork.id != 0, o.Services...), home: newHome(p),
		networks: networks, claims: newClaims(o.Services),
	}
	if err := t.start(); err != nil {
		t.release()
		return nil, err
	}
	t.beNice(t.runReader())
	return t, nil
}

func (t *tracepoint) start() (err error) {
	if t.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create: %w", err)
	}
	if t.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if t.nudge, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	// Each nudge wakes once, so that nobody needs to read how many there were.
	errs := []error{t.poll(t.wake, unix.EPOLLIN), t.poll(t.nudge, unix.EPOLLIN|unix.EPOLLET)}
	for _, r := range t.rings {
		errs = append(errs, t.poll(r.fds[0], unix.EPOLLIN))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	// The kernel samples what was enabled last first, so that with an event its
	// stack is there.
	for _, r := range slices.Concat(t.rings, t.stacks) {
		if err := r.enable(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tracepoint) poll(fd int, events uint32) error {
	if err := unix.EpollCtl(t.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

func (t *tracepoint) method() Method { return Tracepoint }

// lost also counts connections of which it is not known whether they were seen.
func (t *tracepoint) lost() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.losses.Load() + t.claims.lost
}

// expects: the kernel tells of all connections, as long as it is trusted.
func (t *tracepoint) expects(*query) bool { return t.blinded.Load() != forGood }

func (t *tracepoint) failed() <-chan struct{} { return t.failure }

func (t *tracepoint) impaired() bool {
	at := t.blinded.Load()
	return at != 0 && (at == forGood || monotonic()-at < int64(impairedFor))
}

func (t *tracepoint) knownUntil() time.Time {
	_, _ = unix.Write(t.nudge, binary.NativeEndian.AppendUint64(nil, 1)) // eventfd(2) takes 2^64 - 1 of these
	return t.hasRead()
}

// hasRead is until when all is known.
func (t *tracepoint) hasRead() time.Time { return toWall(t.known.Load()) }

func (t *tracepoint) close() error {
	if _, err := unix.Write(t.wake, binary.NativeEndian.AppendUint64(nil, 1)); err != nil {
		return fmt.Errorf("end the reader of events: %w", err)
	}
	if err := t.awaitEnd(); err != nil {
		return err
	}
	return t.release()
}

// awaitEnd waits for the reader, but not for long for one that is stuck in the kernel.
// That is left behind with all it reads from, until the program ends.
func (t *tracepoint) awaitEnd() error {
	select {
	case <-t.ended:
		return nil
	case <-time.After(endWithin):
		return errors.New("the reader of the kernel's events does not end")
	}
}

func (t *tracepoint) release() error {
	err := errors.Join(closeRings(slices.Concat(t.rings, t.stacks)), t.processors.file.Close())
	for _, fd := range []int{t.epoll, t.wake, t.nudge} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	return err
}

// watch looks among the handshakes that ended, or waits for the one that will.
func (t *tracepoint) watch(q query, known func(Answer)) (forget func() bool) {
	return t.await(q.tuple, toMonotonic(q.at), known)
}

func (t *tracepoint) await(tuple Tuple, at int64, known func(Answer)) (forget func() bool) {
	w := &watcher{tuple: tuple, at: at, known: known}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ambiguous := t.handshakeOf(tuple, w.at); h != nil {
		go func() { known(t.answer(h)) }()
		return func() bool { return false }
	} else if ambiguous {
		return func() bool { return true }
	}
	t.claims.claim(tuple, at, func(h *handshake) bool { return h.covers(at, clockSlack) && t.captures(tuple.Network, h) })
	t.watchers[tuple.ends()] = append(t.watchers[tuple.ends()], w)
	return func() bool { return t.forget(w) }
}

// handshakeOf returns the one whose first packet was captured then, unless there
// is no telling which of several it is, or whose: other ways may find who holds the
// socket. The caller holds mu.
func (t *tracepoint) handshakeOf(tuple Tuple, at int64) (h *handshake, ambiguous bool) {
	found := slices.DeleteFunc(t.tracker.handshakes.find(tuple.ends(), at), func(h *handshake) bool { return !t.captures(tuple.Network, h) })
	for _, h := range found {
		h.claimed = true
	}
	if len(found) == 1 && !found[0].byKernel() {
		return found[0], false
	}
	return nil, len(found) > 0
}

// forget ends a wait, unless it was answered.
func (t *tracepoint) forget(w *watcher) (unanswered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !w.answered {
		t.drop(w)
	}
	return !w.answered
}

// drop ends a wait. The caller holds mu.
func (t *tracepoint) drop(w *watcher) {
	tuple := w.tuple.ends()
	rest := slices.DeleteFunc(t.watchers[tuple], func(other *watcher) bool { return other == w })
	if len(rest) == 0 {
		delete(t.watchers, tuple)
		return
	}
	t.watchers[tuple] = rest
}

// tell answers those who waited for a handshake. The caller holds mu.
func (t *tracepoint) tell(h *handshake) {
	for _, w := range slices.Clone(t.watchers[h.tuple]) {
		if found, _ := t.handshakeOf(w.tuple, w.at); found != nil {
			t.drop(w)
			w.answered = true
			go func() { w.known(t.answer(found)) }()
		}
	}
	if t.claims.await(h, time.Now()) {
		t.watchClaims(ClaimWithin)
	}
}

// beNice has the threads that read run before others: processes live a
// millisecond.
func (t *tracepoint) beNice(reader int) {
	t.threads = append(t.facts.proc.memories.threads(), reader)
	t.slow = setPriorities(t.threads, unix.SchedAttr{Policy: unix.SCHED_NORMAL, Nice: traceNice, Runtime: uint64(traceSlice)})
}

func setPriorities(threads []int, a unix.SchedAttr) error {
	for _, thread := range threads {
		if err := setPriority(thread, a); err != nil {
			return err
		}
	}
	return nil
}

// setPriority has a thread run as it says. It takes the privilege CAP_SYS_NICE.
// Threads that the runtime starts from this one do not inherit it.
func setPriority(thread int, a unix.SchedAttr) error {
	a.Size, a.Flags = unix.SizeofSchedAttr, unix.SCHED_FLAG_RESET_ON_FORK
	return refused(unix.SchedSetAttr(thread, &a, 0), "run as root outside of containers, or with CAP_SYS_NICE")
}

func (t *tracepoint) runFirst() error {
	return setPriorities(t.threads, unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1})
}

// runReader starts a reader, and returns which thread it has for itself.
func (t *tracepoint) runReader() (thread int) {
	started := make(chan int)
	go t.run(started)
	return <-started
}

func (t *tracepoint) run(started chan<- int) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	started <- unix.Gettid()
	defer close(t.ended)
	r := newReader(t)
	ready := make([]unix.EpollEvent, 16)
	for wait := -1; ; {
		n, err := unix.EpollWait(t.epoll, ready, wait)
		if err != nil && err != unix.EINTR {
			return
		}
		for _, e := range ready[:max(n, 0)] {
			if int(e.Fd) == t.wake {
				return
			}
		}
		wait = r.round()
	}
}
