package attribution

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// runReader starts a reader of events, and returns which thread it has for itself.
func (c *catcher) runReader() (thread int) {
	started := make(chan int)
	go c.run(started)
	return <-started
}

func (c *catcher) run(started chan<- int) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	started <- unix.Gettid()
	defer close(c.ended)
	r := newReader(c.tracepoint)
	fds := []unix.PollFd{{Fd: int32(c.events.fd), Events: unix.POLLIN}, {Fd: int32(c.bell), Events: unix.POLLIN}}
	var count [8]byte
	for wait := -1; ; {
		_, err := unix.Poll(fds, wait)
		if err != nil && err != unix.EINTR || c.ending.Load() {
			return
		}
		_, _ = unix.Read(c.bell, count[:])
		wait = c.round(r)
	}
}

// round works on what has come. It returns after how many ms there is more to do
// without further events, -1 if there is nothing. It goes no further than where looks
// began: what these find would come too late.
func (c *catcher) round(r *reader) (wait int) {
	began := c.looksSince(monotonic())
	c.drain()
	for _, e := range c.takeNews() {
		c.learn(r, e)
	}
	return r.settle(began)
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
	if e = r.take(e); e.kind == execEvent && e.read.says() {
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
		c.networks.miss()
	}
}

func (c *catcher) note(e traceEvent) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	c.young.take(e)
	c.news = append(c.news, e)
}
