package attribution

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSearch(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name       string
		inode      uint64
		seen       time.Duration // after boot
		late       time.Duration // how much later it is looked for
		status     Status
		pid        int
		candidates []int
	}{
		{"short-lived child", 1002, 20050 * time.Millisecond, 0, Resolved, 201, nil},
		{"old service", 1001, 100 * second, 0, Resolved, 100, nil},
		{"pid from before the start over", 1009, 100 * second, 0, Resolved, 30000, nil},
		{"started in the same tick as the connection", 1002, 20 * second, 0, Resolved, 201, nil},
		{"heirs, the one that opened first", 1003, 20050 * time.Millisecond, 0, Shared, 210, []int{211, 212}},
		{"inherited before it connected", 1008, 100 * second, 0, Shared, 530, []int{531}},
		{"inherited from a parent that has closed it", 1010, 100 * second, 0, Shared, 541, []int{542}},
		{"started after the connection", 1002, 19 * second, 0, Inferred, 201, nil},
		{"looked for late", 1001, 100 * second, 251 * time.Millisecond, Inferred, 100, nil},
		{"in the hands of a thread of the kernel's", 1011, 100 * second, 0, NotFound, 0, nil},
		{"nobody's", 4711, 100 * second, 0, NotFound, 0, nil},
		{"holder that cannot be read", 1007, 100 * second, 0, NotFound, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := after(test.seen)
			a := findHolders(fixtureSearch(seen.Add(test.late)), test.inode, queryAt(seen))
			if a.Status != test.status || pidOf(a.Process) != test.pid || !slices.Equal(pidsOf(a.Candidates), test.candidates) {
				t.Errorf("%s %d %v, want %s %d %v", a.Status, pidOf(a.Process), pidsOf(a.Candidates), test.status, test.pid, test.candidates)
			}
		})
	}
}

// Heirs can have been forked any time since a connection was opened of which
// that was not seen.
func TestSearchOpenConnection(t *testing.T) {
	q := query{at: after(time.Minute), until: time.Now().Add(time.Hour)}
	a := findHolders(fixtureSearch(q.at), 1003, q)
	if a.Status != Shared || pidOf(a.Process) != 210 || !slices.Equal(pidsOf(a.Candidates), []int{211, 212}) {
		t.Errorf("%s %d %v", a.Status, pidOf(a.Process), pidsOf(a.Candidates))
	}
}

func pidsOf(processes []Process) (pids []int) {
	for _, p := range processes {
		pids = append(pids, p.PID)
	}
	return pids
}

// Who called before is looked at first, but who called is still found out.
func TestSearchRemembersCallers(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	q := queryAt(after(time.Minute))
	for _, want := range []struct {
		inode uint64
		pid   int
	}{{1001, 100}, {1000, 100}, {1002, 201}, {1001, 100}} {
		if a := findHolders(s, want.inode, q); pidOf(a.Process) != want.pid {
			t.Errorf("socket %d: pid %d, want %d", want.inode, pidOf(a.Process), want.pid)
		}
	}
	if got := s.callers.list(); !slices.Equal(got, []int{100, 201}) {
		t.Errorf("callers %v", got)
	}
}

func TestSearchOutOfTime(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	a := findHolders(s, 1001, query{at: after(time.Minute), until: time.Now()})
	if a.Status != NotFound {
		t.Errorf("%s", a.Status)
	}
}

// Of a holder that was found in the last moment, or that let go of the socket
// while its facts were read, less is sure.
func TestStatus(t *testing.T) {
	sure := holder{process: Process{PID: 1, Start: after(0)}, exact: true}
	unsure := holder{process: Process{PID: 2, Start: after(0)}}
	for _, test := range []struct {
		holders  []holder
		complete bool
		want     Status
	}{
		{[]holder{sure}, true, Resolved},
		{[]holder{sure, sure}, true, Shared},
		{[]holder{sure}, false, Inferred},
		{[]holder{sure, sure}, false, Inferred},
		{[]holder{unsure}, true, Inferred},
		{[]holder{sure, unsure}, true, Inferred},
	} {
		v := newVisit(fixtureSearch(after(time.Minute)), stillOpen)
		v.outOfTime = !test.complete
		if got := v.status(queryAt(after(time.Minute)), test.holders); got != test.want {
			t.Errorf("%v, complete %v: %s, want %s", test.holders, test.complete, got, test.want)
		}
	}
}

