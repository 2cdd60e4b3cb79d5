package output

import (
	"strconv"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// attribute fills in what is known of the process.
func (e *Entry) attribute(a attribution.Answer) {
	e.IMDS.Attribution = Attribution{Status: string(a.Status), Method: string(a.Method)}
	for i := range a.Candidates {
		c := &a.Candidates[i]
		e.IMDS.Attribution.Candidates = append(e.IMDS.Attribution.Candidates,
			relative(c.PID, c.Name, c.Executable, c.Args, c.ArgsTruncated))
	}
	if a.Process == nil {
		return
	}
	e.Process = process(a.Process)
	e.IMDS.ExecutableDeleted = a.Process.Deleted
	e.IMDS.Ancestors = ancestors(a.Process.Ancestors)
	if u := a.Process.User; u != nil {
		e.User = User{ID: strconv.FormatUint(uint64(u.ID), 10), Name: imds.Redact(u.Name)}
	}
}

func process(p *attribution.Process) Process {
	args := imds.RedactArgs(p.Args)
	q := Process{
		PID:              p.PID,
		VPID:             p.NamespacePID,
		Name:             imds.Redact(p.Name),
		Executable:       imds.Redact(p.Executable),
		Args:             args,
		CommandLine:      commandLine(args, p.ArgsTruncated),
		WorkingDirectory: imds.Redact(p.WorkingDirectory),
		Start:            timestamp(p.Start),
	}
	if len(p.Ancestors) > 0 {
		q.Parent = parent(&p.Ancestors[0])
	}
	return q
}

func parent(a *attribution.Ancestor) Parent {
	args := imds.RedactArgs(a.Args)
	return Parent{
		PID:         a.PID,
		Name:        imds.Redact(a.Name),
		Executable:  imds.Redact(a.Executable),
		Args:        args,
		CommandLine: commandLine(args, a.ArgsTruncated),
	}
}

func ancestors(line []attribution.Ancestor) []Relative {
	if len(line) == 0 {
		return nil
	}
	relatives := make([]Relative, len(line))
	for i := range line {
		a := &line[i]
		relatives[i] = relative(a.PID, a.Name, a.Executable, a.Args, a.ArgsTruncated)
	}
	return relatives
}

func relative(pid int, name, executable string, args []string, truncated bool) Relative {
	return Relative{
		PID:         pid,
		Name:        imds.Redact(name),
		Executable:  imds.Redact(executable),
		CommandLine: commandLine(imds.RedactArgs(args), truncated),
	}
}
