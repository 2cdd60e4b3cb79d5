package attribution

import (
	"slices"
	"time"
)

// staleAfter is how old the news of a process can be that is looked at still.
// After a stall of the whole machine there are a thousand of them, and looking
// at all would take longer than an answer may; most have ended anyway.
const staleAfter = 20 * time.Millisecond

// anyTime is the time of a loss since the events that were used already.
const anyTime = 1

// reader is what the thread has that reads the events.
type reader struct {
	*tracepoint
	bytes []byte // of a ring, used again
	stack []byte // of a ring of stacks, used again
	look  []byte // for looks at processes, used again
	looks []*look
	// connecting are the readings of this round of processes that connect, by pid and tid.
	connecting map[[2]int]*reading
	starts     execStarts
}

func newReader(t *tracepoint) *reader {
	return &reader{tracepoint: t, look: make([]byte, lookBuffer), connecting: make(map[[2]int]*reading)}
}

// round reads all rings once and works on what was in them. It returns after how
// many ms there is more to do without further events, -1 if there is nothing.
func (r *reader) round() (wait int) {
	began := monotonic()
	if looked := r.processors.looked; r.blinded.Load() != forGood && r.processors.changed(began, r.rings) {
		r.giveUp(looked + 1)
	}
	for i, ring := range r.rings {
		r.bytes = ring.read(r.bytes[:0])
		if i < len(r.stacks) {
			r.drainStacks(r.stacks[i])
		}
		r.drain(r.bytes, len(ring.data))
	}
	r.starts.forget(began)
	return r.settle(began)
}

// settle ends a round that began then: what is not urgent is read, and those who
// wait are told. It returns what round does.
func (r *reader) settle(began int64) (wait int) {
	for _, l := range r.looks {
		l.finish()
	}
	r.looks = r.looks[:0]
	clear(r.connecting)
	r.losses.Add(r.tracker.takeLate())
	r.mu.Lock()
	defer r.mu.Unlock()
	until := began - int64(holdBack)
	for _, h := range r.tracker.advance(until) {
		r.tell(h)
	}
	r.known.Store(min(until, r.tracker.untold()-1))
	return r.tracker.wait(began)
}

// giveUp is for when events may be missing since a point in time, and will be:
// no more is told, nor asked for. How many they are is not known; one stands for
// them.
func (r *reader) giveUp(since int64) {
	r.losses.Add(1)
	r.blinded.Store(forGood)
	r.tracker.add(traceEvent{kind: blindEvent, at: since, until: forGood})
	for _, ring := range slices.Concat(r.rings, r.stacks) {
		ring.disable()
	}
	r.networks.hearNothing()
	close(r.failure)
}

// drainStacks takes in the stacks of programs that are about to start. One that
// there was no room for is not missed: the process is looked at then.
func (r *reader) drainStacks(ring *perfRing) {
	r.stack = ring.read(r.stack[:0])
	for rest := r.stack; len(rest) > 0; {
		kind, body, after, err := nextRecord(rest)
		if err != nil {
			return
		}
		rest = after
		if kind != perfRecordSample {
			continue
		}
		if s, stack, err := parseStackSample(body); err == nil {
			args, cut, whole := stack.args()
			r.starts.add(execStart{s.pid, s.at, r.decode.exec.file.text(s.raw), args, cut, whole})
		}
	}
}

// drain takes in what a ring of the size had. One that was nearly full may have
// had no room for events since then: nobody knows which. Of those for which there was none
// while the ring was read the kernel tells only in the next round.
func (r *reader) drain(records []byte, size int) {
	missing := int64(0) // since when events may be, 0 if none are
	for rest := records; len(rest) > 0; {
		kind, body, after, err := nextRecord(rest)
		if err != nil {
			missing = anyTime // the rest cannot be read
			break
		}
		rest = after
		at := r.record(kind, body)
		switch {
		case kind == perfRecordLost:
			missing = anyTime
		case missing == 0 && at != 0 && len(records)-len(rest) > size-maxEvent:
			missing = at
		}
	}
	if missing != 0 {
		now := monotonic()
		r.blinded.Store(max(r.blinded.Load(), now)) // only the reader writes it
		r.tracker.add(traceEvent{kind: blindEvent, at: missing, until: now})
		r.networks.miss()
	}
}

