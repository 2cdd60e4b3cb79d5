package attribution

import (
	"cmp"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// tick is the step of start times in /proc.
	tick = time.Second / ticksPerSecond
	// olderInARow processes, in the order of their pids, show that no younger
	// one follows. One alone does not: when pids start over, the new ones
	// stand between old ones.
	olderInARow = 8
	// newest is how many of the youngest processes are looked at before those
	// that opened connections earlier: of 8 short-lived callers at once, the
	// one looked for was among the 6 youngest 9 times out of 10.
	newest = 8
	// askAgain is after how many processes a search makes sure that what it
	// looks for is still there: that takes 10 µs, a process about 40.
	askAgain = 8
	// maxSiblings are looked at for a socket that was inherited: 0.1 ms.
	maxSiblings = 32
	// freshFor is how long after a connection was seen a later one with its
	// tuple is known of: maxRecent are remembered.
	freshFor = 250 * time.Millisecond
)

// visit is one search for the processes that hold some sockets.
//
// Looking at all descriptors of all processes takes up to 100 ms where there
// are 1,500, so it stops as soon as it can tell: a process that has inherited a
// connection was forked after it was opened, hence is among the youngest, which
// are looked at first and completely; who opened it comes next. The parents of
// holders and their other children follow, for sockets that were inherited
// before they connected. For a connection whose opening was not seen all are
// looked at. Not found out is to whom a descriptor was sent over a unix(7)
// socket.
type visit struct {
	*search
	open      func(Tuple, uint64) bool // whether the tuple still is that of the socket
	wanted    map[uint64]*target       // by inode
	began     time.Time
	opened    time.Time // when the first of them was opened
	until     time.Time
	seen      map[int]bool // by pid
	pids      func() []int // all processes, the youngest first
	outOfTime bool
}

// target is a socket looked for.
type target struct {
	tuple   Tuple
	at      time.Time // when it was seen first
	holders []holder
	closed  bool
}

// holder is a process that holds a socket.
type holder struct {
	process Process
	stat    procStat
	// exact is false if it let go of the socket while its facts were read: it
	// may be another program since, if it called execve(2).
	exact bool
	// descriptor is the one under which it was found to hold the socket.
	descriptor string
}

func newVisit(s *search, open func(Tuple, uint64) bool) *visit {
	return &visit{
		search: s, open: open, began: s.now(), wanted: make(map[uint64]*target), seen: make(map[int]bool),
		pids: sync.OnceValue(func() []int { pids, _ := s.facts.proc.pids(); return pids }),
	}
}

// want adds a socket, which several queries can be for. Inode 0 is none.
func (v *visit) want(q query, inode uint64) {
	if inode == 0 {
		return
	}
	if len(v.wanted) == 0 || q.opened.Before(v.opened) {
		v.opened = q.opened
	}
	if q.until.After(v.until) {
		v.until = q.until
	}
	t := v.wanted[inode]
	if t == nil {
		t = &target{tuple: q.tuple, at: q.at}
		v.wanted[inode] = t
	}
	if q.at.Before(t.at) {
		t.at = q.at
	}
}

func (v *visit) run() {
	if len(v.wanted) == 0 {
		return
	}
	v.youngest()
	v.openers(v.recent)
	v.openers(v.callers.list)
	v.openers(v.pids)
	v.parents()
	v.siblings()
	for _, t := range v.wanted {
		t.sort()
	}
}

// status says what the answer to a query rests on. A process that started after
// the connection was seen has not opened it: it has inherited the descriptor
// from one that is gone, or the socket is that of a later connection.
func (v *visit) status(q query, holders []holder) Status {
	if len(holders) == 0 {
		return NotFound
	}
	late := v.began.Sub(q.at) > freshFor || v.heir(holders[0], q.at)
	exact := !slices.ContainsFunc(holders, func(h holder) bool { return !h.exact })
	switch {
	case late || v.outOfTime || !exact || holders[0].process.Start.After(q.at):
		return Inferred
	case len(holders) > 1:
		return Shared
	case q.caught != nil || v.mayHaveInherited(holders[0]):
		return Inferred // from one that has closed it by now
	}
	return Resolved
}

// heir reports whether the holder may have inherited the descriptor from a
// process that has ended, or from what it ran before: it was forked or called
// execve(2) after the connection was seen, or its parent has ended. Where
// that is not known to the microsecond, a child may be one that started within
// the tick in which the connection was seen, and whose parent is not known any
// more. In a machine whose births are known that is any such process.
func (v *visit) heir(h holder, seen time.Time) bool {
	if b := v.birthOf(h.process.PID); b.since != 0 {
		at := toMonotonic(seen)
		return b.since > at || b.exec != 0 && b.exec > at || b.parent != h.stat.parent
	}
	return (h.stat.parent <= 1 || v.births != nil) && h.process.Start.Add(tick).After(seen)
}

// mayHaveInherited reports whether the holder may have the socket from its
// parent, as others may have had. An old process shows by the address of its
// stack whether it called execve(2) since it was forked: that gives it another.
// What it kept open then is not known, nor is what a parent was that has just ended.
func (v *visit) mayHaveInherited(h holder) bool {
	if b := v.birthOf(h.process.PID); b.since != 0 {
		return !b.made(h.descriptor)
	}
	if h.stat.parent == 0 || h.stat.stack == 0 { // outside of our pid namespace, or not shown
		return false
	}
	parent, err := v.facts.proc.stat(h.stat.parent)
	return err != nil || parent.ended || parent.stack == h.stat.stack
}

