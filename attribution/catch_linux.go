package attribution

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// catchWithin bounds the look at the processes that may have opened a
// connection, in the goroutine that tells of connections: others wait.
const catchWithin = 400 * time.Microsecond

// catcher is the witness that catches the process at the first packet of its
// connection, while it lives: the kernel tells the socket, and the events of
// the proc connector which processes are so young that one of them may hold it.
// To find it so takes some 30 µs. What the process is was read when it called
// execve(2).
type catcher struct {
	*tracepoint
	sockets *sockDiag
	bell    int // eventfd(2): there is news
	ending  atomic.Bool

	// draining is held by who takes events in. What it holds up is more than
	// what newsMu guards.
	draining sync.Mutex
	events   *connector
	last     int64 // the time of the last event

	newsMu  sync.Mutex // guards what follows
	young   young
	spots   spots
	news    []traceEvent     // for the reader, in the order in which they came
	looks   map[*query]int64 // those under way, since when: what they find is news from then
	catches uint64           // so far
}

func openCatcher(p proc, sockets *sockDiag, networks *follower) (*catcher, error) {
	events, err := dialConnector(p)
	if err != nil {
		return nil, err
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("eventfd: %w", err), events.close())
	}
	c := &catcher{
		tracepoint: &tracepoint{
			facts: sockets.search.facts, ended: make(chan struct{}), watchers: make(map[Tuple][]*watcher), tracker: newTracker(true), home: newHome(p),
			networks: networks, claims: newClaims(nil),
		},
		sockets: sockets, bell: bell, events: events, young: young{from: monotonic()}, looks: make(map[*query]int64),
	}
	c.beNice(c.runReader())
	return c, nil
}

func (c *catcher) method() Method { return SockDiag }
func (c *catcher) impaired() bool { return false }

func (c *catcher) knownUntil() time.Time {
	c.ring()
	return c.hasRead()
}

func (c *catcher) close() error {
	c.ending.Store(true)
	c.ring()
	if err := c.awaitEnd(); err != nil {
		return err
	}
	return errors.Join(c.events.close(), unix.Close(c.bell))
}

func (c *catcher) ring() { _, _ = unix.Write(c.bell, []byte{0, 0, 0, 1, 0, 0, 0, 0}) }

// expects looks for the process behind the connection at once. It reports
// whether it was found and there is no doubt who opened the connection.
func (c *catcher) expects(q *query) bool {
	defer c.beginLook(q)()
	s, from, open := c.sockets.atOnce(q.tuple)
	if !open {
		return false
	}
	c.drain()
	at, when, found := c.find(s.inode)
	if !found {
		return false
	}
	q.caught = &caught{at.pid, when, time.Now(), s.uid}
	return c.confirm(q, s.inode, at.descriptor) && !c.sockets.elsewhere(q.tuple, from)
}

// beginLook takes note of a look, until what it returns is called.
func (c *catcher) beginLook(q *query) (end func()) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	c.looks[q] = monotonic()
	return func() {
		c.newsMu.Lock()
		defer c.newsMu.Unlock()
		delete(c.looks, q)
	}
}

// looksSince is when the first look began that is under way, a time if there is none.
func (c *catcher) looksSince(none int64) (first int64) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	first = none
	for _, began := range c.looks {
		first = min(first, began)
	}
	return first
}

// find looks for the socket, first where it was seen already. It says since when
// it was there, at the latest.
func (c *catcher) find(inode uint64) (at spot, when int64, found bool) {
	when = monotonic()
	at, found = c.seen(inode)
	if found && leadsTo(c.facts.proc.path(at.pid, "fd", strconv.Itoa(at.descriptor)), inode) {
		return at, when, true
	}
	end := when + int64(catchWithin)
	for _, pid := range c.candidates() {
		if when = monotonic(); when > end {
			break
		}
		if fd := c.look(pid, inode); fd != 0 {
			return spot{pid, fd}, when, true
		}
	}
	return spot{}, 0, false
}

func (c *catcher) seen(inode uint64) (spot, bool) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	return c.spots.take(inode)
}

