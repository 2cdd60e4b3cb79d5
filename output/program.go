package output

import (
	"cmp"
	"strconv"
)

// Limits of the summary: a few hundred programs make calls on the busiest
// host. One takes below 20 KiB with 24 + 6 × 8 texts of 200 characters in its
// tallies and 8 more beside them, a command line, and an executable's path of
// 4 KiB, so this stays below 5 MiB.
const (
	maxPrograms    = 256
	maxPaths       = 24
	maxOfEach      = 8   // pids, users, user agents, statuses, clients, reasons
	maxCommandLine = 400 // characters
)

// programKey tells programs apart: by owner, executable and script, or by the
// User-Agent where the process is not known.
type programKey struct {
	owner                         owner
	executable, script, userAgent string // the executable with elsewhereMark
}

// program is what the summary says of a program that made calls of version 1,
// or ones that might be.
type program struct {
	key         programKey
	v1, unknown uint64
	origin             // of the latest call
	commandLine string // of the latest call
	paths       tally
	statuses    tally
	pids        tally
	users       tally
	userAgents  tally
	clients     tally
	why         tally
}

func newProgram(key programKey) *program {
	return &program{
		key:        key,
		paths:      newTally(maxPaths),
		statuses:   newTally(maxOfEach),
		pids:       newTally(maxOfEach),
		users:      newTally(maxOfEach),
		userAgents: newTally(maxOfEach),
		clients:    newTally(maxOfEach),
		why:        newTally(maxOfEach),
	}
}

func keyOf(e *Entry) programKey {
	if e.Process.PID == 0 {
		return programKey{userAgent: cut(e.UserAgent.Original, maxTallied)}
	}
	o := ownerOf(&e.WorkloadFields)
	return programKey{
		owner:      owner{o.kind, cut(o.name, maxTallied)},
		executable: JoinKnown(" ", cmp.Or(e.Process.Executable, e.Process.Name, "executable not known"), elsewhereMark(e)),
		script:     cut(e.IMDS.Script.Title(), maxTallied),
	}
}

// ElsewhereMark stands behind the name of an executable that is not the host's file of
// that name.
const ElsewhereMark = "(not the host's)"

func elsewhereMark(e *Entry) string {
	if e.IMDS.ExecutableElsewhere {
		return ElsewhereMark
	}
	return ""
}

// Program names what made the call by its executable and script, in one line of at most
// maxTallied characters; the name is empty if the process is not known.
func (e *Entry) Program() string {
	if e.Process.PID == 0 {
		return ""
	}
	k := keyOf(e)
	return Sanitize(cut(JoinKnown(" ", k.executable, k.script), maxTallied))
}

func (p *program) add(e *Entry) {
	switch e.Event.Action {
	case actionV1:
		p.v1++
	default:
		p.unknown++
	}
	p.origin = originOf(e)
	p.commandLine = cut(e.Process.CommandLine, maxCommandLine)
	var room [64]byte // for texts that are counted and not kept
	p.paths.add(e.URL.Path)
	p.statuses.add(string(appendAnswer(room[:0], e)))
	p.users.add(cmp.Or(e.User.Name, e.User.ID))
	p.userAgents.add(e.UserAgent.Original)
	for _, id := range e.IMDS.Findings {
		p.why.add(why(e, id))
	}
	if e.Process.PID == 0 {
		p.clients.add(string(e.Source.IP.AppendTo(room[:0])))
	} else {
		p.pids.add(string(strconv.AppendInt(room[:0], int64(e.Process.PID), 10)))
	}
}

// title names the program.
func (p *program) title() string {
	switch {
	case p.key.executable != "":
		return JoinKnown(": ", p.place, JoinKnown(" ", p.key.executable, p.key.script))
	case p.key.userAgent != "":
		return "process not known, User-Agent " + p.key.userAgent
	}
	return "process not known, no User-Agent"
}
