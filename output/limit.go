package output

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"

	"imds-analyzer/diagnosis"
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
	// maxFirsts, of maxKinds with maxPaths paths each, are the entries that a caller has
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
// but for the first of each kind. What is too much for that, too, loses its path, and then
// its program. It is not safe for concurrent use. A nil one limits nothing.
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
}

// NewLimiter returns a Limiter to so many entries a second of each caller; to 0 is to any
// number.
func NewLimiter(rate uint) *Limiter {
	if rate == 0 {
		return nil
	}
	return &Limiter{rate: float64(rate), seed: maphash.MakeSeed(), callers: map[callerKey]*limited{}}
}

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

// limitFold are calls that one entry is to tell of.
type limitFold struct {
	fold
	several string // what is different in them
	rest    bool   // they are of several kinds
	// class is that of their statuses, and statuses whether these are several.
	class    string
	statuses bool
}

// limitKind is what is the same in calls of one kind.
type limitKind struct {
	foldKey
	outcome, incomplete, findings string
	reason, evidence, method      string
	fallbackStatus                int
}

func newLimitKind(e *Entry) limitKind {
	return limitKind{
		foldKey: newFoldKey(e), outcome: e.Event.Outcome, incomplete: e.IMDS.Incomplete,
		findings: strings.Join(e.IMDS.Findings, " "), method: e.HTTP.Request.Method,
		reason: e.IMDS.Fallback.Reason, evidence: e.IMDS.Fallback.Evidence, fallbackStatus: e.IMDS.Fallback.StatusCode,
	}
}

// limitRest is what is the same in calls beyond all limits: what decides how a report, the
// metrics and CloudWatch count a call. There are 1,024 of them at most: 4 versions and
// requests (of unknown ones 8 reasons at most), 2 networks, 16 classes and outcomes, and the
// two findings.
type limitRest struct {
	action, incomplete, network string
	statuses, outcome           string
	credentials                 bool // were got
	elsewhere, otherCloud       bool
}

func newLimitRest(e *Entry) limitRest {
	return limitRest{
		action: e.Event.Action, incomplete: e.IMDS.Incomplete, network: e.Network.Type,
		statuses: statusClass(e.HTTP.Response.StatusCode), outcome: e.Event.Outcome, credentials: e.GotCredentials(),
		elsewhere:  slices.Contains(e.IMDS.Findings, string(diagnosis.LocalResponder)),
		otherCloud: slices.Contains(e.IMDS.Findings, string(diagnosis.OtherCloud)),
	}
}

// Limit takes in an entry now, after all that was due. It reports whether an entry that
// comes later tells of it; if not, it has to be written.
func (l *Limiter) Limit(e *Entry, now time.Time) bool {
	if l == nil {
		return false
	}
	c := l.caller(e, now)
	if l.spend(c, e, now) {
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
		return false
	}
	l.fold(c, e, ofKind, ofPath, now)
	return true
}

// Spare reports whether the caller has an entry left now, and takes it.
func (l *Limiter) Spare(e *Entry, now time.Time) bool {
	return l == nil || l.spend(l.caller(e, now), e, now)
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
	e.Message += "; without arguments and ancestors, which are too long for so many calls"
}