func (v *visit) birthOf(pid int) birth {
	if v.births == nil {
		return birth{}
	}
	return v.births.birth(pid)
}

// youngest checks all processes that can have started after the first of the
// connections was opened.
func (v *visit) youngest() {
	if v.births != nil {
		if pids, all := v.births.after(toMonotonic(v.opened) - clockSlack); all {
			for _, pid := range pids {
				v.check(pid)
			}
			return
		}
	}
	older := 0
	for _, pid := range v.pids() {
		stat, err := v.facts.proc.stat(pid)
		switch {
		case err != nil:
		case v.facts.proc.started(stat).Add(tick).Before(v.opened):
			if older++; older == olderInARow {
				return
			}
		default:
			older = 0
			v.check(pid)
		}
	}
}

// recent returns those processes among which a short-lived caller is.
func (v *visit) recent() []int {
	if v.births != nil {
		return v.births.candidates()
	}
	return v.pids()[:min(newest, len(v.pids()))]
}

// openers checks the processes in order until for each socket one is found that
// can have opened it. Nobody lists them in vain: that takes 1 ms where there are
// 1,500.
func (v *visit) openers(list func() []int) {
	if !v.missing() {
		return
	}
	for i, pid := range list() {
		if !v.missing() || i%askAgain == 0 && !v.stillOpen() {
			return
		}
		v.check(pid)
	}
}

// parents checks those of all holders, up to one that does not hold the socket:
// whatever is inherited is so from parent to child.
func (v *visit) parents() {
	for _, t := range v.wanted {
		for i := 0; i < len(t.holders); i++ { // holders grows
			if parent := t.holders[i].stat.parent; parent > 0 {
				v.check(parent)
			}
		}
	}
}

// siblings checks the other children of the holders' parents, which can have
// the socket from that one, under the same descriptor.
func (v *visit) siblings() {
	for inode, t := range v.wanted {
		for _, h := range slices.Clone(t.holders) {
			pids := v.facts.proc.children(h.stat.parent)
			for _, pid := range pids[:min(len(pids), maxSiblings)] {
				link := v.facts.proc.path(pid, "fd", h.descriptor)
				if !t.heldBy(pid) && leadsTo(link, inode) && len(t.holders) <= MaxCandidates {
					v.hold(t, pid, inode, link)
				}
			}
		}
	}
}

// missing reports whether an opener is still to be found.
func (v *visit) missing() bool {
	for _, t := range v.wanted {
		if !t.closed && !t.hasOpener() {
			return true
		}
	}
	return false
}

// stillOpen gives up the sockets that are closed, and reports whether an opener
// is still to be found.
func (v *visit) stillOpen() bool {
	for inode, t := range v.wanted {
		t.closed = t.closed || !t.hasOpener() && !v.open(t.tuple, inode)
	}
	return v.missing()
}

// unknown returns the sockets that are open and of which no holder was found
// among all processes.
func (v *visit) unknown() (inodes []uint64) {
	for inode, t := range v.wanted {
		if len(t.holders) == 0 && !v.outOfTime && !t.closed && v.open(t.tuple, inode) {
			inodes = append(inodes, inode)
		}
	}
	return inodes
}

func (t *target) hasOpener() bool {
	return slices.ContainsFunc(t.holders, func(h holder) bool { return !h.process.Start.After(t.at) })
}

// sort puts the holder that started first at the front. Those of one tick were
// found youngest first.
func (t *target) sort() {
	slices.Reverse(t.holders)
	slices.SortStableFunc(t.holders, func(a, b holder) int { return cmp.Compare(a.stat.start, b.stat.start) })
}

// check looks at a process, once, while there is time.
func (v *visit) check(pid int) {
	v.outOfTime = v.outOfTime || !time.Now().Before(v.until)
	if v.outOfTime || v.seen[pid] {
		return
	}
	v.seen[pid] = true
	v.facts.proc.sockets(pid, func(inode uint64, link string) {
		if t := v.wanted[inode]; t != nil && !t.heldBy(pid) && len(t.holders) <= MaxCandidates {
			v.hold(t, pid, inode, link)
		}
	})
}

// heldBy reports whether the process is known to hold the socket. It can by
// several descriptors.
func (t *target) heldBy(pid int) bool {
	return slices.ContainsFunc(t.holders, func(h holder) bool { return h.process.PID == pid })
}

// hold reads who the process is that has the socket under the link. A process
// that ends meanwhile does not count; one that becomes another program is looked at again.
func (v *visit) hold(t *target, pid int, inode uint64, link string) {
	first, err := v.facts.proc.stat(pid)
	stat := first
	for range 2 {
		if err != nil || stat.start != first.start || stat.kernel { // which has files only while it works for others
			return
		}
		if process, ok := v.facts.identity(pid, stat, MaxArgsBytes); ok {
			t.holders = append(t.holders, holder{process, stat, leadsTo(link, inode), filepath.Base(link)})
			return
		}
		stat, err = v.facts.proc.stat(pid)
	}
}
