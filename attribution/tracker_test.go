package attribution

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// The times in these tests are in ns; what happens on the wire stands between
// the events that it causes.

func one() Tuple { return tuple("10.0.0.1:1000", "169.254.169.254:80") }
func two() Tuple { return tuple("10.0.0.1:2000", "169.254.169.254:80") }

func connectAt(at int64, pid int, socket uint64) traceEvent {
	return traceEvent{kind: connectEvent, at: at, pid: pid, socket: socket}
}

func endAt(at int64, socket uint64, t Tuple) traceEvent {
	return traceEvent{kind: endEvent, at: at, socket: socket, tuple: t}
}

func execAt(at int64, pid int, r *reading) traceEvent {
	return traceEvent{kind: execEvent, at: at, pid: pid, read: r}
}

func forkAt(at int64, pid, child int) traceEvent {
	return traceEvent{kind: forkEvent, at: at, pid: pid, child: child}
}

// readingOf is of a process that runs a program.
func readingOf(pid int, program string, began, ended int64) *reading {
	return &reading{
		process: Process{PID: pid, Name: program, Executable: "/bin/" + program, Args: []string{program}},
		parent:  1, known: true, began: began, ended: ended,
	}
}

const later = 1_000_000_000 // past all events of these tests

// apart sets what happens as far apart as an execve(2) takes: what is read before
// one is then not in doubt.
func apart(events []traceEvent) []traceEvent {
	const far = execWindow + 1
	for i := range events {
		e := &events[i]
		e.at, e.until = e.at*far, e.until*far
		for _, r := range append(e.relatives[:len(e.relatives):len(e.relatives)], e.read) {
			if r != nil && r.ended < far {
				r.began, r.ended = r.began*far, r.ended*far
			}
		}
	}
	return events
}

// settle has the tracker go through the events in the order in which they come
// in, and returns the handshakes.
func settle(events ...traceEvent) (*tracker, []*handshake) {
	t := newTracker(true)
	for _, e := range events {
		t.add(e)
	}
	return t, t.advance(later)
}

func TestTrackerFindsWhoConnected(t *testing.T) {
	for _, test := range []struct {
		name   string
		events []traceEvent
		tuple  Tuple
		at     int64
		pid    int // 0 for not known
	}{
		{"a handshake", []traceEvent{connectAt(100, 5, 77), endAt(300, 77, one())}, one(), 200, 5},
		{
			"events of two processors, the second read first",
			[]traceEvent{endAt(300, 77, one()), connectAt(100, 5, 77)}, one(), 200, 5,
		},
		{
			"a socket used again, events out of order",
			[]traceEvent{
				connectAt(100, 5, 77), connectAt(400, 6, 77), // one processor
				endAt(600, 77, two()), endAt(300, 77, one()), // the other
			}, two(), 500, 6,
		},
		{
			"a socket used again, the earlier connection",
			[]traceEvent{
				connectAt(100, 5, 77), connectAt(400, 6, 77), endAt(600, 77, two()), endAt(300, 77, one()),
			}, one(), 200, 5,
		},
		{
			"a tuple used again, the first",
			[]traceEvent{
				connectAt(100_000, 5, 77), endAt(200_000, 77, one()), connectAt(300_000, 6, 78), endAt(400_000, 78, one()),
			}, one(), 150_000, 5,
		},
		{
			"a tuple used again, the second",
			[]traceEvent{
				connectAt(100_000, 5, 77), endAt(200_000, 77, one()), connectAt(300_000, 6, 78), endAt(400_000, 78, one()),
			}, one(), 350_000, 6,
		},
		{
			"a tuple used again, the first not seen",
			[]traceEvent{connectAt(300_000, 6, 78), endAt(400_000, 78, one())}, one(), 150_000, 0,
		},
		{"the end not seen, the socket used again", []traceEvent{connectAt(100, 5, 77), connectAt(400, 6, 77), endAt(600, 77, two())}, two(), 500, 6},
		{"the beginning not seen", []traceEvent{endAt(300, 77, one())}, one(), 200, 0},
		{"no port was free", []traceEvent{connectAt(100, 5, 77), endAt(300, 77, tuple("10.0.0.1:0", "169.254.169.254:80"))}, one(), 200, 0},
		{"another tuple", []traceEvent{connectAt(100, 5, 77), endAt(300, 77, one())}, two(), 200, 0},
		{"two at once, as in two namespaces", []traceEvent{
			connectAt(100, 5, 77), connectAt(110, 6, 78), endAt(300, 77, one()), endAt(310, 78, one()),
		}, one(), 200, 0},
		{"the clocks differ a little", []traceEvent{connectAt(100_000, 5, 77), endAt(300_000, 77, one())}, one(), 100_000 - clockSlack, 5},
		{"events are missing between the two", []traceEvent{
			connectAt(100, 5, 77), {kind: blindEvent, at: 150, until: 250}, endAt(300, 77, one()),
		}, one(), 200, 0},
		{"the beginning among missing events", []traceEvent{
			{kind: blindEvent, at: 50, until: 150}, connectAt(100, 5, 77), endAt(300, 77, one()),
		}, one(), 200, 0},
		{"after missing events", []traceEvent{
			{kind: blindEvent, at: 50, until: 90}, connectAt(100, 5, 77), endAt(300, 77, one()),
		}, one(), 200, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			tracker, _ := settle(test.events...)
			pid := 0
			if found := tracker.handshakes.find(test.tuple, test.at); len(found) == 1 {
				pid = found[0].pid
			}
			if pid != test.pid {
				t.Errorf("pid %d, want %d", pid, test.pid)
			}
		})
	}
}

