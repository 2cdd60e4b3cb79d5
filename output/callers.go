package output

import (
	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// maxCallers bounds the processes that are remembered: four times what a busy host has
// call within a second. At 48 KiB at worst, with what attribution has of them, they take
// 1.5 MiB.
const maxCallers = 32

// Callers remember what entries say of the latest processes: to look for secrets in the
// arguments of one and of all its ancestors takes longer than all else, and a process may
// make thousands of calls. The zero value is ready; it is not safe for concurrent use.
type Callers struct {
	known map[*attribution.Process]*caller
}

// caller is what an entry says of a process. Entries share it, and do not change it.
type caller struct {
	identity  identity.Identity // of which it was made
	process   Process
	user      User
	workload  WorkloadFields
	software  Package
	script    Script
	ancestors []Relative
	deleted   bool
	elsewhere bool
}

// of returns what is to be said of a process, which may be nil, and of its identity. It is
// nil if that is nothing.
func (c *Callers) of(p *attribution.Process, i *identity.Identity) *caller {
	switch {
	case p == nil && *i == (identity.Identity{}):
		return nil
	case p == nil:
		return newCaller(p, i)
	}
	if known := c.known[p]; known != nil && known.identity == *i {
		return known
	}
	if c.known == nil || len(c.known) >= maxCallers {
		c.known = make(map[*attribution.Process]*caller)
	}
	made := newCaller(p, i)
	c.known[p] = made
	return made
}

func newCaller(p *attribution.Process, i *identity.Identity) *caller {
	c := &caller{identity: *i}
	if p != nil {
		c.attribute(p)
	}
	c.identify(i, p)
	return c
}

// madeBy fills in what is said of the process.
func (e *Entry) madeBy(c *caller) {
	if c == nil {
		return
	}
	e.Process = c.process
	e.User = c.user
	e.WorkloadFields = c.workload
	e.Package = c.software
	e.IMDS.Script = c.script
	e.IMDS.Ancestors = c.ancestors
	e.IMDS.ExecutableDeleted = c.deleted
	e.IMDS.ExecutableElsewhere = c.elsewhere
}
