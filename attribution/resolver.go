package attribution

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Resolver finds the process behind a connection. It is safe for concurrent use.
type Resolver interface {
	// Seen says that a connection was seen at the given capture time, and
	// returns what will be known of its process. It waits for nothing, and takes
	// about half a millisecond at most. Seen again
	// for the same packet, as when two handles report it, returns the same
	// answer.
	Seen(t Tuple, at time.Time) *Pending
	// SeenOpen is Seen for a connection that was opened before the capture
	// started. More has to be looked at, as any process can have inherited it.
	SeenOpen(t Tuple, at time.Time) *Pending
	// Methods are the ways that work here, best first.
	Methods() []Method
	// Failed is closed when the first of them does not work any more: Methods are without
	// it then, and Limits say why. It is nil if that cannot be.
	Failed() <-chan struct{}
	// Limits are sentences for people: which ways do not work here, or see
	// less than they could, why, and what would help.
	Limits() []string
	// StillUsed are those of the capabilities that the process has, in the
	// words of capabilities(7), which are in use still, now that all is open.
	// Without the others as much is found.
	StillUsed(held []string) []string
	// RunFirst has the threads that read the kernel's events, and arguments, run
	// before all others (SCHED_FIFO, sched(7)). Without it, they are niced, which
	// does not count against other sessions' processes (autogroups, sched(7)), so that
	// on a machine whose processors are all busy more of the processes that
	// live a millisecond keep their pid alone. It takes CAP_SYS_NICE. The
	// program then needs a GOMAXPROCS of a few more than that, and no threads
	// that wait for each other busily, as they do to change the privileges of
	// all: on one processor these would keep the others from what it waits for.
	RunFirst() error
	// Follow has the network namespaces of the machine followed, as they come and
	// go, until Close. It is called once, at most.
	Follow(FollowFunc)
	// WithoutPackets returns who made connections to a service that the kernel
	// told of, if it does, so long ago or longer, and that neither Seen nor
	// SeenOpen was called for: each once. Missing receives when there are some
	// that are ClaimWithin old. It is nil if the kernel does not tell.
	WithoutPackets(age time.Duration) []Answer
	Missing() <-chan struct{}
	// KnowsUntil is until when the kernel has told of all connections that were made, as
	// far as that was read. It is now where the kernel does not tell. To ask has more read,
	// which only takes a processor.
	KnowsUntil() time.Time
	// Stats are the counts so far.
	Stats() Stats
	// Close waits until all answers are there, at most about AnswerAtMost.
	Close() error
}

// Stats count answers.
type Stats struct {
	// Answers is the number of connections by the status of their answer.
	Answers map[Status]uint64
	// QueueFull is the number of connections among those that were not found
	// because too many were waiting, OutOfTime of those for which the time of an
	// answer had passed.
	QueueFull, OutOfTime uint64
	// EventsLost is the number of events that the kernel had no room for, or that
	// came too late to be used; one stands for all that are missing since
	// processors came or went. Connections among them are looked for in other
	// ways. Connections that WithoutPackets had no room for are counted, too.
	EventsLost uint64
}

const (
	// AnswerWithin is the longest time from Seen to its answer, on a host that is not
	// too busy.
	AnswerWithin = 200 * time.Millisecond
	// AnswerAtMost is the longest time on any: what the kernel has told, and nobody had
	// a processor to read, is waited for.
	AnswerAtMost = 6 * AnswerWithin
)

const (
	// findWithin leaves time to read the facts of the process found.
	findWithin = AnswerWithin * 3 / 4
	// workers look things up at the same time. One can be in a long search,
	// or stuck in a read that waits for another process's memory lock, while
	// the others go on.
	workers = 4
	// queueLength holds what the workers get done within AnswerWithin at
	// 3 ms a look-up: 4 × 200 / 3, rounded to a power of two.
	queueLength = 256
	// headStart is how long other ways wait for the witness, which knows of a
	// connection as soon as it is made: on one host or in one data centre that
	// takes a few milliseconds. Looking in vain would cost more than all else.
	headStart = 20 * time.Millisecond
)