// look returns the descriptor under which the process holds the socket, 0 if it
// is none of the lowest. Other sockets that it holds are remembered.
func (c *catcher) look(pid int, inode uint64) (held int) {
	c.facts.proc.lowSockets(pid, func(fd int, found uint64) bool {
		if found == inode {
			held = fd
			return false
		}
		c.newsMu.Lock()
		defer c.newsMu.Unlock()
		c.spots.put(found, spot{pid, fd})
		c.young.call(pid)
		return true
	})
	return held
}

// candidates, after and birth are what the catcher knows of births.

func (c *catcher) candidates() []int {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	return c.young.candidates(monotonic())
}

// confirm makes sure that the process opened the connection, and has the reader
// look at it. One that was forked later has inherited the socket, one that runs
// another program since may have left it to that, and one that shares it with
// others may not be the one that connected it.
func (c *catcher) confirm(q *query, inode uint64, fd int) bool {
	c.drain()
	p, read := c.youngster(q.caught.pid), (*reading)(nil)
	if !p.learnt {
		read = c.facts.proc.readAtOnce(p.pid)
	}
	seen := toMonotonic(q.at)
	if p.pid == 0 {
		q.caught = nil // not as young as it was taken for
		return false
	}
	if p.since > seen || p.exec > seen || c.shared(p, inode, fd) {
		return false
	}
	c.report(traceEvent{kind: connectEvent, at: q.caught.at, pid: p.pid, read: read}, q.tuple)
	return true
}

// youngster returns the process with the pid, an empty one if it is not known.
func (c *catcher) youngster(pid int) youngster {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	if p := c.young.find(pid); p != nil {
		return *p
	}
	return youngster{}
}

// report tells the reader of a connection as the kernel's tracepoint would, but
// that the handshake takes no time.
func (c *catcher) report(connect traceEvent, t Tuple) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	c.young.call(connect.pid)
	c.catches++
	connect.socket = c.catches
	c.news = append(c.news, connect, traceEvent{kind: endEvent, at: connect.at, socket: c.catches, tuple: t.ends()})
	c.ring()
}

// shared reports whether a process may hold the socket too to which it can have
// come by fork(2): a child, the parent or another child of the parent. If the
// parent has ended, others may have it from there. A program whose descriptor was
// free when it started has made the socket itself.
func (c *catcher) shared(p youngster, inode uint64, fd int) bool {
	mayHold := func(pid int) bool { return c.facts.proc.mayHold(pid, inode) }
	if slices.ContainsFunc(c.children(p.pid), mayHold) {
		return true
	}
	if p.exec != 0 && fd == p.free {
		return false
	}
	now, err := c.facts.proc.stat(p.pid)
	return err != nil || now.parent != p.parent || mayHold(p.parent) || c.siblingsShare(p, inode, fd)
}

// siblingsShare is for a socket that may be the parent's: its descriptor has the
// same number in all children, whatever they run. Who they are is not known where the
// parent's list has not even this one, as without CONFIG_PROC_CHILDREN, which has none.
func (c *catcher) siblingsShare(p youngster, inode uint64, fd int) bool {
	siblings := c.facts.proc.children(p.parent)
	return len(siblings) > maxSiblings || !slices.Contains(siblings, p.pid) || slices.ContainsFunc(siblings, func(pid int) bool {
		return pid != p.pid && mayLeadTo(unix.AT_FDCWD, c.facts.proc.path(pid, "fd", strconv.Itoa(fd)), inode)
	})
}

func (c *catcher) after(at int64) (pids []int, all bool) {
	c.drain()
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	return c.young.after(at)
}

// birth is asked for when a process was looked at: what it did until then counts, such as to
// become another program, also if the reader has not come to it.
func (c *catcher) birth(pid int) birth {
	c.drain()
	p := c.youngster(pid)
	return birth{p.parent, p.since, p.exec, p.free}
}

func (c *catcher) children(pid int) []int {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	return c.young.children(pid)
}

// watch tells who was caught as soon as all is known of it.
func (c *catcher) watch(q query, known func(Answer)) (forget func() bool) {
	return c.await(q.tuple, q.caught.at, func(a Answer) {
		a.Method, a.looked = SockDiag, q.caught.looked
		if p := a.Process; p != nil && p.User == nil {
			p.User = c.facts.user(&q.caught.uid) // who made the socket, as a rule to use it
		}
		known(a)
	})
}
