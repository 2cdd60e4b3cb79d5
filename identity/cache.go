package identity

import (
	"sync"
	"time"

	"imds-analyzer/attribution"
)

const (
	// cacheTime is how long what was found of a process goes for its other calls: what
	// 40,000 requests on one connection take is then not files. A package that is
	// installed meanwhile is seen that much later.
	cacheTime = 100 * time.Millisecond
	// maxCached is how many processes are remembered for that long: 2,560 a second.
	maxCached = 256
)

// cache remembers what was found of processes, for cacheTime: all of them together from the
// first on. A nil one remembers nothing. It is safe for concurrent use.
type cache struct {
	now   func() time.Time
	mu    sync.Mutex // guards what follows
	ends  time.Time
	known map[*attribution.Process]Identity
}

// newCache returns one by this clock, or the system's if that is nil.
func newCache(now func() time.Time) *cache {
	if now == nil {
		now = time.Now
	}
	return &cache{now: now}
}

// identity is what was found of a process a moment ago, or is found now.
func (c *cache) identity(p *attribution.Process, find func(*attribution.Process) Identity) Identity {
	if c == nil {
		return find(p)
	}
	now := c.now()
	if known, ok := c.recall(p, now); ok {
		return known
	}
	found := find(p)
	c.remember(p, found, now)
	return found
}

func (c *cache) recall(p *attribution.Process, now time.Time) (known Identity, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.ends) {
		return Identity{}, false
	}
	known, ok = c.known[p]
	return known, ok
}

// remember remembers what was found, for which was looked from then on. The time of others
// can have begun meanwhile, for which it is too old.
func (c *cache) remember(p *attribution.Process, found Identity, then time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !then.Before(c.ends) {
		c.ends, c.known = then.Add(cacheTime), make(map[*attribution.Process]Identity)
	}
	if fresh := !then.Before(c.ends.Add(-cacheTime)); fresh && len(c.known) < maxCached {
		c.known[p] = found
	}
}
