package attribution

import (
	"maps"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxFollowed bounds the network namespaces that are followed: an instance
	// has at most about 120 with an interface of their own (ECS with trunk
	// interfaces), and each takes 1 MiB for its packets.
	maxFollowed = 128
	// maxUninteresting bounds what is remembered of the others: 16 KiB.
	maxUninteresting = 256
	// askFollowAgain is when one that was of no interest is asked for again: it
	// may have got another interface, or another namespace its name.
	askFollowAgain = 30 * time.Second
	// askUnfinished is the same for one that has just been made, and is getting
	// its interfaces: each time it is twice as long.
	askUnfinished = 20 * time.Millisecond
	// noticesKept is how many processes can wait to be looked at. More come only
	// with a storm of new namespaces; the next process in one tells of it too.
	noticesKept = 256
	// searchNetworksAfter is for when an event was missed: at most so often all
	// processes are looked at, which takes 5 ms where there are 1,500.
	searchNetworksAfter = time.Second
	// searchNetworksEvery is for when no events tell of processes.
	searchNetworksEvery = 2 * time.Second
)

// follower follows the network namespaces of the machine as they come and go. It
// is told of them by what the events say of processes, or searches for them. It
// is safe for concurrent use; a nil one does nothing.
type follower struct {
	proc    proc
	own     string // our namespace
	follow  FollowFunc
	active  atomic.Bool    // follow is to be called
	others  *otherNetworks // has a socket kept in each, before that is needed; may be nil
	notices chan notice
	missed  chan struct{} // receives when a notice or an event was
	silence chan struct{} // closed when no events tell of processes
	stop    chan struct{}
	ended   sync.WaitGroup

	mu    sync.Mutex // guards what follows
	known map[string]*followed
	// changes is how often one was left or forgotten so far.
	changes int
}

// notice says that a process was seen in a network namespace.
type notice struct {
	pid  int
	name string
}

// followed is a namespace that is known.
type followed struct {
	inside *residents // nil if it is of no interest
	since  int64      // it is followed, ns, CLOCK_MONOTONIC
	until  time.Time  // when to ask again for one that is of none
	wait   time.Duration
	// unfinished is true if that is soon, whether a process comes or not.
	unfinished bool
}

func newFollower(p proc) *follower {
	return &follower{
		proc: p, own: p.networkNamespace("self"), notices: make(chan notice, noticesKept),
		missed: make(chan struct{}, 1), silence: make(chan struct{}), stop: make(chan struct{}), known: make(map[string]*followed),
	}
}

// start begins to follow. Without events of processes it searches for them.
func (f *follower) start(follow FollowFunc, events bool) {
	f.follow = follow
	f.active.Store(true)
	if !events {
		f.hearNothing()
	}
	f.ended.Go(f.run)
}

// hearNothing has processes searched for from now on, as no events tell of them any more. It is
// called once, at most.
func (f *follower) hearNothing() {
	if f != nil {
		close(f.silence)
	}
}

func (f *follower) run() {
	f.search()
	silence := f.silence
	var ticks, soon <-chan time.Time
	for {
		select {
		case <-silence:
			silence, ticks = nil, time.Tick(searchNetworksEvery)
		case n := <-f.notices:
			f.meet(n)
		case <-f.missed:
			if soon == nil {
				soon = time.After(searchNetworksAfter)
			}
		case <-soon:
			soon = nil
			f.search()
		case <-ticks:
			f.search()
		case <-f.stop:
			return
		}
	}
}

// miss says that there can be a process in a namespace that is not known.
func (f *follower) miss() {
	if f == nil || !f.active.Load() {
		return
	}
	select {
	case f.missed <- struct{}{}:
	default: // that is known
	}
}

// search looks at all processes.
func (f *follower) search() {
	pids, _ := f.proc.pids()
	for _, pid := range pids {
		if n := (notice{pid, f.proc.networkNamespace(strconv.Itoa(pid))}); f.isNews(n.name) {
			f.meet(n)
		}
	}
}

// notice takes in that a process is in a namespace. It waits for nothing.
func (f *follower) notice(pid int, name string) {
	if f == nil || !f.active.Load() || !f.isNews(name) {
		return
	}
	select {
	case f.notices <- notice{pid, name}:
	default: // there are too many
		f.miss()
	}
}

// noticeProcess looks where a process is, and reports whether that is another
// namespace than ours.
func (f *follower) noticeProcess(pid int) (elsewhere bool) {
	if f == nil || !f.active.Load() {
		return false
	}
	name := f.proc.networkNamespace(strconv.Itoa(pid))
	f.notice(pid, name)
	return name != "" && name != f.own
}

