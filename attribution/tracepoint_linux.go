package attribution

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// holdBack is how long after it happened an event is waited for. From the
	// time stamp to the ring it takes microseconds; it is the hypervisor that
	// can stop a processor in between. An answer comes later by as much, which
	// nobody notices.
	holdBack = time.Millisecond
	// traceNice is the nice value (setpriority(2)) of the thread that reads:
	// processes live a millisecond.
	traceNice = -20
	// traceSlice is the shortest time slice there is (sched_attr(7); as such
	// since Linux 6.12, before that it says nothing): who asks for less is let
	// run sooner when it wakes, also where nice values do not count.
	traceSlice = 100 * time.Microsecond
	// impairedFor is how long after a loss the other ways start at once.
	impairedFor = time.Second
)

// tracepoint is the witness that reads the kernel's own tracepoint for the
// states of TCP sockets, in all network namespaces, and those for what
// processes do.
type tracepoint struct {
	facts  facts
	rings  []*perfRing
	decode *decoder
	epoll  int
	wake   int           // eventfd(2): the reader is to end
	ended  chan struct{} // closed when the reader has ended

	losses  atomic.Uint64 // records that the kernel had no room for
	blinded atomic.Int64  // when events were missing last, ns, 0 if never

	// tracker is the reader's, but for the handshakes that ended: these, and
	// what follows, mu guards.
	tracker  *tracker
	mu       sync.Mutex
	watchers map[Tuple][]*watcher
}

// watcher waits for the handshake on a tuple.
type watcher struct {
	at    int64 // ns, CLOCK_MONOTONIC
	known func(Answer)
}

func openTracepoint(p proc, f facts, ports []uint16, realTime bool) (*tracepoint, error) {
	decode, events, err := tracepoints(p, ports)
	if err != nil {
		return nil, err
	}
	rings, err := openRings(events)
	if err != nil {
		return nil, err
	}
	t := &tracepoint{
		facts: f, rings: rings, decode: decode, epoll: -1, wake: -1,
		ended: make(chan struct{}), watchers: make(map[Tuple][]*watcher),
		tracker: newTracker(decode.fork.id != 0),
	}
	if err := t.start(); err != nil {
		t.release()
		return nil, err
	}
	go t.run(realTime)
	return t, nil
}

// tracepoints says what to sample. Only the first is needed to tell who made a
// connection; without the others less is known of who that was.
func tracepoints(p proc, ports []uint16) (*decoder, []perfEvent, error) {
	fs, err := openTracefs()
	if err != nil {
		return nil, nil, err
	}
	defer fs.close()
	f, err := fs.format("sock/inet_sock_set_state")
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{}
	if d.socket, err = newSocketFormat(f); err != nil {
		return nil, nil, err
	}
	events := []perfEvent{{id: f.id, filter: socketFilter(ports), wakes: true}}
	if f, err := fs.format("sched/sched_process_exec"); err == nil {
		d.exec = f
		events = append(events, perfEvent{id: f.id, wakes: true})
	}
	if f, err := fs.format("sched/sched_process_exit"); err == nil {
		d.exit = newExitFormat(f)
		events = append(events, perfEvent{id: f.id, filter: d.exit.filter()})
	}
	if f, err := fs.format("task/task_newtask"); err == nil && p.isInitialPIDNamespace() {
		if d.fork, err = newForkFormat(f); err == nil {
			events = append(events, perfEvent{id: f.id, filter: fmt.Sprintf("!(clone_flags & %d)", cloneThread)})
		}
	}
	return d, events, nil
}

// socketFilter lets through the two ends of handshakes with the ports.
func socketFilter(ports []uint16) string {
	var list []string
	for _, port := range ports {
		list = append(list, fmt.Sprintf("dport == %d", port))
	}
	return fmt.Sprintf("(%s) && protocol == %d && (oldstate == %d || newstate == %d)",
		strings.Join(list, " || "), protocolTCP, stateSynSent, stateSynSent)
}

func (f exitFormat) filter() string {
	if !f.tells {
		return ""
	}
	return "group_dead == 1"
}

