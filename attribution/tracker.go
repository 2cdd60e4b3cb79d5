package attribution

import (
	"math"
	"net/netip"
	"slices"
	"time"
)

// tracker makes sense of events: which process began which connection, and what
// that process was then. It goes through them in the order in which they
// happened, so that what it knows of a process at an event is what was true
// then.
type tracker struct {
	order      traceOrder
	lineage    *lineage
	handshakes *handshakes
	// blind is up to when events are missing. What happens meanwhile is not
	// used, and what was known before neither.
	blind int64
	// unsure are readings that events still to come can put in doubt.
	unsure []*reading
	// ended are handshakes that wait to be settled.
	ended []*handshake
	// forks is true if forks are seen. Where they are not, a process that took
	// over a pid cannot be told from the one that had it.
	forks bool
}

// newTracker is for connections to the services, or to anybody if there are none.
func newTracker(forks bool, services ...netip.AddrPort) *tracker {
	return &tracker{lineage: newLineage(), handshakes: newHandshakes(services), forks: forks}
}

// execWindow is how long before its event an execve(2) may have begun to make
// another program of a process, ns: what is read of it meanwhile is the next
// one's (begin_new_exec, fs/exec.c). It takes 30 to 300 µs, more where the
// program comes from a disk.
const execWindow = 2_000_000

// add takes an event in, in any order. One that comes too late makes what is
// known of its processes worthless.
func (t *tracker) add(e traceEvent) {
	if e.kind == blindEvent {
		e.at = max(e.at, t.order.past+1)
	}
	if t.order.add(e) {
		return
	}
	t.doubt(e)
	t.lineage.forget(e.pid)
	t.lineage.forget(e.child)
	t.handshakes.forgetMember(e.pid, e.child)
	for _, h := range t.ended {
		h.forgetMember(e.pid, e.child)
	}
	delete(t.handshakes.opening, e.socket)
}

// takeLate returns how many events came too late since the last time.
func (t *tracker) takeLate() uint64 {
	late := t.order.late
	t.order.late = 0
	return late
}

// advance goes through the events up to a time, which no other will come
// before, and returns the handshakes of which all is known now.
func (t *tracker) advance(until int64) (settled []*handshake) {
	for _, e := range t.order.release(until) {
		t.apply(e)
	}
	past := t.order.past
	t.unsure = slices.DeleteFunc(t.unsure, func(r *reading) bool { return r.sure() <= past })
	t.ended = slices.DeleteFunc(t.ended, func(h *handshake) bool {
		if h.settled() > past {
			return false
		}
		settled = append(settled, h)
		t.handshakes.remember(h)
		return true
	})
	return settled
}

// untold is when the first handshake began that ended and is not told yet, in the far future if
// all are.
func (t *tracker) untold() int64 {
	first := int64(math.MaxInt64)
	for _, h := range t.ended {
		first = min(first, h.began)
	}
	return first
}

// wait returns after how many ms there is something to do without another event,
// at least 1: to tell a handshake. It is -1 if there is nothing.
func (t *tracker) wait(now int64) int {
	due := int64(math.MaxInt64)
	for _, h := range t.ended {
		due = min(due, h.settled())
	}
	for _, e := range t.order.held {
		switch e.kind {
		case connectEvent, endEvent:
			due = min(due, e.at+execWindow) // it is not told before
		case blindEvent:
			due = min(due, e.at)
		}
	}
	if due == math.MaxInt64 {
		return -1
	}
	const ms = int64(time.Millisecond)
	return int(max((due+int64(holdBack)-now+ms-1)/ms, 1))
}

// knows reports whether the process is known, or will be by what has come in.
func (t *tracker) knows(pid int) bool {
	return t.lineage.members[pid] != nil || t.order.holds(func(e traceEvent) bool {
		return e.kind == forkEvent && e.child == pid || e.kind == execEvent && e.pid == pid ||
			slices.ContainsFunc(e.relatives, func(r *reading) bool { return r.process.PID == pid })
	})
}

// knowsProgram reports whether it is known with what arguments the process runs
// what, by what has come in so far.
func (t *tracker) knowsProgram(pid int) bool {
	held := t.order.held
	for i := len(held) - 1; i >= 0; i-- {
		switch e := held[i]; {
		case e.kind == execEvent && e.pid == pid:
			return e.read.hasArgs()
		case e.kind == forkEvent && e.child == pid:
			pid = e.pid // it runs what its parent ran
		}
	}
	m := t.lineage.members[pid]
	return m != nil && m.image.hasArgs()
}

func (t *tracker) apply(e traceEvent) {
	if e.kind == blindEvent {
		t.lose(e.until)
		return
	}
	if e.at <= t.blind {
		return
	}
	t.doubt(e)
	for _, r := range e.relatives {
		t.watch(r)
		t.lineage.learn(r)
	}
	t.watch(e.read)
	switch e.kind {
	case connectEvent:
		t.connect(e)
	case endEvent:
		if h := t.handshakes.finish(e); h != nil {
			t.ended = append(t.ended, h)
		}
	case execEvent:
		t.lineage.exec(e.pid, e.read)
	case forkEvent:
		t.lineage.fork(e.pid, e.child, e.sibling, e.at)
	case exitEvent:
		t.lineage.forget(e.pid)
	}
}

// lose forgets what can have changed unseen.
func (t *tracker) lose(until int64) {
	t.blind = max(t.blind, until)
	t.lineage.forgetAll()
	t.handshakes.forgetOpening()
	for _, r := range t.unsure {
		r.doubt()
	}
}

// watch has a reading put in doubt by what happens before it ended.
func (t *tracker) watch(r *reading) {
	if r != nil {
		t.unsure = append(t.unsure, r)
	}
}

// doubt puts those readings in doubt during which the process called execve(2),
// or its pid became another's.
func (t *tracker) doubt(e traceEvent) {
	pid, window := 0, int64(0)
	switch {
	case e.kind == execEvent:
		pid, window = e.pid, execWindow
	case e.kind == exitEvent && !t.forks:
		pid = e.pid
	case e.kind == forkEvent:
		pid = e.child
	default:
		return
	}
	for _, r := range t.unsure {
		if r.process.PID == pid && e.at <= r.ended+window {
			r.doubt()
		}
	}
}

func (t *tracker) connect(e traceEvent) {
	h := &handshake{pid: e.pid, began: e.at, read: e.read, member: t.lineage.find(e.pid)}
	if h.member != nil {
		h.line = h.member.ancestors
	}
	h.lineRead = t.lineage.lineOf(e.read)
	t.handshakes.begin(e.socket, h)
}
