package diagnosis

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"
)

// attempt is a token request that failed, or a call whose token was rejected.
type attempt struct {
	client
	tuple  uint64 // its connection
	next   window // when a client that goes on at once makes its next call
	reason Reason
	status int
	causes []Finding
	ended  bool // a later token request of the client has succeeded, at client.at
}

// window is a time with its beginning and end.
type window struct{ from, to time.Time }

func (w window) holds(t time.Time) bool { return !t.Before(w.from) && !t.After(w.to) }

// item is an attempt as it is remembered in one place.
type item struct {
	*attempt
	weak  bool   // nothing but time has tied this place to it
	named string // the User-Agent that time has tied to it, for want of one of its own
}

// following remembers what failed, and finds it again for calls of the same client.
type following struct {
	memory memory
	seed   maphash.Seed
}

// remember takes in what failed.
func (f *following) remember(a attempt) {
	keys := a.keys(f.seed)
	a.tuple = a.connection(f.seed)
	a.agent, a.product, a.through = strings.Clone(a.agent), strings.Clone(a.product), strings.Clone(a.through)
	a.conn = nil // and with it the call
	for _, k := range keys.list() {
		f.memory.make(k).take(item{attempt: &a})
	}
}

// take adds an item in the place of the one that is of the same client, unless
// that tells of a later time. If both are the same request, more is known of it now.
func (p *place) take(i item) {
	for n, old := range p.items {
		switch {
		case old.tuple == i.tuple && old.at.Equal(i.at):
			*old.attempt = *i.attempt
			return
		case old.agent != i.agent || old.process.known() != i.process.known() || old.process.differs(&i.process):
			continue
		case !old.at.Before(i.at):
			return
		}
		i.named = old.named
		p.items = slices.Delete(p.items, n, n+1)
		break
	}
	p.add(i)
}

// find returns what failed for the client of a call before, by the strongest of
// their ties; nil if nothing is known to have.
func (f *following) find(c *client) (*attempt, Tie) {
	if f.memory.empty() {
		return nil, ""
	}
	keys := c.keys(f.seed)
	for _, k := range keys.list() {
		if a, tie := f.findAt(k, c); a != nil {
			return a, tie
		}
	}
	return nil, ""
}

func (f *following) findAt(k key, c *client) (*attempt, Tie) {
	p := f.memory.at(k)
	if p == nil {
		return nil, ""
	}
	for n := len(p.items) - 1; n >= 0; n-- {
		i := &p.items[n]
		if i.ended || c.at.Before(i.at) || i.answeredAfter(c) || !i.sameClient(k.tie, c) {
			continue
		}
		if tie, ok := i.ties(k.tie, c); ok {
			f.learn(i, k.tie, c)
			return i.attempt, tie
		}
	}
	return nil, ""
}

// answeredAfter reports whether a call was made before the answer came that is said to
// explain it.
func (a *attempt) answeredAfter(c *client) bool {
	return (a.reason == Refused || a.reason == Undelivered) && c.at.Before(a.next.from)
}

// learn remembers what time alone has tied: it need not do so again for what comes
// on the same connection, or has the same agent.
func (f *following) learn(i *item, tie Tie, c *client) {
	switch tie {
	case unnamed:
		i.named = strings.Clone(c.agent)
	case SameMoment:
		k := key{SameConnection, c.connection(f.seed)}
		f.memory.make(k).take(item{attempt: i.attempt, weak: true})
	}
}

// sameClient reports whether what has a key in common can be one client.
func (i *item) sameClient(tie Tie, c *client) bool {
	switch tie {
	case SameScript:
		return true
	case SameProcess, SameConnection:
		return !i.process.differs(&c.process) && sameSoftware(&i.client, c)
	case unnamed:
		return !i.process.differs(&c.process) && i.agent == ""
	}
	return !i.process.differs(&c.process)
}

// ties says what ties a call to an attempt that it has a key in common with, if it
// comes soon enough for that.
func (i *item) ties(tie Tie, c *client) (Tie, bool) {
	switch {
	case tie == SameMoment:
		return tie, i.next.holds(c.at)
	case tie == unnamed && i.named != "" && i.named == c.agent:
		return SameUserAgent, true
	case tie == unnamed:
		return SameMoment, c.agent != "" && i.next.holds(c.at)
	case tie == SameConnection && c.conn.ID == 0 && c.at.Sub(i.at) > tupleWithin:
		return "", false
	case i.weak:
		return SameMoment, true
	}
	return tie, true
}

// end says that a token request has succeeded: what failed before explains nothing
// any more.
func (f *following) end(c *client) {
	if f.memory.empty() {
		return
	}
	keys := c.keys(f.seed)
	for _, k := range keys.list() {
		if p := f.memory.at(k); p != nil {
			p.end(k.tie, c)
		}
	}
}

func (p *place) end(tie Tie, c *client) {
	for n := range p.items {
		if i := &p.items[n]; !i.at.After(c.at) && i.sameClient(tie, c) {
			i.ended, i.at = true, c.at
		}
	}
}