// program is what the process of a handshake is known to run, "" if nothing is.
func program(h *handshake) string {
	switch {
	case h.read.says():
		return h.read.process.Name
	case h.member != nil && h.member.image.says():
		return h.member.image.process.Name
	}
	return ""
}

func names(line []kin) (names []string) {
	for _, k := range line {
		names = append(names, fmt.Sprintf("%d %s", k.pid, k.image.process.Name))
	}
	return names
}

func TestTrackerKnowsTheProgram(t *testing.T) {
	learnt := func(e traceEvent, relatives ...*reading) traceEvent {
		e.relatives = relatives
		return e
	}
	shell := func() *reading { return readingOf(4, "sh", 10, 20) }
	with := func(e traceEvent, r *reading) traceEvent {
		e.read = r
		return e
	}
	for _, test := range []struct {
		name   string
		events []traceEvent
		want   string
		line   []string
	}{
		{"fork and exec", []traceEvent{
			learnt(forkAt(10, 4, 5), shell()), execAt(30, 5, readingOf(5, "curl", 35, 40)),
		}, "curl", []string{"4 sh"}},
		{"fork without exec", []traceEvent{learnt(forkAt(10, 4, 5), shell())}, "sh", []string{"4 sh"}},
		{"parent that is known only since the exec", []traceEvent{
			forkAt(10, 1, 5), learnt(execAt(30, 5, readingOf(5, "curl", 35, 40)), readingOf(1, "init", 36, 37)),
		}, "curl", []string{"1 init"}},
		{"parent that is known only since the connection", []traceEvent{
			execAt(30, 5, nil), with(learnt(connectAt(99, 5, 77), readingOf(1, "init", 99, 100)), readingOf(5, "curl", 99, 100)), endAt(100, 77, one()),
		}, "curl", []string{"1 init"}},
		{"a sibling", []traceEvent{
			learnt(forkAt(10, 3, 4), readingOf(3, "init", 11, 12)), {kind: forkEvent, at: 30, pid: 4, child: 5, sibling: true},
		}, "init", []string{"3 init"}},
		{"exec that was not read", []traceEvent{learnt(forkAt(10, 4, 5), shell()), execAt(30, 5, nil)}, "", []string{"4 sh"}},
		{"exec replaced before it was read", []traceEvent{
			execAt(30, 5, readingOf(5, "curl", 50, 60)), execAt(40, 5, nil),
		}, "", nil},
		{"exec replaced while it was read", []traceEvent{
			execAt(30, 5, readingOf(5, "env", 35, 45)), execAt(40, 5, readingOf(5, "curl", 50, 60)),
		}, "curl", nil},
		{"pid of one that ended", []traceEvent{
			execAt(10, 5, readingOf(5, "old", 11, 12)), {kind: exitEvent, at: 20, pid: 5}, learnt(forkAt(30, 4, 5), shell()),
		}, "sh", []string{"4 sh"}},
		{"pid of one that ended, its exit unseen", []traceEvent{
			execAt(10, 5, readingOf(5, "old", 11, 12)), learnt(forkAt(30, 4, 5), shell()),
		}, "sh", []string{"4 sh"}},
		{"pid taken over while it was read", []traceEvent{
			execAt(10, 5, readingOf(5, "other's", 11, 40)), {kind: exitEvent, at: 20, pid: 5}, forkAt(30, 4, 5),
		}, "", nil},
		{"events missing since", []traceEvent{
			execAt(10, 5, readingOf(5, "old", 11, 12)), {kind: blindEvent, at: 20, until: 25},
		}, "", nil},
		{"read while events are missing", []traceEvent{
			execAt(10, 5, readingOf(5, "old", 11, 22)), {kind: blindEvent, at: 20, until: 25},
		}, "", nil},
		{"the parent runs another program since", []traceEvent{
			learnt(forkAt(15, 4, 5), shell()), execAt(30, 4, readingOf(4, "other", 31, 32)),
		}, "sh", []string{"4 sh"}},
		{"not seen before", []traceEvent{
			learnt(with(connectAt(99, 5, 78), readingOf(5, "agent", 99, 100)), readingOf(1, "init", 99, 100), readingOf(5, "agent", 99, 100)),
		}, "agent", []string{"1 init"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, settled := settle(apart(append(test.events, connectAt(100, 5, 77), endAt(300, 77, one())))...)
			if len(settled) == 0 {
				t.Fatal("no handshake")
			}
			if got := program(settled[0]); got != test.want {
				t.Errorf("program %q, want %q", got, test.want)
			}
			if got := names(settled[0].ancestors()); !slices.Equal(got, test.line) {
				t.Errorf("ancestors %v, want %v", got, test.line)
			}
		})
	}
}

