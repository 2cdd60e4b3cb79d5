package attribution

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// run is the reader of events. It says first which thread it has for itself.
func (c *catcher) run(started chan<- int) {
	defer close(c.ended)
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	started <- unix.Gettid()
	r := &reader{tracepoint: c.tracepoint, look: make([]byte, lookBuffer)}
	fds := []unix.PollFd{{Fd: int32(c.events.fd), Events: unix.POLLIN}, {Fd: int32(c.bell), Events: unix.POLLIN}}
	var count [8]byte
	for wait := -1; ; {
		_, err := unix.Poll(fds, wait)
		if err != nil && err != unix.EINTR || c.ending.Load() {
			return
		}
		_, _ = unix.Read(c.bell, count[:])
		wait = -1
		if c.round(r) {
			wait = int(holdBack / time.Millisecond)
		}
	}
}

// round works on what has come. It reports whether there is more to do in a
// moment, without further events.
func (c *catcher) round(r *reader) (again bool) {
	began := monotonic()
	c.drain()
	for _, e := range c.takeNews() {
		c.learn(r, e)
	}
	for _, l := range r.looks {
		l.finish()
	}
	r.looks = r.looks[:0]
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.tracker.advance(began - int64(holdBack)) {
		c.tell(h)
	}
	return c.tracker.busy()
}

func (c *catcher) takeNews() []traceEvent {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	news := c.news
	c.news = nil
	return news
}

// learn looks at the process of an event, unless that was done.
func (c *catcher) learn(r *reader, e traceEvent) {
	if e.read != nil {
		r.tracker.add(e)
		return
	}
	r.take(e)
	if e.kind == execEvent {
		free := c.facts.proc.freeDescriptor(e.pid)
		c.newsMu.Lock()
		defer c.newsMu.Unlock()
		c.young.learn(e, free)
	}
}

// drain takes in the events that have come. When it returns, all are known that
// happened before it was called.
func (c *catcher) drain() {
	c.draining.Lock()
	defer c.draining.Unlock()
	before := c.last
	lost := c.events.read(func(e traceEvent) {
		c.last = max(c.last, e.at)
		c.note(e)
	})
	if lost > 0 {
		c.losses.Add(lost)
		c.note(traceEvent{kind: blindEvent, at: before + 1, until: monotonic()})
	}
}

func (c *catcher) note(e traceEvent) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	c.young.take(e)
	c.news = append(c.news, e)
}