func (f *follower) isNews(name string) bool {
	if name == "" || name == f.own {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.known[name]
	return k == nil || k.inside == nil && !time.Now().Before(k.until)
}

// forget has a namespace asked for again as soon as a process is seen in it: that is
// also when it is another by the same name, which the kernel gives again at once.
func (f *follower) forget(name string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	if k := f.known[name]; k != nil && k.inside == nil {
		delete(f.known, name)
	}
}

// follows reports whether the namespace is one of interest.
func (f *follower) follows(name string) bool { return f.followedAt(name, math.MaxInt64) }

// followedAt reports whether the namespace was one of interest at a point in time, ns,
// CLOCK_MONOTONIC. One that came since may have got the name of one that is gone, whose packets
// are read later: the kernel gives it again at once.
func (f *follower) followedAt(name string, at int64) bool {
	if f == nil || name == "" {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.known[name]
	return k != nil && k.inside != nil && k.since <= at
}

// meet deals with a namespace that may not be known.
func (f *follower) meet(n notice) {
	if f.isStopped() || !f.isNews(n.name) {
		return
	}
	since := monotonic()
	inside, err := newResidents(f.proc, n.name, n.pid)
	if err != nil && !inside.another() {
		f.drop(n.name) // if it is not gone, a process will tell
		return
	}
	n.pid = inside.pid
	if f.others != nil {
		f.ended.Go(func() { f.others.open(n.name, n.pid) }) // meanwhile
	}
	var leave func()
	var unfinished bool
	before := f.changesSoFar()
	if f.hasRoom() {
		leave, unfinished = f.follow(Network{Name: n.name, dir: f.proc.path(n.pid)})
	}
	if leave == nil {
		inside.close()
		// It may have been of no interest only for one that was left meanwhile, or be forgotten:
		// before it was known.
		f.postpone(n, unfinished || f.changesSoFar() != before)
		return
	}
	if !f.put(n.name, &followed{inside: inside, since: since}) {
		inside.close()
		leave()
		return
	}
	f.ended.Go(func() {
		inside.wait()
		f.drop(n.name)
		f.noticeAnother(inside)
		leave()
		f.reconsider()
	})
}

// reconsider has those asked for again that are of no interest, as soon as all
// processes are looked at: packets that were seen in a namespace which was left
// may be seen nowhere now. Unfinished ones are asked for again anyway.
func (f *follower) reconsider() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	before := len(f.known)
	maps.DeleteFunc(f.known, func(_ string, k *followed) bool { return k.inside == nil && !k.unfinished })
	if len(f.known) < before {
		f.miss()
	}
}

func (f *follower) changesSoFar() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changes
}

// noticeAnother is for processes that came into a namespace since its last one ended:
// until then it was known. It is followed again before it is left, which takes a while.
func (f *follower) noticeAnother(inside *residents) {
	defer inside.close()
	if !f.isStopped() && inside.another() {
		f.notice(inside.pid, inside.name)
	}
}

// hasRoom reports whether one more can be followed. It is asked before each: only
// run adds to them.
func (f *follower) hasRoom() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count(true) < maxFollowed
}

// count is how many are known that are of interest, or are not. The caller holds
// mu.
func (f *follower) count(interesting bool) (n int) {
	for _, k := range f.known {
		if (k.inside != nil) == interesting {
			n++
		}
	}
	return n
}

// postpone has a namespace asked for later. An unfinished one is asked for again
// also if no other process comes.
func (f *follower) postpone(n notice, unfinished bool) {
	wait := askFollowAgain
	if unfinished {
		wait = f.nextWait(n.name)
	}
	f.put(n.name, &followed{until: time.Now().Add(wait), wait: wait, unfinished: unfinished})
	if unfinished { // not before put: a notice that comes before its time is none
		time.AfterFunc(wait, func() { f.notice(n.pid, n.name) })
	}
}

func (f *follower) nextWait(name string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.known[name]
	if k == nil {
		return askUnfinished
	}
	return min(2*k.wait, askFollowAgain)
}

// put remembers a namespace. It reports false if there is no time any more.
func (f *follower) put(name string, k *followed) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isStopped() {
		return false
	}
	if k.inside == nil && f.count(false) >= maxUninteresting {
		f.forgetUninteresting()
	}
	f.known[name] = k
	return true
}

// forgetUninteresting makes room. The caller holds mu.
func (f *follower) forgetUninteresting() {
	for name, k := range f.known {
		if k.inside == nil {
			delete(f.known, name)
		}
	}
}

func (f *follower) drop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, name)
}

func (f *follower) isStopped() bool {
	select {
	case <-f.stop:
		return true
	default:
		return false
	}
}

// close leaves all namespaces.
func (f *follower) close() {
	f.mu.Lock()
	close(f.stop) // nothing is put any more
	for _, k := range f.known {
		if k.inside != nil {
			k.inside.close()
		}
	}
	f.mu.Unlock()
	f.ended.Wait()
}