func (t *tracepoint) start() (err error) {
	if t.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create: %w", err)
	}
	if t.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	fds := []int{t.wake}
	for _, r := range t.rings {
		fds = append(fds, r.fds[0])
	}
	for _, fd := range fds {
		e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
		if err := unix.EpollCtl(t.epoll, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
			return fmt.Errorf("epoll_ctl: %w", err)
		}
	}
	for _, r := range t.rings {
		if err := r.enable(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tracepoint) method() Method { return Tracepoint }
func (t *tracepoint) lost() uint64   { return t.losses.Load() }

// expects: the kernel tells of all connections.
func (t *tracepoint) expects(*query) bool { return true }

func (t *tracepoint) impaired() bool {
	at := t.blinded.Load()
	return at != 0 && monotonic()-at < int64(impairedFor)
}

func (t *tracepoint) close() error {
	if _, err := unix.Write(t.wake, []byte{1, 0, 0, 0, 0, 0, 0, 1}); err != nil {
		return fmt.Errorf("end the reader of events: %w", err)
	}
	<-t.ended
	return t.release()
}

func (t *tracepoint) release() error {
	err := closeRings(t.rings)
	for _, fd := range []int{t.epoll, t.wake} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	return err
}

// watch looks among the handshakes that ended, or waits for the one that will.
func (t *tracepoint) watch(q query, known func(Answer)) (forget func()) {
	return t.await(q.tuple, toMonotonic(q.at), known)
}

func (t *tracepoint) await(tuple Tuple, at int64, known func(Answer)) (forget func()) {
	w := &watcher{at: at, known: known}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ambiguous := t.tracker.handshakes.find(tuple, w.at); h != nil {
		go func() { known(t.answer(h)) }()
		return func() {}
	} else if ambiguous {
		return func() {}
	}
	t.watchers[tuple] = append(t.watchers[tuple], w)
	return func() { t.forget(tuple, w) }
}

func (t *tracepoint) forget(tuple Tuple, w *watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(tuple, w)
}

// drop ends a wait. The caller holds mu.
func (t *tracepoint) drop(tuple Tuple, w *watcher) {
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
		if found, _ := t.tracker.handshakes.find(h.tuple, w.at); found != nil {
			t.drop(h.tuple, w)
			go func() { w.known(t.answer(found)) }()
		}
	}
}

// hurry raises the priority of the thread: processes live a millisecond.
// Without the privilege (CAP_SYS_NICE) it stays as it is. Threads that the
// runtime starts from it do not inherit it.
func hurry(realTime bool) {
	a := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Flags: unix.SCHED_FLAG_RESET_ON_FORK, Policy: unix.SCHED_NORMAL, Nice: traceNice, Runtime: uint64(traceSlice)}
	if realTime {
		a.Policy, a.Nice, a.Priority, a.Runtime = unix.SCHED_FIFO, 0, 1, 0
	}
	_ = unix.SchedSetAttr(0, a, 0) // 0 is this thread
}

// run is the reader.
func (t *tracepoint) run(realTime bool) {
	defer close(t.ended)
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	hurry(realTime)
	r := reader{tracepoint: t, look: make([]byte, lookBuffer)}
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
		wait = -1
		if r.round() {
			wait = int(holdBack / time.Millisecond)
		}
	}
}

// answer tells of the process behind a handshake what is certain: whatever was
// put in doubt is left out.
func (t *tracepoint) answer(h *handshake) Answer {
	if h.pid <= 0 {
		return Answer{Status: NotFound} // in a pid namespace that we cannot see into
	}
	p := t.process(h)
	for _, a := range h.ancestors() {
		p.Ancestors = append(p.Ancestors, *a)
	}
	return Answer{Status: Resolved, Method: Tracepoint, Process: &p}
}

func (t *tracepoint) process(h *handshake) Process {
	var image *reading
	if h.member != nil && h.member.image.says() {
		image = h.member.image
	}
	switch {
	case h.read.says():
		p, user := h.read.process, h.read.userID
		if image != nil {
			p = h.read.completed(image)
		}
		if user == nil && image != nil && h.member.own {
			user = image.userID
		}
		p.User = t.facts.user(user)
		return p
	case image != nil && h.member.own:
		p := image.process
		p.User = t.facts.user(image.userID)
		return p
	case image != nil:
		return t.inherited(h.member)
	}
	return Process{PID: h.pid}
}

// inherited is a process that ended before it could be read: it ran what its
// parent ran.
func (t *tracepoint) inherited(m *member) Process {
	i := m.image.process
	p := Process{PID: m.pid, Name: i.Name, Executable: i.Executable, Deleted: i.Deleted, Args: i.Args, ArgsTruncated: i.ArgsTruncated}
	if m.since != 0 {
		p.Start = t.facts.proc.startOf(m.since)
	}
	return p
}

// isInitialPIDNamespace reports whether our pids are the machine's, as are
// those in the fields of tracepoints. Samples have ours.
func (p proc) isInitialPIDNamespace() bool {
	namespace, err := os.Readlink(p.root + "/self/ns/pid")
	return err == nil && namespace == initialPIDNamespace
}