// One search finds the holders of many sockets, and each gets its own.
func TestSearchForMany(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	inodes := []uint64{1001, 0, 1003, 4711, 1001, 1002, 1009}
	want := []int{100, 0, 210, 0, 100, 201, 30000}
	queries := make([]query, len(inodes))
	for i := range queries {
		queries[i] = queryAt(after(time.Minute))
	}
	queries[2].opened = after(20 * time.Second)
	for i, a := range s.answers(queries, inodes, stillOpen) {
		if pidOf(a.Process) != want[i] || (a.Status == "") != (inodes[i] == 0) {
			t.Errorf("socket %d: %s %d, want %d", inodes[i], a.Status, pidOf(a.Process), want[i])
		}
	}
}

// What is closed is not looked for any longer.
func TestSearchForClosedSocket(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	q := queryAt(after(time.Minute))
	asked := 0
	a := s.answers([]query{q}, []uint64{1001}, func(Tuple, uint64) bool { asked++; return false })[0]
	if a.Status != NotFound || asked == 0 {
		t.Errorf("%s, asked %d times", a.Status, asked)
	}
}

// fakeBirths know what they are told.
type fakeBirths struct {
	young []int         // all that were forked, the youngest first
	all   bool          // these are all
	born  map[int]birth // by pid
}

func (b fakeBirths) after(int64) ([]int, bool) { return b.young, b.all }
func (b fakeBirths) birth(pid int) birth       { return b.born[pid] }
func (b fakeBirths) candidates() []int         { return b.young }

// What is known of births says who has inherited a socket, whoever is the
// parent now.
func TestSearchWithBirths(t *testing.T) {
	seen := after(20050 * time.Millisecond)
	before, later := toMonotonic(seen.Add(-time.Millisecond)), toMonotonic(seen.Add(time.Millisecond))
	for _, test := range []struct {
		name       string
		births     fakeBirths
		inode      uint64
		seen       time.Time
		status     Status
		pid        int
		candidates []int
	}{
		{"forked before", fakeBirths{[]int{201}, true, map[int]birth{201: {200, before, before, 3}}}, 1002, seen, Resolved, 201, nil},
		{"forked before by one that has ended", fakeBirths{[]int{201}, true, map[int]birth{201: {77, before, before, 3}}}, 1002, seen, Inferred, 201, nil},
		{"runs another program since", fakeBirths{[]int{201}, true, map[int]birth{201: {200, before, later, 3}}}, 1002, seen, Inferred, 201, nil},
		{"made before it was what it is", fakeBirths{[]int{201}, true, map[int]birth{201: {200, before, before, 4}}}, 1002, seen, Inferred, 201, nil},
		{"runs what its parent ran", fakeBirths{[]int{201}, true, map[int]birth{201: {200, before, 0, 0}}}, 1002, seen, Inferred, 201, nil},
		{"forked after, in the same tick", fakeBirths{[]int{201}, true, map[int]birth{201: {200, later, 0, 0}}}, 1002, after(20 * time.Second), Inferred, 201, nil},
		{"not known when", fakeBirths{[]int{201}, true, nil}, 1002, after(20 * time.Second), Inferred, 201, nil},
		{"not known when, but old", fakeBirths{nil, true, nil}, 1002, seen, Resolved, 201, nil},
		{"old service", fakeBirths{nil, true, nil}, 1001, seen, Resolved, 100, nil},
		{"heirs", fakeBirths{[]int{212, 211}, true, map[int]birth{212: {1, later, 0, 0}, 211: {210, later, 0, 0}}}, 1003, seen, Shared, 210, []int{211, 212}},
		{"heirs, of which not all are known", fakeBirths{[]int{212}, false, map[int]birth{212: {1, later, 0, 0}}}, 1003, seen, Shared, 210, []int{211, 212}},
	} {
		s := fixtureSearch(seen)
		s.births = test.births
		a := findHolders(s, test.inode, queryAt(test.seen))
		if a.Status != test.status || pidOf(a.Process) != test.pid || !slices.Equal(pidsOf(a.Candidates), test.candidates) {
			t.Errorf("%s: %s %d %v, want %s %d %v", test.name, a.Status, pidOf(a.Process), pidsOf(a.Candidates), test.status, test.pid, test.candidates)
		}
	}
}

