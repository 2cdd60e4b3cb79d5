package output

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"imds-analyzer/diagnosis"
)

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
	if f.several == SeveralPrograms || runsOf(e) != runsOf(before) {
		f.several = SeveralPrograms
		e.Process, i.Script, i.ExecutableDeleted, i.ExecutableElsewhere = Process{}, Script{}, false, false
	}
	if f.statuses = f.statuses || e.HTTP.Response.StatusCode != before.HTTP.Response.StatusCode; f.statuses {
		e.HTTP.Response.StatusCode = 0
	}
	e.keepSame(before)
}

// runs is what a process runs, which tells programs apart.
type runs struct {
	executable, script string
	elsewhere          bool
}

func runsOf(e *Entry) runs {
	return runs{cmp.Or(e.Process.Executable, e.Process.Name), e.IMDS.Script.Title(), e.IMDS.ExecutableElsewhere}
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
	i.ForwardedFor = same(i.ForwardedFor, other.IMDS.ForwardedFor)
	i.Credentials = same(i.Credentials, other.IMDS.Credentials)
	i.ExecutableDeleted = i.ExecutableDeleted && other.IMDS.ExecutableDeleted
	var both []string
	for _, found := range i.Findings {
		if slices.Contains(other.IMDS.Findings, found) {
			both = append(both, found)
		}
	}
	i.Findings = both
}

// same is what both are. Not known is neither true nor false: it stands for calls before
// that differed, too.
func same(a, b *bool) *bool {
	if a == nil || b == nil || *a != *b {
		return nil
	}
	return a
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
		e.addToMessage(", of several paths")
		e.URL = URL{}
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