// What was read in connect(2) is what counts, unless the process ran another
// program meanwhile: then it is what it ran before.
func TestTrackerReadInConnect(t *testing.T) {
	const far = execWindow + 1
	for _, test := range []struct {
		name   string
		execAt int64
		want   string
	}{
		{"no exec", 0, "now"},
		{"exec while it was read", 110 * far, "before"},
		{"exec soon after it was read: the next program may have been loaded", 120*far + execWindow, "before"},
		{"exec after it was read", 120*far + execWindow + 1, "now"},
	} {
		c := connectAt(100, 5, 77)
		c.read = readingOf(5, "now", 105, 120)
		events := apart([]traceEvent{execAt(10, 5, readingOf(5, "before", 11, 12)), c, endAt(300, 77, one())})
		if test.execAt != 0 {
			events = append(events, execAt(test.execAt, 5, nil))
		}
		_, settled := settle(events...)
		if len(settled) != 1 || program(settled[0]) != test.want {
			t.Errorf("%s: %d handshakes, %q", test.name, len(settled), program(settled[0]))
		}
	}
}

// Without forks there is no telling who has a pid after its process ended.
func TestTrackerWithoutForks(t *testing.T) {
	tracker := newTracker(false)
	tracker.add(execAt(10, 5, readingOf(5, "other's", 11, 40)))
	tracker.add(connectAt(15, 5, 77))
	tracker.add(traceEvent{kind: exitEvent, at: 20, pid: 5})
	tracker.add(endAt(30, 77, one()))
	settled := tracker.advance(later)
	if len(settled) != 1 || settled[0].pid != 5 || program(settled[0]) != "" {
		t.Errorf("%+v", settled)
	}
}