func (l *Limiter) begin(c *limited, at time.Time) {
	c.begin, c.room = at, maxFirsts
	c.firsts, c.kinds, c.folds = map[uint64]struct{}{}, map[uint64]int{}, map[uint64]*limitFold{}
	l.flooding = append(l.flooding, c)
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

// fold adds the call to what tells most of it.
func (l *Limiter) fold(c *limited, e *Entry, ofKind, ofPath uint64, now time.Time) {
	f := c.folds[ofPath]
	if f == nil {
		f = c.folds[ofKind]
	}
	room := l.folds < maxLimitFolds
	switch {
	case f != nil:
	case room && c.own < maxCallerFolds/2:
		f = l.open(c, ofPath, "")
	case room && c.own < maxCallerFolds:
		f = l.open(c, ofKind, SeveralPaths)
	default:
		f = l.rest(c, newLimitRest(e), now)
	}
	f.add(e)
	l.together += f.joined(f.rest)
}

// Together is how many calls are told by lines for several, or will be. It never goes down.
func (l *Limiter) Together() uint64 {
	if l == nil {
		return 0
	}
	return l.together
}

// rest is what tells of calls beyond all limits: one of the caller, or of all callers that
// there is no room for.
func (l *Limiter) rest(c *limited, same limitRest, now time.Time) *limitFold {
	key := maphash.Comparable(l.seed, same)
	if l.rests >= maxRests && c.folds[key] == nil {
		c = l.of(callerKey{}, now)
		if c.begin.IsZero() {
			l.begin(c, now)
		}
	}
	f := c.folds[key]
	if f == nil {
		l.rests++
		f = c.open(key, SeveralKinds)
		f.rest, f.class = true, same.statuses
	}
	return f
}

func (l *Limiter) open(c *limited, key uint64, several string) *limitFold {
	l.folds++
	c.own++
	return c.open(key, several)
}

func (c *limited) open(key uint64, several string) *limitFold {
	f := &limitFold{several: several}
	c.folds[key] = f
	c.order = append(c.order, f)
	return f
}

// add takes in a call.
func (f *limitFold) add(e *Entry) {
	before := f.latest
	f.begin = e.Timestamp // each is near enough
	f.fold.add(e, limitPeriod)
	if f.rest {
		f.generalise(&before)
	}
}

// generalise leaves in the latest entry what is the same in all calls, by the one before:
// not what is one request's, and the process only if all are the same program's.
func (f *limitFold) generalise(before *Entry) {
	e, i := &f.latest, &f.latest.IMDS
	e.shorten()
	e.URL, e.UserAgent, e.Package, e.Labels, e.Event.Duration = URL{}, UserAgent{}, Package{}, nil, nil
	i.OnBehalfOf, i.Fallback, i.TokenTTLSeconds, i.Server, i.ResponseTTL, i.ResponseTTLNeeded = Relative{}, Fallback{}, 0, "", 0, 0
	if e.Systemd.UserUnit = ""; f.Calls == 1 {
		return
	}
	if f.several == SeveralPrograms || programOf(e) != programOf(before) {
		f.several = SeveralPrograms
		e.Process, i.Script, i.ExecutableDeleted = Process{}, Script{}, false
	}
	if f.statuses = f.statuses || e.HTTP.Response.StatusCode != before.HTTP.Response.StatusCode; f.statuses {
		e.HTTP.Response.StatusCode = 0
	}
	e.keepSame(before)
}

// programOf is what tells programs apart.
func programOf(e *Entry) [2]string {
	return [2]string{cmp.Or(e.Process.Executable, e.Process.Name), e.IMDS.Script.Title()}
}

// keepSame clears what another entry has not.
func (e *Entry) keepSame(other *Entry) {
	i := &e.IMDS
	if e.User != other.User {
		e.User = User{}
	}
	if e.WorkloadFields != other.WorkloadFields {
		e.WorkloadFields = WorkloadFields{}
	}
	if e.HTTP.Request.Method != other.HTTP.Request.Method {
		e.HTTP.Request.Method = ""
	}
	if isTrue(i.ForwardedFor) != isTrue(other.IMDS.ForwardedFor) {
		i.ForwardedFor = nil
	}
	if isTrue(i.Credentials) != isTrue(other.IMDS.Credentials) {
		i.Credentials = nil
	}
	i.ExecutableDeleted = i.ExecutableDeleted && other.IMDS.ExecutableDeleted
	var both []string
	for _, found := range i.Findings {
		if slices.Contains(other.IMDS.Findings, found) {
			both = append(both, found)
		}
	}
	i.Findings = both
}

// entry is that of the calls.
func (f *limitFold) entry() *Entry {
	e := &f.latest
	if f.rest {
		e.IMDS.Folded = f.Folded
		if f.statuses {
			e.IMDS.Folded.Statuses = f.class
		}
		e.Message = Sanitize(f.message())
	} else {
		e = f.fold.entry()
	}
	if e.IMDS.Folded.Calls == 0 {
		return e
	}
	e.IMDS.Folded.Reason, e.IMDS.Folded.Several = ReasonRate, f.several
	if f.several == SeveralPaths {
		e.URL = URL{}
		e.Message += ", of several paths"
	}
	return e
}

// message says it of calls of several kinds.
func (f *limitFold) message() string {
	e := &f.latest
	whose := cmp.Or(ownerOf(&e.WorkloadFields).in(), " of user "+cmp.Or(e.User.Name, e.User.ID, "not known"))
	by, which := "several programs", "which were too many to be told apart"
	if f.several == SeveralKinds {
		by, which = cmp.Or(cut(programName(e), maxMessageName), "processes that are not known"), "of too many kinds to be told apart"
	}
	return fmt.Sprintf("%s by %s%s, %s: %d of them, %s", kind(e), by, cut(whose, maxMessageName), answer(e), f.Calls, which)
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
	*c = limited{tokens: c.tokens, at: c.at}
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
