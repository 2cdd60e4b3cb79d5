package output

import (
	"strconv"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// attribute fills in how the process was found, and what else may have made the call.
func (e *Entry) attribute(a *attribution.Answer) {
	e.IMDS.Attribution = Attribution{Status: string(a.Status), Method: string(a.Method)}
	for i := range a.Candidates {
		c := &a.Candidates[i]
		e.IMDS.Attribution.Candidates = append(e.IMDS.Attribution.Candidates,
			relative(c.PID, c.Name, c.Executable, arguments{c.Args, c.ArgsTruncated, c.ArgsJoined}))
	}
	if b := a.OnBehalfOf; b != nil {
		e.IMDS.OnBehalfOf = relative(b.PID, b.Name, b.Executable, arguments{})
	}
}

// attribute fills in what is known of the process.
func (c *caller) attribute(p *attribution.Process) {
	c.deleted = p.Deleted
	c.ancestors = ancestors(p.Ancestors)
	c.process = process(p)
	c.process.Parent = parent(p.Ancestors, c.ancestors)
	c.user = user(p.User)
}

func process(p *attribution.Process) Process {
	args, line := arguments{p.Args, p.ArgsTruncated, p.ArgsJoined}.clean()
	return Process{
		PID:              p.PID,
		VPID:             p.NamespacePID,
		Name:             imds.Redact(p.Name),
		Executable:       imds.Redact(p.Executable),
		Args:             args,
		CommandLine:      line,
		WorkingDirectory: imds.Redact(p.WorkingDirectory),
		Start:            timestamp(p.Start),
	}
}

// parent is the first of the line of ancestors, as which it was made clean.
func parent(line []attribution.Ancestor, clean []Relative) Parent {
	if len(line) == 0 {
		return Parent{}
	}
	p := clean[0]
	args, _ := arguments{line[0].Args, line[0].ArgsTruncated, line[0].ArgsJoined}.clean()
	return Parent{
		PID:         p.PID,
		Name:        p.Name,
		Executable:  p.Executable,
		Args:        args,
		CommandLine: p.CommandLine,
	}
}

func user(u *attribution.User) User {
	if u == nil {
		return User{}
	}
	return User{ID: strconv.FormatUint(uint64(u.ID), 10), Name: imds.Redact(u.Name)}
}

func ancestors(line []attribution.Ancestor) []Relative {
	if len(line) == 0 {
		return nil
	}
	relatives := make([]Relative, len(line))
	for i := range line {
		a := &line[i]
		relatives[i] = relative(a.PID, a.Name, a.Executable, arguments{a.Args, a.ArgsTruncated, a.ArgsJoined})
	}
	return relatives
}

func relative(pid int, name, executable string, args arguments) Relative {
	_, line := args.clean()
	return Relative{
		PID:         pid,
		Name:        imds.Redact(name),
		Executable:  imds.Redact(executable),
		CommandLine: line,
	}
}