// A handshake is not told before all events are there that can put in doubt
// what was read of its process.
func TestTrackerWaitsUntilSure(t *testing.T) {
	tracker := newTracker(true)
	c := connectAt(100, 5, 77)
	c.read = readingOf(5, "curl", 105, 500)
	tracker.add(c)
	tracker.add(endAt(200, 77, one()))
	if wait := tracker.wait(200); wait != int((100+execWindow+holdBack.Nanoseconds()-200)/1_000_000)+1 {
		t.Errorf("events that were not looked at are waited for for %d ms", wait)
	}
	if settled := tracker.advance(400); len(settled) != 0 {
		t.Errorf("told too early: %v", settled)
	}
	if wait := tracker.wait(400); wait != int((500+execWindow+holdBack.Nanoseconds()-400)/1_000_000)+1 {
		t.Errorf("a handshake that may be in doubt still is waited for for %d ms", wait)
	}
	tracker.add(execAt(450, 5, nil))
	settled := tracker.advance(500 + execWindow)
	if len(settled) != 1 || program(settled[0]) != "" || tracker.wait(500) != -1 {
		t.Errorf("%d handshakes", len(settled))
	}
}

// What comes later than it may is not used, nor what it makes wrong.
func TestTrackerLateEvents(t *testing.T) {
	tracker := newTracker(true)
	tracker.add(execAt(10, 5, readingOf(5, "old", 11, 12)))
	tracker.add(connectAt(100, 4, 77))
	tracker.advance(200)
	tracker.add(execAt(150, 5, nil))
	tracker.add(connectAt(150, 6, 77))
	tracker.add(endAt(300, 77, one()))
	tracker.add(connectAt(310, 5, 78))
	tracker.add(endAt(400, 78, two()))
	settled := tracker.advance(later)
	if late := tracker.takeLate(); len(settled) != 1 || settled[0].pid != 5 || program(settled[0]) != "" || late != 2 || tracker.takeLate() != 0 {
		t.Errorf("%d handshakes, %d late", len(settled), late)
	}
	tracker.add(traceEvent{kind: blindEvent, at: 300, until: later + 100})
	tracker.add(connectAt(later+50, 5, 79))
	tracker.add(endAt(later+200, 79, one()))
	if settled := tracker.advance(2 * later); len(settled) != 0 {
		t.Errorf("a loss that comes late is not heeded: %+v", settled[0])
	}
	if late := tracker.takeLate(); late != 0 {
		t.Errorf("a loss that comes late counts as %d events", late)
	}
}

func TestTrackerIsBounded(t *testing.T) {
	tracker := newTracker(true)
	for i := range 3 * maxHandshakes {
		at := int64(i + 1)
		tracker.add(connectAt(at, i, uint64(i)))
		tracker.add(forkAt(at, 1, i+10))
		tracker.add(endAt(at, uint64(i), tuple(fmt.Sprintf("10.0.0.1:%d", i+1), "10.0.0.2:80")))
		tracker.add(connectAt(at, i, uint64(1_000_000+i))) // never ends
		tracker.advance(at)
	}
	tracker.advance(later)
	h := tracker.handshakes
	if len(h.opening) > 2*maxOpening || len(h.order) > 2*maxOpening || len(h.ring) != maxHandshakes || len(h.ended) != maxHandshakes {
		t.Errorf("%d and %d under way, %d and %d ended", len(h.opening), len(h.order), len(h.ring), len(h.ended))
	}
	if n := len(tracker.lineage.members); n != maxMembers {
		t.Errorf("%d processes", n)
	}
	if len(tracker.unsure)+len(tracker.ended)+len(tracker.order.held) != 0 {
		t.Error("something is kept that nobody waits for")
	}
}

