package output

import "hash/maphash"

// maxTold bounds the programs of a caller of which is remembered, while it floods, that
// they have an entry: 20 KiB, and 1.3 MiB for all callers. So many entries more has a flood
// at most, of limitCost as a rule and 10 KiB with the longest names: 2 to 10 MiB.
const maxTold = 1024

// limitProgram is what tells the programs of a caller apart, as a report does, and what of
// their calls matters most: whether they have to be changed, and whether they got
// credentials.
type limitProgram struct {
	caller      callerKey
	kind, owner string
	runs
	startedBy, userAgent    string
	action                  string
	credentials, forwarding bool
}

func newLimitProgram(e *Entry) limitProgram {
	p := limitProgram{
		caller: callerOf(e), startedBy: e.StartedBy(), action: e.Event.Action,
		credentials: e.GotCredentials(), forwarding: isTrue(e.IMDS.ForwardedFor),
	}
	p.kind, p.owner = e.Workload()
	if e.Process.PID == 0 {
		p.userAgent = e.UserAgent.Original
		return p
	}
	p.runs = runsOf(e)
	return p
}

// A standing of a program is whether it has an entry in its caller's flood.
type standing int

const (
	isTold   standing = iota
	isNew             // it has to get one
	isBeyond          // there are too many programs to remember
)

// program returns the standing of the entry's program, which is told from now on if it is
// new.
func (l *Limiter) program(c *limited, e *Entry) standing {
	program := maphash.Comparable(l.seed, newLimitProgram(e))
	if _, told := c.programs[program]; told {
		return isTold
	}
	if len(c.programs) >= maxTold {
		return isBeyond
	}
	c.programs[program] = struct{}{}
	return isNew
}

// firstOf reports whether a call is its program's first in a flood, and makes it as short as
// there is room for.
func (l *Limiter) firstOf(c *limited, e *Entry) bool {
	switch l.program(c, e) {
	case isNew:
		if !c.makeRoom(e) {
			e.shorten()
			e.URL.Original, e.URL.Query, e.UserAgent = "", "", UserAgent{}
		}
		return true
	case isBeyond:
		l.beyond++
	}
	return false
}

// Beyond is how many calls are told together whose programs may have no entry of their own:
// their caller has too many. It never goes down.
func (l *Limiter) Beyond() uint64 {
	if l == nil {
		return 0
	}
	return l.beyond
}
