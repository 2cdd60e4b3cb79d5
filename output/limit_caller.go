package output

import (
	"math"
	"strings"
	"time"
)

// callerKey is whose the calls are, in words that a program cannot choose. The zero key is
// that of calls whose process is not known, and of callers that there was no room for.
type callerKey struct{ bounds, container, unit, user string }

// callerOf names the caller, by the outermost of what it is in. A user chooses what is below
// his systemd, and opens as many sessions as he likes; a container chooses which others it
// has within itself.
func callerOf(e *Entry) callerKey {
	unit := e.Systemd.Unit
	switch {
	case strings.HasPrefix(unit, "user@"):
		return callerKey{unit: unit}
	case e.bounds != "":
		return callerKey{bounds: e.bounds}
	case e.Container.ID != "":
		return callerKey{container: e.Container.ID}
	case unit != "" && !strings.HasPrefix(unit, "session-"):
		return callerKey{unit: unit}
	}
	return callerKey{user: e.User.ID}
}

// limited is what a caller has left, and what entries to come tell of it.
type limited struct {
	tokens float64   // entries
	at     time.Time // when it had them
	// programs are hashes of those that have an entry in the flood, of one period or many:
	// it is over when the caller has all that it can have again. Nil if there is none.
	programs map[uint64]struct{}
	// begin is when the period began, in which there is more than that; zero if there
	// is none.
	begin  time.Time
	firsts map[uint64]struct{} // hashes of kinds with paths that have entries
	kinds  map[uint64]int      // how many paths each has
	room   float64             // that those have left, in usual entries
	folds  map[uint64]*limitFold
	order  []*limitFold
	own    int // of the folds, those of one kind
}

// caller is what is known of the entry's caller.
func (l *Limiter) caller(e *Entry, now time.Time) *limited {
	key := callerOf(e)
	if c := l.callers[key]; c != nil {
		return c
	}
	if len(l.callers) >= maxLimited {
		l.forget(now)
	}
	if len(l.callers) >= maxLimited { // with room for the zero key
		key = callerKey{}
	}
	return l.of(key, now)
}

func (l *Limiter) of(key callerKey, now time.Time) *limited {
	c := l.callers[key]
	if c == nil {
		c = &limited{tokens: l.rate * limitBurst, at: now}
		l.callers[key] = c
	}
	return c
}

// forget forgets the callers that have all they can have.
func (l *Limiter) forget(now time.Time) {
	for key, c := range l.callers {
		if l.refill(c, now); c.begin.IsZero() && c.tokens >= l.rate*limitBurst {
			delete(l.callers, key)
		}
	}
}

func (l *Limiter) refill(c *limited, now time.Time) {
	if since := now.Sub(c.at); since > 0 {
		c.tokens = min(l.rate*limitBurst, c.tokens+since.Seconds()*l.rate)
		c.at = now
	}
	if c.begin.IsZero() && c.tokens >= l.rate*limitBurst {
		c.programs = nil
	}
}

// spend takes what the entry costs, if it is there.
func (l *Limiter) spend(c *limited, e *Entry, now time.Time) bool {
	l.refill(c, now)
	if c.tokens < 1 {
		return false
	}
	c.tokens -= costOf(e) // which one that is long may overdraw
	return true
}

// costOf is how many usual entries it takes the room of.
func costOf(e *Entry) float64 {
	p := &e.Process
	size := 2*len(p.CommandLine) + 2*len(p.Parent.CommandLine) + 2*len(e.URL.Original) + len(e.UserAgent.Original) +
		len(p.Executable) + len(p.WorkingDirectory) + len(p.Parent.Executable) + len(e.IMDS.Script.Name) + len(e.IMDS.Script.Path)
	for _, relatives := range [][]Relative{e.IMDS.Ancestors, e.IMDS.Attribution.Candidates} {
		for i := range relatives {
			size += len(relatives[i].CommandLine) + len(relatives[i].Executable) + len(relatives[i].Script)
		}
	}
	return math.Ceil(float64(size+1) / limitCost)
}

// shorten leaves out what can be long and is not what the call's kind is told by.
func (e *Entry) shorten() {
	p := &e.Process
	p.Args, p.CommandLine, p.WorkingDirectory = nil, "", ""
	p.Parent.Args, p.Parent.CommandLine = nil, ""
	e.IMDS.Ancestors, e.IMDS.Attribution.Candidates = nil, nil
	e.addToMessage("; without arguments and ancestors, which are too long for so many calls")
}

// first reports whether a call is the first of its kind for its path in the period, as
// long as there are not too many of these. One that there is no room for it shortens.
func (c *limited) first(e *Entry, ofKind, ofPath uint64) bool {
	paths, known := c.kinds[ofKind]
	_, seen := c.firsts[ofPath]
	switch {
	case seen || paths >= maxKindsPaths || len(c.firsts) >= maxFirsts || !known && len(c.kinds) >= maxKinds:
		return false
	case !c.makeRoom(e):
		return false
	}
	c.firsts[ofPath] = struct{}{}
	c.kinds[ofKind]++
	return true
}

// makeRoom takes the room of a first, and shortens it if there is not as much. One that is
// as long as others are can always stay.
func (c *limited) makeRoom(e *Entry) bool {
	cost := costOf(e)
	if cost > c.room {
		short := *e
		short.shorten()
		if cost = costOf(&short); cost > max(c.room, 1) {
			return false
		}
		*e = short
	}
	c.room = max(0, c.room-cost)
	return true
}