func TestLineageIsBoundedInBytes(t *testing.T) {
	l := newLineage()
	for pid := 1; pid < maxMembers; pid++ {
		r := readingOf(pid, "x", 0, 0)
		r.process.Args = []string{string(make([]byte, MaxArgsBytes))}
		l.exec(pid, r)
	}
	if l.bytes > maxMembersBytes || len(l.members) > maxMembersBytes/MaxArgsBytes || l.find(maxMembers-1) == nil {
		t.Errorf("%d bytes, %d processes", l.bytes, len(l.members))
	}
	for pid := 1; pid < maxMembers; pid++ {
		l.forget(pid)
	}
	if l.bytes != 0 || l.used.Len() != 0 {
		t.Errorf("%d bytes of %d processes are left", l.bytes, l.used.Len())
	}
}

// What is put in doubt after it was counted takes no room for ever.
func TestLineageCountsWhatItKeeps(t *testing.T) {
	tracker := newTracker(true)
	long := string(make([]byte, MaxArgsBytes-1))
	for i := range int64(2 * maxMembersBytes / MaxArgsBytes) {
		read := readingOf(5, "x", 2*i+1, 2*i+2) // during which the next execve(2) is
		read.process.Args = []string{long}
		read.tell(&Process{PID: 5, Name: "x"})
		tracker.add(execAt(2*i+1, 5, read))
		tracker.add(forkAt(2*i+1, 5, int(i)+10))
	}
	tracker.advance(later)
	tracker.add(execAt(2*later, 6, readingOf(6, "y", 2*later, 2*later+1)))
	tracker.advance(3 * later)
	if tracker.lineage.find(6) == nil {
		t.Error("nothing is remembered any more")
	}
	for pid := range tracker.lineage.members {
		tracker.lineage.forget(pid)
	}
	if tracker.lineage.bytes != 0 {
		t.Errorf("%d bytes of nothing are counted", tracker.lineage.bytes)
	}
}

// What is read of a parent is put in doubt for its children too, also if they
// were forked before that came out.
func TestAncestorsInDoubt(t *testing.T) {
	shell := readingOf(4, "other", 30, 50) // read late: it runs another program by then
	shell.tell(&Process{PID: 4, Name: "sh", Args: []string{"sh", "-c", "client & exec other"}})
	_, settled := settle(
		execAt(1, 4, shell), forkAt(10, 4, 5), execAt(20, 4, nil), connectAt(60, 5, 77), endAt(70, 77, one()),
	)
	if len(settled) != 1 {
		t.Fatalf("%d handshakes", len(settled))
	}
	line := settled[0].ancestors()
	if len(line) != 1 || line[0].image.process.Name != "sh" || line[0].image.process.Executable != "" {
		t.Errorf("ancestors %+v", names(line))
	}
}

// An event that comes too late takes back what was known of its process.
func TestTrackerLateExec(t *testing.T) {
	tracker := newTracker(true)
	tracker.add(execAt(10, 5, readingOf(5, "old", 11, 12)))
	tracker.add(connectAt(200, 5, 77))
	tracker.add(connectAt(210, 5, 78))
	tracker.add(endAt(300, 77, one()))
	tracker.advance(400)
	tracker.add(execAt(100, 5, nil)) // before both
	tracker.add(endAt(500, 78, two()))
	settled := tracker.advance(later)
	if len(settled) != 2 || program(settled[0]) != "" || program(settled[1]) != "" {
		t.Errorf("%d handshakes, of %q", len(settled), program(settled[0]))
	}
}

// Parents that fork and end do not make an endless line.
func TestLineOfAncestorsIsBounded(t *testing.T) {
	l := newLineage()
	l.learn(readingOf(1, "daemon", 0, 0))
	for pid := 1; pid < 100; pid++ {
		l.fork(pid, pid+1, false, 0)
		l.forget(pid)
	}
	if n := len(l.find(100).ancestors); n != MaxAncestors {
		t.Errorf("%d ancestors", n)
	}
}