// resolver is the Resolver that asks the kernel: a witness, if there is one,
// and a queue in front of the ways.
type resolver struct {
	witness witness // nil if there is none
	ways    []way
	// networks follows network namespaces, nil where there are none.
	networks interface {
		start(f FollowFunc, events bool)
		close()
	}
	// memories is closed after all that uses it, nil where there is none.
	memories interface{ close() }
	limits   []string
	now      func() time.Time // by the clock that packets have their times from
	jobs     chan job
	done     chan struct{}  // closed when the workers have ended
	waiting  sync.WaitGroup // for answers that will be there by AnswerAtMost

	mu        sync.Mutex // guards what follows
	recent    *recent
	facts     sharedFacts
	fallbacks map[*Pending]fallback // what is known should the witness not be
	late      []lateAnswer
	stats     Stats
	closed    bool // no more is taken on
	ended     bool // jobs is closed
}

func newResolver(ways []way, limits []string) *resolver {
	return newExactResolver(nil, ways, limits)
}

func newExactResolver(w witness, ways []way, limits []string) *resolver {
	r := &resolver{
		witness:   w,
		ways:      ways,
		limits:    limits,
		now:       time.Now,
		jobs:      make(chan job, queueLength),
		done:      make(chan struct{}),
		recent:    newRecent(),
		fallbacks: make(map[*Pending]fallback),
		stats:     Stats{Answers: make(map[Status]uint64)},
	}
	r.start()
	return r
}

func (r *resolver) Seen(t Tuple, at time.Time) *Pending {
	return r.seen(query{tuple: t, at: at, opened: at})
}

func (r *resolver) SeenOpen(t Tuple, at time.Time) *Pending {
	q := query{tuple: t, at: at}
	q.tuple.Local, q.tuple.Remote = unmap(t.Local), unmap(t.Remote)
	if all, ok := r.witness.(seer); ok {
		all.claim(q.tuple)
	}
	return r.seen(q)
}

func (r *resolver) seen(q query) *Pending {
	q.tuple.Local, q.tuple.Remote = unmap(q.tuple.Local), unmap(q.tuple.Remote)
	q.until = time.Now().Add(findWithin)
	p, first := r.sight(q)
	if !first {
		return p
	}
	defer r.waiting.Done()
	expected := r.witness != nil && !q.opened.IsZero() && r.witness.expects(&q)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ask(q, p, expected)
	return p
}

// sight returns the answer for the packet, and reports whether it was not seen
// before: Close waits for who is to ask for it then.
func (r *resolver) sight(q query) (p *Pending, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.recent.find(q.tuple, q.at); p != nil {
		return p, false
	}
	p = &Pending{done: make(chan struct{})}
	r.recent.remember(sighting{q.tuple, q.at, p})
	if r.closed {
		r.settle(p, Answer{Status: NotFound})
		return p, false
	}
	r.waiting.Add(1)
	return p, true
}

// ask hands the query to who may know or, where that cannot be, answers it. The
// caller holds mu.
func (r *resolver) ask(q query, p *Pending, expected bool) {
	if len(r.ways) == 0 && r.witness == nil {
		r.settle(p, Answer{Status: Unavailable})
		return
	}
	r.waiting.Add(1)
	p.settled = r.waiting.Done
	watchdog := time.AfterFunc(AnswerWithin, func() { r.timeIsUp(p, q.at, expected) })
	j := job{query: q, pending: p, watchdog: watchdog, second: expected}
	if !expected {
		r.enqueue(j)
		return
	}
	r.askWitness(j)
}

