package identity

import (
	"sync"
	"time"

	"imds-analyzer/attribution"
)

const (
	// momentary is how long what was found of a process goes for its other calls: what
	// 40,000 requests on one connection take is then not files. A package that is
	// installed meanwhile is seen a moment later.
	momentary = 100 * time.Millisecond
	// maxMoment is how many processes are remembered for that long: 2,560 a second.
	maxMoment = 256
)

// moment remembers what was found of processes, for a moment. A nil one remembers nothing.
// It is safe for concurrent use.
type moment struct {
	now   func() time.Time
	mu    sync.Mutex // guards what follows
	ends  time.Time
	known map[*attribution.Process]Identity
}

// newMoment returns one by this clock, or the system's if that is nil.
func newMoment(now func() time.Time) *moment {
	if now == nil {
		now = time.Now
	}
	return &moment{now: now}
}

// identity is what was found of a process a moment ago, or is found now.
func (m *moment) identity(p *attribution.Process, find func(*attribution.Process) Identity) Identity {
	if m == nil {
		return find(p)
	}
	now := m.now()
	if known, ok := m.recall(p, now); ok {
		return known
	}
	found := find(p)
	m.remember(p, found, now)
	return found
}

func (m *moment) recall(p *attribution.Process, now time.Time) (known Identity, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !now.Before(m.ends) {
		return Identity{}, false
	}
	known, ok = m.known[p]
	return known, ok
}

// remember remembers what was found, for which was looked from then on. Another moment can
// have begun meanwhile, for which it is too old.
func (m *moment) remember(p *attribution.Process, found Identity, then time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !then.Before(m.ends) {
		m.ends, m.known = then.Add(momentary), make(map[*attribution.Process]Identity)
	}
	if fresh := !then.Before(m.ends.Add(-momentary)); fresh && len(m.known) < maxMoment {
		m.known[p] = found
	}
}