// A process that started after its child has taken over the parent's pid.
func TestParentYoungerThanChild(t *testing.T) {
	l := newLineage()
	parent, child := readingOf(4, "other", 0, 0), readingOf(5, "curl", 0, 0)
	parent.start, child.parent, child.start = 2*time.Second, 4, time.Second
	l.learn(parent)
	l.learn(child)
	if line := l.find(5).ancestors; line != nil {
		t.Errorf("ancestors %v", names(line))
	}
}

func TestCompleted(t *testing.T) {
	whole := readingOf(5, "curl", 0, 0)
	for _, test := range []struct {
		name string
		now  *reading
		want string
	}{
		{"ended while it was read", &reading{process: Process{PID: 5, Executable: "/bin/curl"}}, "[curl] /bin/curl curl"},
		{"read", readingOf(5, "curl -s", 0, 0), "[curl -s] /bin/curl -s curl -s"},
		{"another process", &reading{process: Process{PID: 5, Executable: "/bin/x"}, known: true, start: time.Second}, "[] /bin/x "},
	} {
		p := test.now.process
		if !test.now.contradicts(whole) {
			(&member{pid: 5, image: whole, own: true}).complete(&p)
		}
		if got := fmt.Sprint(p.Args, " ", p.Executable, " ", p.Name); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// Whatever the order of events, no process is taken for one that did not call
// connect(2), and nothing breaks.
func FuzzTracker(f *testing.F) {
	f.Add([]byte{1, 10, 5, 7, 2, 20, 0, 7, 3, 30, 5, 0, 4, 40, 5, 6, 5, 50, 5, 0, 6, 60, 9, 0})
	f.Add([]byte{1, 10, 5, 7, 1, 20, 6, 7, 2, 15, 0, 7, 2, 30, 0, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		tracker := newTracker(true)
		called := make(map[int]bool)
		for ; len(b) >= 4; b = b[4:] {
			e := traceEvent{kind: eventKind(b[0] % 8), at: int64(b[1]), pid: int(b[2]) + 1, socket: uint64(b[3]), child: int(b[3]) + 1, until: int64(b[1]) + int64(b[2])}
			e.tuple = one()
			if b[0]&64 != 0 {
				e.read = readingOf(e.pid, "p", e.at, e.at+int64(b[3]))
			}
			called[e.pid] = called[e.pid] || e.kind == connectEvent
			tracker.add(e)
			if b[0]&128 != 0 {
				tracker.advance(int64(b[1]) - 16)
			}
		}
		for _, h := range tracker.advance(later) {
			if !called[h.pid] || h.end < h.began {
				t.Errorf("%+v", h)
			}
		}
		if tracker.lineage.bytes < 0 {
			t.Error("less than nothing is kept")
		}
	})
}

// Connections to others' port 80, of which there can be tens of thousands a second, take no room
// from those to the services, whose packets come a tenth of a second later.
func TestConnectionsToOthers(t *testing.T) {
	for _, test := range []struct {
		others string
		known  bool
	}{{"10.0.0.2:80", true}, {"[fd00::1]:80", true}, {two().Remote.String(), false}} {
		tracker := newTracker(true, one().Remote)
		tracker.add(connectAt(100, 5, 77))
		tracker.add(endAt(300, 77, one()))
		for i := range int64(maxHandshakes) {
			tracker.add(connectAt(1000*i+400, 6, 78))
			tracker.add(endAt(1000*i+500, 78, tuple("10.0.0.1:2000", test.others)))
		}
		tracker.advance(later)
		if found := tracker.handshakes.find(one(), 200); (len(found) == 1) != test.known {
			t.Errorf("%s: %d are known", test.others, len(found))
		}
		if len(tracker.handshakes.opening) != 0 {
			t.Errorf("%s: %d are open", test.others, len(tracker.handshakes.opening))
		}
	}
}
