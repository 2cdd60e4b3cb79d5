package output

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"imds-analyzer/imds"
)

// maxFolds bounds the periods that are open at once: a host has some ten programs that
// call version 2 again and again, each with two kinds of calls. One keeps an entry, 4 KiB
// as a rule: 1 MiB in all. With the longest arguments of a caller and its ancestors, 24 KiB
// in two forms each, it is 12 MiB. The calls of programs beyond that are entries of their
// own.
const maxFolds = 256

// Folded is what an entry tells of the calls that it stands for: its own, which is the
// latest, and those before it.
type Folded struct {
	Calls uint64 `json:"calls,omitempty"` // 2 at least
	// First and Last are the times of the earliest and the latest call.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// FirstSequence is the number in its capture of the first of them.
	FirstSequence uint64 `json:"first_sequence,omitempty"`
	// Reason is ReasonRate if there were too many for entries of their own; else they
	// are what a Folder makes one of.
	Reason string `json:"reason,omitempty"`
	// Several is what the entry does not tell, as it is not the same in all of them.
	Several string `json:"several,omitempty"`
	// Statuses is the class of statuses that were not the same in all of them, as 2xx.
	Statuses string `json:"statuses,omitempty"`
}

// Calls is how many calls the entry stands for: more than one of another version than 2
// only if there were too many.
func (e *Entry) Calls() uint64 {
	if e.IMDS.Version != imds.V2.String() && e.IMDS.Folded.Reason != ReasonRate {
		return 1
	}
	return max(1, e.IMDS.Folded.Calls)
}

// Held reports whether a Folder has held the entry back, also if it stands for one call: who
// shows each call at once has shown it.
func (e *Entry) Held() bool { return e.held }

// Folder makes one entry of the calls of version 2 that a program repeats within a
// period. The first is an entry of its own; the entry for those that follow comes at the
// period's end. It is not safe for concurrent use. A nil one folds nothing.
type Folder struct {
	period time.Duration
	open   map[foldKey]*fold
	order  []*fold // by their beginnings

	together uint64
}

// NewFolder returns a Folder for periods of that length. One of no length folds nothing.
func NewFolder(period time.Duration) *Folder {
	if period <= 0 {
		return nil
	}
	return &Folder{period: period, open: map[foldKey]*fold{}}
}

// fold is the period of one kind of calls by one program.
type fold struct {
	key    foldKey
	begin  time.Time
	latest Entry
	Folded
}

// Fold takes in an entry, after all that was due at its time. It reports whether an entry
// that comes later tells of it; if not, it has to be written.
func (f *Folder) Fold(e *Entry) bool {
	if f == nil || !folds(e) {
		return false
	}
	key := newFoldKey(e)
	if p := f.open[key]; p != nil {
		if !p.add(e, f.period) {
			return false
		}
		f.together += p.joined(false)
		return true
	}
	if len(f.open) < maxFolds {
		f.begin(&fold{key: key, begin: e.Timestamp})
	}
	return false
}

func (f *Folder) begin(p *fold) {
	f.open[p.key] = p
	at, _ := slices.BinarySearchFunc(f.order, p.begin, func(p *fold, begin time.Time) int {
		if p.begin.After(begin) {
			return 1
		}
		return -1 // behind those that begin at the same time
	})
	f.order = slices.Insert(f.order, at, p)
}

// add takes in a call that is near enough in time: a clock can be set.
func (p *fold) add(e *Entry, period time.Duration) bool {
	if e.Timestamp.Sub(p.begin).Abs() >= period {
		return false
	}
	if p.Calls == 0 {
		p.First, p.Last, p.FirstSequence = e.Timestamp, e.Timestamp, e.Event.Sequence
	}
	p.Calls++
	p.latest = *e
	if e.Timestamp.Before(p.First) {
		p.First = e.Timestamp
	}
	if e.Timestamp.After(p.Last) {
		p.Last = e.Timestamp
	}
	return true
}

// joined is how many calls more are told together with the latest: of two that one, and the
// first, which has its own line while it is alone.
func (p *fold) joined(alone bool) uint64 {
	switch {
	case alone || p.Calls > 2:
		return 1
	case p.Calls == 2:
		return 2
	}
	return 0
}