// askWitness waits for the witness, and has the other ways follow unless it
// knows soon. The caller holds mu.
func (r *resolver) askWitness(j job) {
	p := j.pending
	p.forget = r.witness.watch(j.query, func(a Answer) {
		j.watchdog.Stop()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.settle(p, r.doubt(j.query, a))
	})
	wait := headStart
	if r.witness.impaired() {
		wait = 0
	}
	follow := time.AfterFunc(wait, func() { r.follow(j) })
	p.settled = func() {
		follow.Stop()
		p.forget()
		r.waiting.Done()
	}
}

// settle gives the answer unless there is one, and reports whether it did.
// The caller holds mu.
func (r *resolver) settle(p *Pending, a Answer) bool {
	a.Process = r.facts.of(a.Process)
	if !p.settle(a) {
		return false
	}
	delete(r.fallbacks, p)
	r.stats.Answers[a.Status]++
	return true
}

func (r *resolver) Methods() []Method {
	var methods []Method
	if r.witness != nil && !r.hasFailed() {
		methods = append(methods, r.witness.method())
	}
	for _, w := range r.ways {
		methods = append(methods, w.method())
	}
	return slices.Compact(methods) // the witness can be a part of the first way
}

func (r *resolver) Failed() <-chan struct{} {
	if r.witness == nil {
		return nil
	}
	return r.witness.failed()
}

func (r *resolver) hasFailed() bool {
	select {
	case <-r.Failed():
		return true
	default:
		return false
	}
}

// notTrusted is what to do about a tracepoint that has failed: it takes privileges to open, which
// are given up by then.
const notTrusted = "The kernel's events on processes are not trusted any more, as processors came or went or the machine slept: " +
	"of processes that live shortly fewer are found. Restart the program."

func (r *resolver) Limits() []string {
	if r.hasFailed() {
		return append(slices.Clone(r.limits), notTrusted)
	}
	return r.limits
}

func (r *resolver) StillUsed(held []string) []string {
	return stillUsed(r.Methods(), held, os.Geteuid() == 0)
}

func (r *resolver) RunFirst() error {
	if r.witness == nil {
		return errors.New("there is no reader of the kernel's events, which the tracepoint takes")
	}
	return r.witness.runFirst()
}

func (r *resolver) Follow(f FollowFunc) {
	if r.networks != nil {
		r.networks.start(f, r.witness != nil)
	}
}

func (r *resolver) WithoutPackets(age time.Duration) []Answer {
	if all, ok := r.witness.(seer); ok {
		return all.withoutPackets(age)
	}
	return nil
}

func (r *resolver) Missing() <-chan struct{} {
	if all, ok := r.witness.(seer); ok {
		return all.missing()
	}
	return nil
}

func (r *resolver) KnowsUntil() time.Time {
	if r.witness == nil {
		return time.Now()
	}
	return r.witness.knownUntil()
}

func (r *resolver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Answers = make(map[Status]uint64, len(r.stats.Answers))
	for status, n := range r.stats.Answers {
		s.Answers[status] = n
	}
	if r.witness != nil {
		s.EventsLost = r.witness.lost()
	}
	return s
}

// Close leaves the ways open if a worker is stuck in them. The watchdogs answer
// in its place.
func (r *resolver) Close() error {
	if !r.stop() {
		return nil
	}
	if r.networks != nil {
		r.networks.close()
	}
	select {
	case <-r.done:
	case <-time.After(2 * AnswerWithin):
		return errors.New("a look-up of a process does not end")
	}
	var errs []error
	if r.witness != nil {
		errs = append(errs, r.witness.close())
	}
	for _, w := range r.ways {
		errs = append(errs, w.close())
	}
	if r.memories != nil {
		r.memories.close()
	}
	return errors.Join(errs...)
}

// stop takes nothing more on, waits for the answers and ends the queue. It
// reports whether it was the first to do so.
func (r *resolver) stop() bool {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	r.mu.Unlock()
	if !first {
		return false
	}
	r.waiting.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	close(r.jobs)
	return true
}

// unmap turns an IPv4 address in an IPv6 one (RFC 4291, section 2.5.5.2) into
// itself: a connection is the same whichever socket family made it.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