// record takes in a record of a ring. It returns when it was made, 0 if that is
// not known.
func (r *reader) record(kind uint32, body []byte) (at int64) {
	switch kind {
	case perfRecordLost:
		if n, err := parsePerfLost(body); err == nil {
			r.losses.Add(n)
		}
	case perfRecordSample:
		s, err := parsePerfSample(body)
		if err != nil {
			return 0
		}
		if e, ok := r.decode.decode(s); ok {
			r.take(e)
		}
		return s.at
	}
	return 0
}

// take looks at once at the processes of an event, as they may end any moment,
// and returns the event with what it saw.
func (r *reader) take(e traceEvent) traceEvent {
	stale := monotonic()-e.at > int64(staleAfter)
	switch {
	case e.kind == connectEvent:
		r.connects(&e)
	case e.kind == execEvent:
		r.program(&e, stale)
	case e.kind == forkEvent && !stale:
		e.relatives = r.relatives(e.pid)
	}
	r.tracker.add(e)
	return e
}

// program finds out what a process runs from its execve(2) on. What the kernel
// did not tell is read of it.
func (r *reader) program(e *traceEvent, stale bool) {
	told := e.told(r.starts.take(*e))
	switch {
	case stale:
		r.networks.miss()
	case !r.tracker.knows(e.pid):
		r.lookAt(e)
	default:
		e.read = r.facts.proc.glance(told, len(told.Args) == 0, r.look)
		if r.networks.noticeProcess(e.pid) { // in a container
			r.facts.proc.addCgroup(e.read, r.look)
		}
	}
	if e.read == nil {
		e.read = &reading{process: Process{PID: e.pid}, began: e.at, ended: e.at}
	}
	e.read.tell(told)
}

// connects reads the process that connects, once for all connections of a thread that were
// made before: after a stall there are thousands, of a few processes.
func (r *reader) connects(e *traceEvent) {
	who := [2]int{e.pid, e.tid}
	if read := r.connecting[who]; read != nil && read.began >= e.at {
		e.read = read
		return
	}
	if r.lookAt(e); e.read != nil {
		r.connecting[who] = e.read
	}
}

// lookAt reads the process of an event and, if that is not known yet, what it
// descends from.
func (r *reader) lookAt(e *traceEvent) {
	known := r.tracker.knows(e.pid)
	l := r.begin(e.pid, known && e.kind == connectEvent && r.tracker.knowsProgram(e.pid))
	if l == nil {
		return
	}
	e.read = l.reading
	r.networks.notice(e.pid, e.read.network)
	if e.kind == connectEvent && e.tid != e.pid {
		l.thread(e.tid)
	}
	if !l.reading.known || known && e.kind == execEvent {
		return
	}
	e.relatives = r.relatives(l.reading.parent)
	if !known {
		e.relatives = append(e.relatives, l.reading)
	}
}

func (r *reader) begin(pid int, known bool) *look {
	if pid <= 0 {
		return nil
	}
	l := r.facts.proc.begin(pid, known, r.look)
	if l != nil {
		r.looks = append(r.looks, l)
	}
	return l
}

// relatives reads a process and its ancestors up to one that is known, the
// eldest first.
func (r *reader) relatives(pid int) (line []*reading) {
	for len(line) <= MaxAncestors && pid > 0 && !r.tracker.knows(pid) {
		if slices.ContainsFunc(line, func(other *reading) bool { return other.process.PID == pid }) {
			break
		}
		l := r.begin(pid, false)
		if l == nil {
			break
		}
		line = append(line, l.reading)
		pid = l.reading.parent
	}
	slices.Reverse(line)
	return line
}
