package attribution

import (
	"cmp"
	"slices"
	"time"
)

// maxYoung processes are remembered, those among which a short-lived caller is:
// as many as start within 50 ms where 5,000 do in a second. They take 16 KiB.
const maxYoung = 256

// freshly is how long ago a process has started that is looked at first: of 32
// at once on 2 processors one takes 30 ms.
const freshly = 100 * time.Millisecond

// youngster is a process that started a short while ago.
type youngster struct {
	pid    int
	parent int   // who forked it, 0 if that was not seen
	since  int64 // when it was forked, ns, CLOCK_MONOTONIC
	exec   int64 // when it called execve(2) last, 0 if it did not
	called bool  // it has a socket
	forked bool  // it has children
	learnt bool  // what it runs was read, or is what its parent runs
	free   int   // its lowest descriptor that was free after the execve(2), 0 if not known
}

// young are the processes that started last and live, by the events of them.
type young struct {
	list []youngster // the youngest last
	// from is since when all are known that were forked, but for those that
	// had no room in the list.
	from int64
}

// take follows an event.
func (y *young) take(e traceEvent) {
	switch e.kind {
	case forkEvent:
		if p := y.find(e.pid); p != nil {
			p.forked = true
		}
		y.drop(e.child)
		if len(y.list) == maxYoung {
			y.from = y.list[0].since + 1
			y.list = slices.Delete(y.list, 0, 1)
		}
		y.list = append(y.list, youngster{pid: e.child, parent: e.pid, since: e.at, learnt: true})
	case execEvent:
		if p := y.find(e.pid); p != nil {
			p.exec, p.learnt, p.free = e.at, false, 0
		}
	case exitEvent:
		y.drop(e.pid)
	case blindEvent:
		y.list, y.from = y.list[:0], e.until
	}
}

// find returns the process with the pid, nil if it is not among them. It is
// valid until the next event.
func (y *young) find(pid int) *youngster {
	if i := y.index(pid); i >= 0 {
		return &y.list[i]
	}
	return nil
}

// learn notes that what the process of an execEvent runs was read, and which was
// its lowest free descriptor then.
func (y *young) learn(e traceEvent, free int) {
	if p := y.find(e.pid); p != nil && p.exec == e.at {
		p.learnt, p.free = true, free
	}
}

// call notes that the process has a socket.
func (y *young) call(pid int) {
	if p := y.find(pid); p != nil {
		p.called = true
	}
}

func (y *young) index(pid int) int {
	return slices.IndexFunc(y.list, func(p youngster) bool { return p.pid == pid })
}

func (y *young) drop(pid int) {
	if i := y.index(pid); i >= 0 {
		y.list = slices.Delete(y.list, i, i+1)
	}
}

// candidates returns the pids in the order in which who calls now is likely
// among them. A program that is about to call was started a moment ago, as a
// rule calls once, and has no others call for it.
func (y *young) candidates(now int64) []int {
	list := slices.Clone(y.list)
	slices.SortStableFunc(list, func(a, b youngster) int {
		if rank := a.rank(now); rank == b.rank(now) && rank == forkedRank {
			return cmp.Compare(a.since, b.since)
		}
		return cmp.Or(a.rank(now)-b.rank(now), cmp.Compare(b.latest(), a.latest()))
	})
	pids := make([]int, len(list))
	for i, p := range list {
		pids[i] = p.pid
	}
	return pids
}

// latest is when it last became another process or program.
func (p youngster) latest() int64 { return max(p.since, p.exec) }

// forkedRank is that of processes which run what their parents run. They get
// their turn in the order in which they were forked. Others have just had it
// when they call execve(2).
const forkedRank = 1

// rank is lower for those to look at first.
func (p youngster) rank(now int64) int {
	switch {
	case now-p.latest() > int64(freshly):
		return 3
	case p.called || p.forked:
		return 2
	case p.exec == 0:
		return forkedRank
	}
	return 0
}

// children returns those that the process has forked.
func (y *young) children(pid int) (pids []int) {
	for _, p := range y.list {
		if p.parent == pid {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// after returns the pids of all that were forked since then, the youngest
// first, false if not all are known.
func (y *young) after(at int64) (pids []int, all bool) {
	for _, p := range slices.Backward(y.list) {
		if p.since >= at {
			pids = append(pids, p.pid)
		}
	}
	return pids, at >= y.from
}
