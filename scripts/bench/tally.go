package main

import (
	"slices"
	"strconv"
)

// cell is one set of conditions under which calls are made.
type cell struct {
	Topology  string `json:"topology"`
	Kind      string `json:"kind"`
	AtOnce    int    `json:"at_once"`
	Processes int    `json:"more_processes"`
}

// tally counts what the log says of the calls of a cell. Each call is either
// missing or counted once in PID.
type tally struct {
	Calls      int   `json:"calls"`
	Missing    int   `json:"missing"`
	Twice      int   `json:"seen_twice"`
	PID        found `json:"pid"`
	Args       score `json:"args"`
	User       score `json:"user"`
	Executable score `json:"executable"`
	Container  score `json:"container"` // of clients in one
}

// found counts the processes named.
type found struct {
	score
	// Shared counts those calls whose process is named as one of several.
	Shared int `json:"shared"`
	// Inferred counts those that the log itself does not call proven.
	InferredRight int `json:"inferred_right"`
	InferredWrong int `json:"inferred_wrong"`
}

// score counts answers. None is one that does not say.
type score struct {
	Right int `json:"right"`
	Wrong int `json:"wrong"`
	None  int `json:"none"`
}

func (s *score) count(known, right bool) {
	switch {
	case !known:
		s.None++
	case right:
		s.Right++
	default:
		s.Wrong++
	}
}

func (s *score) add(o score) {
	s.Right += o.Right
	s.Wrong += o.Wrong
	s.None += o.None
}

func (t *tally) add(o tally) {
	t.Calls += o.Calls
	t.Missing += o.Missing
	t.Twice += o.Twice
	t.PID.add(o.PID.score)
	t.PID.Shared += o.PID.Shared
	t.PID.InferredRight += o.PID.InferredRight
	t.PID.InferredWrong += o.PID.InferredWrong
	t.Args.add(o.Args)
	t.User.add(o.User)
	t.Executable.add(o.Executable)
	t.Container.add(o.Container)
}

// wrong is how many answers are worse than none.
func (t *tally) wrong() int {
	return t.PID.Wrong + t.Args.Wrong + t.User.Wrong + t.Container.Wrong + t.Twice
}

// compare counts an entry for a call by a process of a client, and says in a
// word what is not as it should be.
func (t *tally) compare(e *entry, c *client, by pids) string {
	before := t.wrong()
	p := &e.Process
	t.PID.compare(e, by)
	// What is said of another process, and not as proven, says nothing of this one.
	about := p.PID == by.host || p.PID != 0 && e.IMDS.Attribution.Status == resolved
	t.Args.count(about && p.Args != nil, slices.Equal(p.Args, c.args))
	t.User.count(about && e.User.ID != "", e.User.ID == strconv.Itoa(c.uid))
	t.Executable.count(about && p.Executable != "", p.Executable == c.executable)
	if c.container != "" {
		t.Container.count(about && e.Container.ID != "", e.Container.ID == c.container)
	}
	switch {
	case t.wrong() > before:
		return "wrong"
	case p.PID == 0:
		return "none"
	}
	return ""
}

// compare counts the process that an entry names. It is the caller's if the
// host's pid is right, and the container's too, if that is told.
func (f *found) compare(e *entry, by pids) {
	named, inside := e.Process.PID, e.Process.VPID
	a := e.IMDS.Attribution
	isCaller := func(c struct{ PID int }) bool { return c.PID == by.host }
	right := named == by.host && (inside == 0 || inside == by.inside)
	switch {
	case named != 0 && a.Status == inferred && right:
		f.InferredRight++
	case named != 0 && a.Status == inferred:
		f.InferredWrong++
	case named != 0 && a.Status == shared && (right || slices.ContainsFunc(a.Candidates, isCaller)):
		f.Shared++
	default:
		f.count(named != 0, right)
	}
}
