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

// TestMoment makes calls one after the other.
func TestMoment(t *testing.T) {
	a, b := &attribution.Process{PID: 1}, &attribution.Process{PID: 2}
	began := time.Unix(1e9, 0)
	now := began
	l, m := looks{}, newMoment(func() time.Time { return now })
	for _, tt := range []struct {
		name  string
		after time.Duration
		p     *attribution.Process
		want  string
	}{
		{"the first call of one", 0, a, "1-1"},
		{"the first of another", 0, b, "2-1"},
		{"the same in the moment", momentary - 1, a, "1-1"},
		{"the other, too", momentary - 1, b, "2-1"},
		{"when it is over", momentary, a, "1-2"},
		{"the other, then", momentary, b, "2-2"},
		{"until the end of that", 2*momentary - 1, a, "1-2"},
		{"later", time.Hour, b, "2-3"},
	} {
		now = began.Add(tt.after)
		if got := m.identity(tt.p, l.find).Unit; got != tt.want {
			t.Errorf("%s: %s, not %s", tt.name, got, tt.want)
		}
	}
}

// What began to be looked for before a moment is too old for it, however soon it is found.
func TestMomentOfLongLooks(t *testing.T) {
	a, b := &attribution.Process{PID: 1}, &attribution.Process{PID: 2}
	for _, tt := range []struct {
		name    string
		earlier time.Duration // the moment begins with a look at another process
		took    time.Duration
		want    string
	}{
		{"in the moment", momentary - 2, 1, "1-1"},
		{"in the one before", momentary - 1, 1, "1-2"},
		{"much longer", 0, time.Hour, "1-2"},
	} {
		now := time.Unix(1e9, 0)
		l, m := looks{}, newMoment(func() time.Time { return now })
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

// Who asks an Identifier asks a moment.
func TestIdentifyIsMomentary(t *testing.T) {
	now := time.Unix(1e9, 0)
	i := New(Options{NoPackages: true, Now: func() time.Time { return now }})
	p := &attribution.Process{PID: 1, Args: []string{"sh", "/bin/sh"}, Executable: "/bin/sh"}
	i.Identify(p)
	if _, found := i.moment.recall(p, now.Add(momentary-1)); !found {
		t.Error("it is not remembered")
	}
	if _, found := i.moment.recall(p, now.Add(momentary)); found {
		t.Error("it is remembered for longer")
	}
}

// A moment holds so many processes and no more, and who is not held is looked at again.
func TestMomentIsBounded(t *testing.T) {
	l, m := looks{}, newMoment(func() time.Time { return time.Unix(1e9, 0) })
	processes := make([]*attribution.Process, maxMoment+1)
	for i := range processes {
		processes[i] = &attribution.Process{PID: i}
	}
	for range 2 {
		for _, p := range processes {
			m.identity(p, l.find)
		}
	}
	if len(m.known) != maxMoment {
		t.Errorf("%d are held", len(m.known))
	}
	for i, p := range processes {
		if want := 1 + i/maxMoment; l[p] != want {
			t.Errorf("process %d was looked at %d times, not %d", i, l[p], want)
		}
	}
}

func TestNoMoment(t *testing.T) {
	l, p := looks{}, &attribution.Process{}
	(*moment)(nil).identity(p, l.find)
	if (*moment)(nil).identity(p, l.find); l[p] != 2 {
		t.Errorf("it was looked at %d times", l[p])
	}
}
