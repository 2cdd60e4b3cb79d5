package output

import (
	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// maxCallersBytes bounds what is remembered: some 350 processes as they are as a rule, and
// seven whose arguments, and those of all their ancestors, are as long as they can be, and
// nothing but quotation marks, of each of which a command line makes four characters.
const maxCallersBytes = 1 << 20

// Callers remember what entries say of the latest processes: to look for secrets in the
// arguments of one and of all its ancestors takes longer than all else, and a process may
// make thousands of calls. The zero value is ready; it is not safe for concurrent use.
type Callers struct {
	known map[*attribution.Process]*caller
	bytes int
	texts cleanTexts
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

// of returns what is to be said of the process that was found, if one was, and of its
// identity. What a capture file tells of a process it tells anew with each packet. It is nil
// if nothing is known: where no process is, nothing but the workload can be.
func (c *Callers) of(a *attribution.Answer, i *identity.Identity) *caller {
	p := a.Process
	if p == nil && i.Workload == (identity.Workload{}) {
		return nil
	}
	if p == nil || a.Method == attribution.CaptureComment {
		return newCaller(p, i)
	}
	known := c.known[p]
	if known == nil || known.identity != *i {
		known = newCaller(p, i)
		c.remember(p, known)
	}
	return known
}

// remember forgets others, whichever they are, if there is no room.
func (c *Callers) remember(p *attribution.Process, made *caller) {
	if c.known == nil {
		c.known = make(map[*attribution.Process]*caller)
	}
	c.forget(p)
	c.bytes += made.size()
	for other := range c.known {
		if c.bytes <= maxCallersBytes {
			break
		}
		c.forget(other)
	}
	c.known[p] = made
}

func (c *Callers) forget(p *attribution.Process) {
	if known := c.known[p]; known != nil {
		c.bytes -= known.size()
		delete(c.known, p)
	}
}

func newCaller(p *attribution.Process, i *identity.Identity) *caller {
	c := &caller{identity: *i}
	if p != nil {
		c.attribute(p)
	}
	c.identify(i, p)
	return c
}

const (
	callerBytes   = 2 << 10 // without its texts of any length
	relativeBytes = 256     // without its texts
	textBytes     = 16      // besides those of the text
)

// size is about how much memory it takes, in bytes.
func (c *caller) size() int {
	p, parent := &c.process, &c.process.Parent
	n := callerBytes + textsSize(p.Args) + textsSize(parent.Args) + c.script.Package.size() + c.software.size()
	for _, text := range [...]string{
		p.CommandLine, p.Executable, p.WorkingDirectory, parent.CommandLine, parent.Executable, c.script.Name, c.script.Path,
		c.workload.Container.Name, c.workload.Container.Image.Name,
	} {
		n += len(text)
	}
	for i := range c.ancestors {
		r := &c.ancestors[i]
		n += relativeBytes + len(r.CommandLine) + len(r.Executable) + len(r.Script) + r.Package.size()
	}
	return n
}

func (p *Package) size() int { return len(p.Name) + len(p.Version) }

func textsSize(texts []string) (n int) {
	for _, text := range texts {
		n += textBytes + len(text)
	}
	return n
}

// madeBy fills in what is said of the process; nil says nothing.
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
