package identity

import (
	"fmt"
	"testing"
	"time"

	"imds-analyzer/attribution"
)

// looks says how often each process was looked at.
type looks map[*attribution.Process]int

func (l looks) find(p *attribution.Process) Identity {
	l[p]++
	return Identity{Workload: Workload{Unit: fmt.Sprintf("%d-%d", p.PID, l[p])}}
}

// TestCache makes calls one after the other.
func TestCache(t *testing.T) {
	a, b := &attribution.Process{PID: 1}, &attribution.Process{PID: 2}
	began := time.Unix(1e9, 0)
	now := began
	l, m := looks{}, newCache(func() time.Time { return now })
	for _, tt := range []struct {
		name  string
		after time.Duration
		p     *attribution.Process
		want  string
	}{
		{"the first call of one", 0, a, "1-1"},
		{"the first of another", 0, b, "2-1"},
		{"the same within that time", cacheTime - 1, a, "1-1"},
		{"the other, too", cacheTime - 1, b, "2-1"},
		{"when it is over", cacheTime, a, "1-2"},
		{"the other, then", cacheTime, b, "2-2"},
		{"until the end of that", 2*cacheTime - 1, a, "1-2"},
		{"later", time.Hour, b, "2-3"},
	} {
		now = began.Add(tt.after)
		if got := m.identity(tt.p, l.find).Unit; got != tt.want {
			t.Errorf("%s: %s, not %s", tt.name, got, tt.want)
		}
	}
}

// What began to be looked for before the time of others is too old for it, however soon it is found.
func TestCacheOfLongLooks(t *testing.T) {
	a, b := &attribution.Process{PID: 1}, &attribution.Process{PID: 2}
	for _, tt := range []struct {
		name    string
		earlier time.Duration // another process was looked at, with which the time begins
		took    time.Duration
		want    string
	}{
		{"within that time", cacheTime - 2, 1, "1-1"},
		{"in the one before", cacheTime - 1, 1, "1-2"},
		{"much longer", 0, time.Hour, "1-2"},
	} {
		now := time.Unix(1e9, 0)
		l, m := looks{}, newCache(func() time.Time { return now })
		m.identity(b, l.find)
		now = now.Add(tt.earlier)
		m.identity(a, func(p *attribution.Process) Identity {
			now = now.Add(tt.took)
			m.identity(b, l.find)
			return l.find(p)
		})
		if got := m.identity(a, l.find).Unit; got != tt.want {
			t.Errorf("%s: %s, not %s", tt.name, got, tt.want)
		}
	}
}

// Who asks an Identifier asks its cache.
func TestIdentifyIsCached(t *testing.T) {
	now := time.Unix(1e9, 0)
	i := New(Options{NoPackages: true, Now: func() time.Time { return now }})
	p := &attribution.Process{PID: 1, Args: []string{"sh", "/bin/sh"}, Executable: "/bin/sh"}
	i.Identify(p)
	if _, found := i.cache.recall(p, now.Add(cacheTime-1)); !found {
		t.Error("it is not remembered")
	}
	if _, found := i.cache.recall(p, now.Add(cacheTime)); found {
		t.Error("it is remembered for longer")
	}
}

// A cache holds so many processes and no more, and who is not held is looked at again.
func TestCacheIsBounded(t *testing.T) {
	l, m := looks{}, newCache(func() time.Time { return time.Unix(1e9, 0) })
	processes := make([]*attribution.Process, maxCached+1)
	for i := range processes {
		processes[i] = &attribution.Process{PID: i}
	}
	for range 2 {
		for _, p := range processes {
			m.identity(p, l.find)
		}
	}
	if len(m.known) != maxCached {
		t.Errorf("%d are held", len(m.known))
	}
	for i, p := range processes {
		if want := 1 + i/maxCached; l[p] != want {
			t.Errorf("process %d was looked at %d times, not %d", i, l[p], want)
		}
	}
}

func TestNoCache(t *testing.T) {
	l, p := looks{}, &attribution.Process{}
	(*cache)(nil).identity(p, l.find)
	if (*cache)(nil).identity(p, l.find); l[p] != 2 {
		t.Errorf("it was looked at %d times", l[p])
	}
}