// An old process that was forked, and called no execve(2) since, may share the
// sockets of its parent.
func TestOldHeirs(t *testing.T) {
	const stack = 140723456789
	root := t.TempDir()
	line := "100 (server) S 1" + strings.Repeat(" 1", 28-4-1) + fmt.Sprint(" ", stack) + strings.Repeat(" 0", 24)
	ended := strings.Replace(strings.ReplaceAll(line, fmt.Sprint(stack), "0"), ") S", ") Z", 1)
	for pid, stat := range map[string]string{"100": line, "102": ended, "103": strings.Replace(ended, ") Z", ") S", 1)} {
		if err := errors.Join(os.Mkdir(root+"/"+pid, 0o700), os.WriteFile(root+"/"+pid+"/stat", []byte(stat), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	v := newVisit(&search{facts: newFacts(proc{root: root}, "testdata/passwd"), now: time.Now}, stillOpen)
	for _, test := range []struct {
		parent int
		stack  uint64
		want   bool
	}{
		{100, stack, true},
		{100, stack + 16, false},
		{100, 0, false},     // it may not be known
		{101, stack, true},  // it has ended
		{102, stack, true},  // it has ended, and was not waited for
		{103, stack, false}, // its may not be known
	} {
		h := holder{process: Process{PID: 9}, stat: procStat{parent: test.parent, stack: test.stack}}
		if got := v.mayHaveInherited(h); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// An open socket that nobody holds is looked for once.
func TestSearchInVain(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	for i := range 2 {
		asked := 0
		q := queryAt(after(time.Minute))
		a := s.answers([]query{q}, []uint64{4711}, func(Tuple, uint64) bool { asked++; return true })[0]
		if a.Status != NotFound || (asked == 0) != (i > 0) {
			t.Errorf("search %d: %s, asked %d times", i, a.Status, asked)
		}
	}
}

// The pid found is that of another process by the time its facts are read.
func TestProcessReplaced(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	if p, ok := s.facts.identity(100, procStat{parent: 1, start: 499 * tick}, MaxArgsBytes); ok {
		t.Errorf("pid 100 passes for a process that started earlier: %+v", p)
	}
}

// A process that let go of the socket may be another program by now.
func TestHolderLetGo(t *testing.T) {
	s := fixtureSearch(after(time.Minute))
	v := newVisit(s, stillOpen)
	link := s.facts.proc.path(100, "fd", "4")
	var held, letGo target
	v.hold(&held, 100, 1001, link)
	v.hold(&letGo, 100, 1000, link)
	if len(held.holders) != 1 || !held.holders[0].exact || held.holders[0].descriptor != "4" {
		t.Errorf("the holder: %+v", held.holders)
	}
	if len(letGo.holders) != 1 || letGo.holders[0].exact {
		t.Errorf("one that let go: %+v", letGo.holders)
	}
}

// statAs is the stat of a process that started so many ticks after boot, and has its stack there.
func statAs(name string, start, stack int) string {
	return fmt.Sprintf("5 (%s) S 1 5 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0 0 0 %d 0 0 0", name, start, stack)
}

// becoming is a /proc with a process that runs one program when its arguments are asked for, and
// is another by the time they are read.
func becoming(t *testing.T, stat string) proc {
	t.Helper()
	p := proc{root: t.TempDir(), boot: bootOfFixture}
	put := func(name, text string) {
		if err := errors.Join(os.WriteFile(p.path(5, "new"), []byte(text), 0o600), os.Rename(p.path(5, "new"), p.path(5, name))); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(os.Mkdir(p.path(5), 0o700), unix.Mkfifo(p.path(5, "cmdline"), 0o600), os.Symlink("/bin/before", p.path(5, "exe"))); err != nil {
		t.Fatal(err)
	}
	put("stat", statAs("before", 100, 1000))
	var other sync.WaitGroup
	other.Go(func() {
		args, err := os.OpenFile(p.path(5, "cmdline"), os.O_WRONLY, 0) // waits for who reads
		if err != nil {
			t.Error(err)
			return
		}
		put("stat", stat)
		put("cmdline", "after\x00")
		if err := errors.Join(os.Remove(p.path(5, "exe")), os.Symlink("/bin/after", p.path(5, "exe"))); err != nil {
			t.Error(err)
		}
		_, _ = args.WriteString("before\x00secrets\x00")
		args.Close()
	})
	t.Cleanup(other.Wait)
	return p
}

// What is read of two programs does not pass for one, nor what is read of two processes.
func TestHolderBecomesAnother(t *testing.T) {
	for _, test := range []struct{ name, stat, want string }{
		{"another program", statAs("after", 100, 2000), "after [after] /bin/after"},
		{"another process", statAs("after", 101, 2000), ""},
		{"the same process, which ends", statAs("before", 100, 0), "before [before secrets] /bin/after"}, // the link is what the fixture tells this by
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &search{facts: newFacts(becoming(t, test.stat), "testdata/passwd"), now: time.Now}
			var held target
			newVisit(s, stillOpen).hold(&held, 5, 1000, s.facts.proc.path(5, "fd", "4"))
			got := ""
			for _, h := range held.holders {
				got += said(h.process, h.process.Start)
			}
			if got = strings.TrimSuffix(got, " 0s"); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
