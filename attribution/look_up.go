package attribution

import (
	"slices"
	"sync"
	"time"
)

// lookBack is how long ago a connection can have been seen for the ways to look who has
// its tuple: later that may be another, whose own start was not captured, or is not read
// yet after a stall. Packets take a tenth of a second.
const lookBack = time.Second

// job is a connection that the ways are to look up. It waits in a queue for one
// of the workers.
type job struct {
	query
	pending  *Pending
	watchdog *time.Timer
	// second is true while the witness may still know better: what other ways
	// find is kept until time is up.
	second bool
}

func (r *resolver) start() {
	var working sync.WaitGroup
	for range workers {
		working.Go(r.work)
	}
	go func() {
		working.Wait()
		close(r.done)
	}()
}

// follow has the other ways look, as the witness does not know.
func (r *resolver) follow(j job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !j.pending.HasAnswer() && !r.ended {
		r.enqueue(j)
	}
}

// enqueue hands a job to the workers. The caller holds mu.
func (r *resolver) enqueue(j job) {
	select {
	case r.jobs <- j:
	default:
		if !j.second {
			r.stats.QueueFull++
			j.watchdog.Stop()
			r.settle(j.pending, Answer{Status: NotFound})
		}
	}
}

// work is one worker. It takes all that is waiting at once: one search finds
// many processes.
func (r *resolver) work() {
	for j := range r.jobs {
		r.lookUp(r.waitingJobs([]job{j}))
	}
}

// waitingJobs adds to the batch what waits by now. It does not count first: the
// other workers may take what it counted, and the batch would wait for more.
func (r *resolver) waitingJobs(batch []job) []job {
	for {
		select {
		case j, ok := <-r.jobs:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		default:
			return batch
		}
	}
}

// lookUp asks one way after the other for what the ones before did not know.
func (r *resolver) lookUp(batch []job) {
	batch, old := r.recentOf(batch)
	for _, w := range r.ways {
		batch = r.lookUpWith(w, inTime(batch))
	}
	for _, j := range slices.Concat(batch, old) {
		r.answer(j, Answer{Status: NotFound}, "")
	}
}

// recentOf parts the jobs whose connections were seen so lately that what the ways find is
// of them from the others.
func (r *resolver) recentOf(batch []job) (recent, old []job) {
	since := r.now().Add(-lookBack)
	for _, j := range batch {
		if j.at.Before(since) {
			old = append(old, j)
		} else {
			recent = append(recent, j)
		}
	}
	return recent, old
}

func (r *resolver) answer(j job, a Answer, m Method) {
	if a.Process != nil {
		a.Method = m
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a = r.doubt(j.query, a)
	if j.second {
		if !j.pending.HasAnswer() {
			r.fallbacks[j.pending] = fallback{j.query, a}
		}
		return
	}
	j.watchdog.Stop()
	r.settle(j.pending, a)
}

// fallback is what the ways found, while the witness may still know better.
type fallback struct {
	query
	answer Answer
}

// fallBack returns what the ways found, unless later connections that were read since may
// be what they found. The caller holds mu.
func (r *resolver) fallBack(f fallback) Answer {
	if r.recent.find(f.tuple, f.at) == nil {
		return Answer{Status: NotFound} // it is forgotten, and so may be a later one
	}
	return r.doubt(f.query, f.answer)
}

// doubt drops an answer that is about a later connection with the same tuple.
// The caller holds mu.
func (r *resolver) doubt(q query, a Answer) Answer {
	if r.recent.followed(q.tuple, q.at, a.looked) {
		return Answer{Status: NotFound}
	}
	return a
}

// inTime returns the jobs whose time has not passed. The watchdog answers the
// others.
func inTime(batch []job) []job {
	now := time.Now()
	return slices.DeleteFunc(batch, func(j job) bool { return !now.Before(j.until) })
}

func (r *resolver) lookUpWith(w way, batch []job) (rest []job) {
	if len(batch) == 0 {
		return nil
	}
	var queries []query
	for _, j := range batch {
		queries = append(queries, j.query)
	}
	for i, a := range w.find(queries) {
		if a.Status == "" {
			rest = append(rest, batch[i])
			continue
		}
		r.answer(batch[i], a, w.method())
	}
	return rest
}
