package attribution

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func realProc() proc { return proc{root: "/proc", boot: bootTime} }

// visits keeps which network namespaces a follower has come to and has left. There
// can be others than the test's.
type visits struct {
	mu         sync.Mutex
	came, left map[string]int
	refused    map[string]bool // those of no interest
	unfinished map[string]bool // of these, those that are being made
	leaving    func(name string)
}

func newVisits() *visits {
	return &visits{came: make(map[string]int), left: make(map[string]int), refused: make(map[string]bool), unfinished: make(map[string]bool)}
}

func (v *visits) follow(n Network) (leave func(), unfinished bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.came[n.Name]++
	if v.refused[n.Name] {
		return nil, v.unfinished[n.Name]
	}
	return func() { v.leave(n.Name) }, false
}

func (v *visits) leave(name string) {
	if v.leaving != nil {
		v.leaving(name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.left[name]++
}

// are reports whether the follower has come to a namespace and left it as often.
func (v *visits) are(name string, came, left int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.came[name] == came && v.left[name] == left
}

func (v *visits) check(t *testing.T, name string, came, left int) {
	t.Helper()
	if !v.are(name, came, left) {
		v.mu.Lock()
		defer v.mu.Unlock()
		t.Errorf("came %d times, left %d; want %d and %d", v.came[name], v.left[name], came, left)
	}
}

// await waits until the follower has come so often, and has left. It can have more
// often, if other programs' namespaces are left meanwhile.
func (v *visits) await(t *testing.T, name string, came, left int) {
	t.Helper()
	eventually(t, fmt.Sprintf("come %d times, left %d", came, left), func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.came[name] >= came && v.left[name] >= left
	})
}

// awaitInside waits until the follower is in a namespace, and awaitLeft until it
// has left it. Its name can have been another's before, of a test that runs at the
// same time, so that it may have been there already.
func (v *visits) awaitInside(t *testing.T, name string) {
	t.Helper()
	eventually(t, "is inside", func() bool { return v.balance(name) == 1 })
}

func (v *visits) awaitLeft(t *testing.T, name string) {
	t.Helper()
	eventually(t, "has left", func() bool { return v.balance(name) == 0 })
}

// balance is how many times more often the follower has come than left.
func (v *visits) balance(name string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.came[name] - v.left[name]
}

// startResident starts a process in a network namespace of its own, and returns
// that one's name too.
func startResident(t *testing.T) (c *child, name string) {
	t.Helper()
	c = startChildWith(t, namespaces(unix.CLONE_NEWNET), "wait")
	return c, realProc().networkNamespace(strconv.Itoa(c.Process.Pid))
}

// startBeside starts a process in the network namespace of another.
func startBeside(t *testing.T, other *child) *child {
	t.Helper()
	return startIn(t, realProc().path(other.Process.Pid))
}

// startIn starts a process in the network namespace of a directory in /proc.
func startIn(t *testing.T, dir string) (c *child) {
	t.Helper()
	err := inNetworkOf(dir, func() error {
		c = startChild(t, "wait")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *child) end() {
	c.stdin.Close()
	_ = c.Wait()
}

// newFollowing is a follower that is closed with the test.
func newFollowing(t *testing.T) *follower {
	t.Helper()
	f := newFollower(realProc())
	t.Cleanup(func() {
		if !f.isStopped() {
			f.close()
		}
	})
	return f
}

// watched is the process of the namespace that is waited for, 0 if none is.
func (f *follower) watched(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.known[name]
	if k == nil || k.inside == nil {
		return 0
	}
	k.inside.mu.Lock()
	defer k.inside.mu.Unlock()
	return k.inside.pid
}

// A namespace is come to once, and left after its last process.
func TestFollowerSearches(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	first, name := startResident(t)
	f.start(v.follow, false)
	v.await(t, name, 1, 0)
	eventually(t, "it is followed", func() bool { return f.follows(name) })
	second := startBeside(t, first)
	first.end()
	eventually(t, "the other process is waited for", func() bool { return f.watched(name) == second.Process.Pid })
	v.check(t, name, 1, 0)
	second.end()
	v.await(t, name, 1, 1)
	eventually(t, "it is not followed any more", func() bool { return !f.follows(name) })
	if own := f.proc.networkNamespace("self"); f.follows(own) || !v.are(own, 0, 0) {
		t.Error("our own namespace is followed")
	}
}

// A process that comes while its namespace is left has it followed again, and not only after that.
func TestFollowerComesBack(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	first, name := startResident(t)
	pinned := pin(t, f.proc.path(first.Process.Pid))
	var second *child
	comesBack := make(chan struct{})
	v.leaving = func(leaves string) {
		if leaves != name || second != nil {
			return
		}
		second = startIn(t, pinned)
		f.noticeProcess(second.Process.Pid)
		<-comesBack
	}
	f.start(v.follow, true)
	v.await(t, name, 1, 0)
	first.end()
	func() {
		defer close(comesBack)
		v.await(t, name, 2, 0)
	}()
	v.await(t, name, 2, 1)
	second.end()
	v.await(t, name, 2, 2)
}

// pin keeps the network namespace of a process, and returns a directory like that
// one's in /proc.
func pin(t *testing.T, process string) (dir string) {
	t.Helper()
	namespace, err := os.Open(process + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { namespace.Close() })
	dir = t.TempDir()
	err = errors.Join(os.Mkdir(dir+"/ns", 0o700), os.Symlink(fmt.Sprintf("/proc/self/fd/%d", namespace.Fd()), dir+"/ns/net"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// What is of no interest is asked for again once it was forgotten, or after a
// while.
func TestFollowerAsksAgain(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	c, name := startResident(t)
	f.follow = v.follow
	v.refused[name] = true
	meet := func(came int) {
		t.Helper()
		f.meet(notice{c.Process.Pid, name})
		v.check(t, name, came, 0)
	}
	meet(1)
	meet(1)
	if f.follows(name) {
		t.Error("it is followed")
	}
	f.forget(name)
	meet(2)
	meet(2)
	f.known[name].until = time.Now()
	meet(3)
	v.refused[name] = false
	f.forget(name)
	meet(4)
	f.forget(name) // of one that is followed nothing is forgotten
	meet(4)
	if !f.follows(name) {
		t.Error("it is not followed")
	}
}

// One that is being made is asked for again soon, less and less often, also if
// no other process comes, and not once it has ended.
func TestFollowerAsksUnfinished(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	c, name := startResident(t)
	v.refused[name], v.unfinished[name] = true, true
	var waits []time.Duration
	f.follow = func(n Network) (func(), bool) {
		if n.Name == name {
			waits = append(waits, f.nextWait(name))
		}
		return v.follow(n)
	}
	f.start(f.follow, true)
	v.await(t, name, 4, 0)
	v.mu.Lock()
	v.refused[name] = false
	v.mu.Unlock()
	v.await(t, name, 5, 0)
	c.end()
	v.await(t, name, 5, 1)
	want := []time.Duration{askUnfinished, 2 * askUnfinished, 4 * askUnfinished, 8 * askUnfinished, 16 * askUnfinished}
	if !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	f.put(name, &followed{wait: askFollowAgain})
	if wait := f.nextWait(name); wait != askFollowAgain {
		t.Errorf("it is waited for %v at last", wait)
	}
}

// None is asked for before its time, which would be for nothing.
func TestFollowerPostpones(t *testing.T) {
	f := newFollowing(t)
	f.active.Store(true)
	const rounds, names = 20, maxUninteresting
	for range rounds {
		clear(f.known)
		for i := range names {
			f.postpone(notice{os.Getpid(), fmt.Sprint(i)}, true)
		}
		for i := range names {
			select {
			case <-f.notices:
			case <-time.After(patience):
				t.Fatalf("%d of %d are asked for again", i, names)
			}
		}
	}
}

// Processes that have ended, or are elsewhere, say nothing of a namespace but that
// there may be others in it.
func TestFollowerMeetsNobody(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	gone, name := startResident(t)
	beside := startBeside(t, gone)
	gone.end()
	c, other := startResident(t)
	c.end()
	f.follow = v.follow
	f.meet(notice{c.Process.Pid, other})
	f.meet(notice{os.Getpid(), other})
	f.meet(notice{c.Process.Pid, ""})
	f.meet(notice{os.Getpid(), f.own})
	if len(v.came) > 0 || len(f.known) > 0 {
		t.Errorf("come to %v, known %v", v.came, f.known)
	}
	f.meet(notice{gone.Process.Pid, name})
	if v.check(t, name, 1, 0); f.watched(name) != beside.Process.Pid {
		t.Errorf("%d is waited for, want %d", f.watched(name), beside.Process.Pid)
	}
}

// Packets that were seen in another namespace are not any more when that is left.
func TestFollowerReconsiders(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	beyond, name := startResident(t)
	_, visible := startResident(t)
	_, unfinished := startResident(t)
	v.refused[visible], v.refused[unfinished], v.unfinished[unfinished] = true, true, true
	f.start(v.follow, true)
	v.await(t, visible, 1, 0)
	eventually(t, "both are known", func() bool { return f.follows(name) && !f.isNews(visible) })
	v.mu.Lock()
	asked := v.came[visible]
	v.mu.Unlock()
	beyond.end()
	v.await(t, name, 1, 1)
	v.await(t, visible, asked+1, 0)
	f.put(unfinished, &followed{until: time.Now().Add(time.Hour), unfinished: true})
	if f.reconsider(); f.isNews(unfinished) || !f.isNews(visible) {
		t.Error("an unfinished one is asked for before its time, or the other is not")
	}
}

// One that is of no interest for another which is left just then is asked for again soon.
func TestFollowerReconsidersMeanwhile(t *testing.T) {
	f := newFollowing(t)
	c, name := startResident(t)
	f.follow = func(Network) (func(), bool) {
		f.reconsider()
		return nil, false
	}
	f.meet(notice{c.Process.Pid, name})
	if k := f.known[name]; k == nil || !k.unfinished {
		t.Errorf("it is not asked for again before long: %+v", k)
	}
}

// One that is of no interest is forgotten with its last process: the next namespace can have its name.
func TestFollowerForgetsEnded(t *testing.T) {
	f, v, n := newFollowing(t), newVisits(), openOtherNetworks(t)
	f.others, n.captured = n, f
	c, name := startResident(t)
	v.refused[name] = true
	f.follow = v.follow
	f.meet(notice{c.Process.Pid, name})
	eventually(t, "a socket in it", func() bool { return n.keeps(name) })
	f.mu.Lock()
	f.known[name].until = time.Now().Add(time.Hour)
	f.mu.Unlock()
	c.end()
	eventually(t, "it is forgotten", func() bool { return f.isNews(name) })
}

// Where there is no room for one more it is not come to, but asked for again.
func TestFollowerIsBounded(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	c, name := startResident(t)
	f.follow = v.follow
	fill := func(count int, interesting bool) {
		for i := range count {
			k := &followed{until: time.Now().Add(time.Hour)}
			if interesting {
				k.inside = &residents{ended: make(chan struct{})}
			}
			f.known[fmt.Sprint(interesting, i)] = k
		}
	}
	fill(maxFollowed, true)
	f.meet(notice{c.Process.Pid, name})
	if v.check(t, name, 0, 0); f.isNews(name) || f.follows(name) {
		t.Error("it is to be asked for again at once, or followed")
	}
	delete(f.known, fmt.Sprint(true, 0))
	f.forget(name)
	f.meet(notice{c.Process.Pid, name})
	v.check(t, name, 1, 0)
	fill(maxUninteresting, false)
	other, name2 := startResident(t)
	v.refused[name2] = true
	f.meet(notice{other.Process.Pid, name2})
	if f.count(true) != maxFollowed || f.count(false) != 1 || f.isNews(name2) {
		t.Errorf("%d are followed, %d are not", f.count(true), f.count(false))
	}
}

// Notices that nobody takes hold up nobody, and are of no use before the start.
func TestFollowerNotices(t *testing.T) {
	f := newFollowing(t)
	f.notice(1, "net:[1]")
	f.noticeProcess(os.Getpid())
	if len(f.notices) != 0 {
		t.Error("it takes notice before it is started")
	}
	f.active.Store(true)
	f.notice(1, "")
	f.notice(1, f.own)
	f.noticeProcess(os.Getpid())
	if len(f.notices) != 0 {
		t.Error("it takes notice of our own namespace")
	}
	for range 2 * noticesKept {
		f.notice(1, "net:[1]")
	}
	if len(f.notices) != noticesKept {
		t.Errorf("%d notices", len(f.notices))
	}
}

// There are machines without namespaces, and tests.
func TestNoFollower(t *testing.T) {
	var f *follower
	f.notice(1, "net:[1]")
	f.noticeProcess(1)
	f.forget("net:[1]")
	if f.follows("net:[1]") {
		t.Error("nobody follows")
	}
}

// Close leaves all, and keeps neither descriptors nor goroutines.
func TestFollowerClose(t *testing.T) {
	_, one := startResident(t)
	_, two := startResident(t)
	follow := func() *visits {
		f, v := newFollowing(t), newVisits()
		f.start(v.follow, false)
		v.await(t, one, 1, 0)
		v.await(t, two, 1, 0)
		f.close()
		v.check(t, one, 1, 1)
		v.check(t, two, 1, 1)
		return v
	}
	follow() // the runtime has what it needs then
	descriptors, goroutines := openDescriptors(t), runtime.NumGoroutine()
	if v := follow(); !maps.Equal(v.came, v.left) {
		t.Errorf("come to %v, left %v", v.came, v.left)
	}
	if now := openDescriptors(t); now > descriptors {
		t.Errorf("%d descriptors, %d before", now, descriptors)
	}
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// What is come to while it closes is left again.
func TestFollowerClosesMeanwhile(t *testing.T) {
	f, v := newFollowing(t), newVisits()
	_, name := startResident(t)
	asked, closed := make(chan struct{}), make(chan struct{})
	f.start(func(n Network) (func(), bool) {
		leave, _ := v.follow(n)
		close(asked) // the first is the last
		<-f.stop
		return leave, false
	}, true)
	<-asked
	go func() {
		defer close(closed)
		f.close()
	}()
	<-closed
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.came) == 0 || !maps.Equal(v.came, v.left) || v.came[name] > 1 {
		t.Errorf("come to %v, left %v", v.came, v.left)
	}
}

// Events tell of processes that start, and of connections.
func TestFollowByEvents(t *testing.T) {
	const address = "198.51.100.7:80"
	for _, ways := range [][]Method{nil, {SockDiag, Proc}} {
		t.Run(fmt.Sprint(ways), func(t *testing.T) {
			r, v := openFollowing(t, ways), newVisits()
			r.Follow(v.follow)
			c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "later", address)
			name := realProc().networkNamespace(strconv.Itoa(c.Process.Pid))
			v.awaitInside(t, name)
			c.end()
			v.awaitLeft(t, name)
		})
	}
	t.Run("connect", func(t *testing.T) {
		r, v := openFollowing(t, nil), newVisits()
		c := startChildWith(t, namespaces(unix.CLONE_NEWNET), "later", address)
		c.line(t)
		name := realProc().networkNamespace(strconv.Itoa(c.Process.Pid))
		v.refused[name] = true
		r.Follow(v.follow)
		v.await(t, name, 1, 0)
		f := r.(*resolver).networks.(*follower)
		eventually(t, "it is known", func() bool { return !f.isNews(name) })
		f.forget(name)
		if _, err := c.stdin.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		c.tuple(t)
		v.await(t, name, 2, 0)
	})
}

// Without events it is searched again and again.
func TestFollowWithoutEvents(t *testing.T) {
	r, v := openFollowing(t, []Method{Proc}), newVisits()
	r.Follow(v.follow)
	_, first := startResident(t)
	v.awaitInside(t, first)
	_, second := startResident(t)
	v.awaitInside(t, second)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	v.awaitLeft(t, first)
	v.awaitLeft(t, second)
}

func openFollowing(t *testing.T, ways []Method) Resolver {
	t.Helper()
	r, err := Open(Options{Ways: ways})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if r.(*resolver).witness == nil != (len(ways) == 1) {
		t.Fatalf("methods %v, limits %q", r.Methods(), r.Limits())
	}
	return r
}

// The job is done in the namespace, by a thread that nobody else has.
func TestInNetwork(t *testing.T) {
	c, name := startResident(t)
	n := Network{Name: name, dir: realProc().path(c.Process.Pid)}
	namespace, err := n.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer namespace.Close()
	inside, done := "", errors.New("done")
	err = InNetwork(namespace, func() error { inside = realProc().networkNamespace("thread-self"); return done })
	if err != done || inside != name {
		t.Errorf("in %q, %v; want %q", inside, err, name)
	}
	c.end()
	if _, err := n.Open(); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrMoved) {
		t.Errorf("without a process: %v", err)
	}
	if err := MayEnter(); err != nil {
		t.Error(err)
	}
}

// A process that has gone to another namespace leads to none.
func TestNetworkOfOneThatMoved(t *testing.T) {
	c, name := startResident(t)
	other, _ := startResident(t)
	for _, gone := range []Network{
		{Name: name, dir: realProc().path(other.Process.Pid)},
		{Name: name, dir: "/proc/self"},
		{Name: realProc().networkNamespace("self"), dir: realProc().path(c.Process.Pid)},
	} {
		if namespace, err := gone.Open(); err != ErrMoved {
			t.Errorf("%v: %v, %v", gone, namespace, err)
		}
	}
}
