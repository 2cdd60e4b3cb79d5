package diagnosis

import (
	"path"
	"slices"
	"strings"

	"imds-analyzer/attribution"
)

// script is a run of a script that starts other programs. It has no start of its
// own that is known; what it was started with tells it from a later process with
// its pid.
type script struct {
	pid        int
	executable string
	args       string
}

func (s script) known() bool { return s.pid != 0 }

// launchers start the program that stands among their arguments, and stay its
// parent: timeout(1), sudo(8), flock(1), xargs(1), time(1), runuser(1).
var launchers = []string{"timeout", "sudo", "flock", "xargs", "time", "runuser"}

// scriptOf returns the script whose call it is: one that has started the caller, itself
// or through a launcher or, of calls without a name, the caller's own, as when a shell
// speaks to the service without a tool.
func scriptOf(e *Evidence) script {
	p := e.Answer.Process
	if e.Call.Request.UserAgent != "" {
		return startedBy(p.Ancestors, e.Identity.Generation-1)
	}
	if e.Identity.Script.Kind == "" {
		return script{}
	}
	self := attribution.Ancestor{PID: p.PID, Name: p.Name, Executable: p.Executable, Args: p.Args}
	return startedBy(append([]attribution.Ancestor{self}, p.Ancestors...), 0)
}

// startedBy returns the script that runs in the nearest of the line of processes, in
// which all before it are launchers.
func startedBy(line []attribution.Ancestor, nearest int) script {
	if nearest < 0 || nearest >= len(line) {
		return script{}
	}
	for i := range line[:nearest] {
		if !slices.Contains(launchers, nameOf(&line[i])) {
			return script{}
		}
	}
	for nearest+1 < len(line) && isForkOf(&line[nearest], &line[nearest+1]) {
		nearest++
	}
	a := &line[nearest]
	return script{a.PID, a.Executable, strings.Join(a.Args, "\x00")}
}

func nameOf(a *attribution.Ancestor) string {
	if a.Executable != "" {
		return path.Base(a.Executable)
	}
	return a.Name
}

// isForkOf: a shell runs $(...) and pipelines in a process of their own, which has
// its arguments.
func isForkOf(child, parent *attribution.Ancestor) bool {
	return child.Executable == parent.Executable && len(child.Args) > 0 && slices.Equal(child.Args, parent.Args)
}
