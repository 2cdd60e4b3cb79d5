package output

import (
	"hash/maphash"
	"time"
)

// Limits of a flood. Whoever can run a program can call the service thousands of times a
// second, by programs and for paths without end: none of that may fill the disk, or have
// the rotation take away what others did.
const (
	// limitBurst is for how many seconds' worth of entries a caller that was quiet has
	// room: at 10 a second 600, more than the launch of a host makes.
	limitBurst = 60
	// limitPeriod is how long calls are told together in a flood: 64 KiB of entries
	// an hour for one kind of calls.
	limitPeriod = time.Minute
	// limitCost is how many bytes an entry has as a rule. One that is longer counts as
	// several: with 48 KiB of arguments as 24.
	limitCost = 2 << 10
	// maxLimited bounds the callers that are told apart; one that was quiet is forgotten.
	// One with all that it keeps takes 4 KiB.
	maxLimited = 64
	// maxFirsts, of maxKinds with maxKindsPaths paths each, are the entries that a caller has
	// in a period beyond its rate: each first call of a kind. That is 4 a second. They have
	// room for as many of limitCost, 512 KiB; what is longer then goes without its arguments
	// and ancestors, which is 512 KiB more at most.
	maxFirsts     = 256
	maxKinds      = 64
	maxKindsPaths = 32
	// maxCallerFolds bounds the entries to come of a caller that have a program, half of
	// them a path too, and maxLimitFolds those of all: 48 KiB each at most, as long as
	// arguments can be, is 6 MiB.
	maxCallerFolds = 16
	maxLimitFolds  = 128
	// maxRests bounds what is beyond all limits, of all callers: at 2 KiB each, and 8 KiB
	// with the longest names, 2 to 8 MiB. Beyond it are those of callers without room alone,
	// which are 1,024 more at most (limitRest).
	maxRests = 1024
)

// What is different in calls that one entry tells of.
const (
	SeveralPaths    = "paths"
	SeveralKinds    = "kinds" // of one program's calls
	SeveralPrograms = "programs"
)

// ReasonRate: there were more calls than have entries of their own.
const ReasonRate = "rate"

// Limiter bounds the entries of a caller, which is a container, a unit or a user: what a
// program cannot choose. Beyond a rate, calls are told together, with their exact number,
// but for the first of each kind and of each program. What is too much for that, too, loses
// its path, and then its program. It is not safe for concurrent use. A nil one limits nothing.
//
// Its times are when entries are taken in, by a clock that only goes forward (the monotonic
// one of time.Now): an entry's own is that of the request's first byte, and whoever makes
// the request chooses how long ago that was.
type Limiter struct {
	rate     float64 // entries a second
	seed     maphash.Seed
	callers  map[callerKey]*limited
	flooding []*limited // those whose period has begun, in that order
	folds    int        // of one kind, of all callers
	rests    int        // the others
	together uint64
	beyond   uint64
}

// NewLimiter returns a Limiter to so many entries a second of each caller; to 0 is to any
// number.
func NewLimiter(rate uint) *Limiter {
	if rate == 0 {
		return nil
	}
	return &Limiter{rate: float64(rate), seed: maphash.MakeSeed(), callers: map[callerKey]*limited{}}
}

// Limit takes in an entry now, after all that was due. It reports whether an entry that
// comes later tells of it; if not, it has to be written.
func (l *Limiter) Limit(e *Entry, now time.Time) bool {
	if l == nil {
		return false
	}
	c := l.caller(e, now)
	if l.spend(c, e, now) {
		if c.programs != nil {
			l.program(c, e)
		}
		return false
	}
	if c.begin.IsZero() {
		l.begin(c, now)
	}
	kind := newLimitKind(e)
	ofKind := maphash.Comparable(l.seed, kind)
	ofPath := maphash.Comparable(l.seed, struct {
		kind limitKind
		path string
	}{kind, e.URL.Path})
	if c.first(e, ofKind, ofPath) {
		l.program(c, e)
		return false
	}
	if l.firstOf(c, e) {
		return false
	}
	l.fold(c, e, ofKind, ofPath, now)
	return true
}

// Spare reports whether the caller has an entry left now, and takes it.
func (l *Limiter) Spare(e *Entry, now time.Time) bool {
	return l == nil || l.spend(l.caller(e, now), e, now)
}

func (l *Limiter) begin(c *limited, at time.Time) {
	c.begin, c.room = at, maxFirsts
	c.firsts, c.kinds, c.folds = map[uint64]struct{}{}, map[uint64]int{}, map[uint64]*limitFold{}
	if c.programs == nil {
		c.programs = map[uint64]struct{}{}
	}
	l.flooding = append(l.flooding, c)
}

// Together is how many calls are told by lines for several, or will be. It never goes down.
func (l *Limiter) Together() uint64 {
	if l == nil {
		return 0
	}
	return l.together
}

// Due returns the entries of the periods that have ended by now. They are good until the
// next call.
func (l *Limiter) Due(now time.Time) (entries []*Entry) {
	if l == nil {
		return nil
	}
	var still []*limited
	for _, c := range l.flooding {
		if now.Sub(c.begin) < limitPeriod {
			still = append(still, c)
			continue
		}
		entries = append(entries, l.end(c)...)
	}
	l.flooding = still
	return entries
}

// Flush returns the entries of all periods.
func (l *Limiter) Flush() (entries []*Entry) {
	if l == nil {
		return nil
	}
	for _, c := range l.flooding {
		entries = append(entries, l.end(c)...)
	}
	l.flooding = nil
	return entries
}

// end ends a caller's period.
func (l *Limiter) end(c *limited) (entries []*Entry) {
	for _, f := range c.order {
		entries = append(entries, f.entry())
	}
	l.folds -= c.own
	l.rests -= len(c.order) - c.own
	*c = limited{tokens: c.tokens, at: c.at, programs: c.programs}
	return entries
}

// Next is when the next period ends; zero if there is none.
func (l *Limiter) Next() (next time.Time) {
	if l == nil {
		return next
	}
	for _, c := range l.flooding {
		if end := c.begin.Add(limitPeriod); next.IsZero() || end.Before(next) {
			next = end
		}
	}
	return next
}

// Open are the calls so far that entries will tell of which come later, in no order.
func (l *Limiter) Open() (open []Folded) {
	if l == nil {
		return nil
	}
	for _, c := range l.flooding {
		for _, f := range c.order {
			open = append(open, f.Folded)
		}
	}
	return open
}