// Together is how many calls are told by lines for several, or will be. It never goes down.
func (f *Folder) Together() uint64 {
	if f == nil {
		return 0
	}
	return f.together
}

// Due returns the entries of the periods that have ended by now. They are good until the
// next call.
func (f *Folder) Due(now time.Time) (entries []*Entry) {
	if f == nil {
		return nil
	}
	ended := 0
	for ended < len(f.order) && !f.order[ended].begin.Add(f.period).After(now) {
		ended++
	}
	entries = f.end(0, ended)
	// A clock that was set back would keep those that begin later for as long.
	begun := len(f.order)
	for begun > 0 && f.order[begun-1].begin.Add(-f.period).After(now) {
		begun--
	}
	return append(entries, f.end(begun, len(f.order))...)
}

// Flush returns the entries of all periods.
func (f *Folder) Flush() []*Entry {
	if f == nil {
		return nil
	}
	return f.end(0, len(f.order))
}

// end ends some periods, by their places in the order.
func (f *Folder) end(from, to int) (entries []*Entry) {
	for _, p := range f.order[from:to] {
		delete(f.open, p.key)
		if p.Calls > 0 {
			e := p.entry()
			e.held = true
			entries = append(entries, e)
		}
	}
	f.order = slices.Delete(f.order, from, to)
	return entries
}

// entry is the latest call's, which says for how many calls it stands if not for that
// alone.
func (p *fold) entry() *Entry {
	e := &p.latest
	if p.Calls > 1 {
		e.IMDS.Folded = p.Folded
		e.addToMessage(fmt.Sprintf("; the latest of %d such calls", p.Calls))
	}
	return e
}

// Next is when the next period ends; zero if none is open.
func (f *Folder) Next() time.Time {
	if f == nil || len(f.order) == 0 {
		return time.Time{}
	}
	return f.order[0].begin.Add(f.period)
}

// Open are the calls so far that entries will tell of which come later, in no order.
func (f *Folder) Open() (open []Folded) {
	if f == nil {
		return nil
	}
	for _, p := range f.order {
		if p.Calls > 0 {
			open = append(open, p.Folded)
		}
	}
	return open
}

// folds says whether a call may be told together with others. What has to be changed, or
// may have, never is; nor is what has no process or no time.
func folds(e *Entry) bool {
	status := e.HTTP.Response.StatusCode
	answered := e.Event.Outcome == outcomeSuccess || status == http.StatusNotFound // there is no such metadata
	return (e.Event.Action == actionV2 || e.Event.Action == actionToken) && answered &&
		len(e.IMDS.Findings) == 0 && e.IMDS.Fallback == Fallback{} && e.Process.PID != 0 && !e.Timestamp.IsZero()
}

// foldKey is what is the same in calls that are told together: the kind of call and
// answer, and the program.
type foldKey struct {
	action, network        string
	status, ttl, ttlNeeded int
	credentials, forwarded bool

	attribution string
	executable  string
	deleted     bool
	elsewhere   bool
	script      Script
	startedBy   string
	userAgent   string
	user        User
	workload    WorkloadFields
	software    Package
	onBehalfOf  string
}

func newFoldKey(e *Entry) foldKey {
	return foldKey{
		action:      e.Event.Action,
		network:     e.Network.Type,
		status:      e.HTTP.Response.StatusCode,
		ttl:         e.IMDS.ResponseTTL,
		ttlNeeded:   e.IMDS.ResponseTTLNeeded,
		credentials: isTrue(e.IMDS.Credentials),
		forwarded:   isTrue(e.IMDS.ForwardedFor),
		attribution: e.IMDS.Attribution.Status,
		executable:  cmp.Or(e.Process.Executable, e.Process.Name),
		deleted:     e.IMDS.ExecutableDeleted,
		elsewhere:   e.IMDS.ExecutableElsewhere,
		script:      e.IMDS.Script,
		startedBy:   e.StartedBy(),
		userAgent:   e.UserAgent.Original,
		user:        e.User,
		workload:    e.WorkloadFields,
		software:    e.Package,
		onBehalfOf:  e.IMDS.OnBehalfOf.Name,
	}
}

func isTrue(b *bool) bool { return b != nil && *b }
