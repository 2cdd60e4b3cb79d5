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

// scriptOf returns the script that has started the caller itself, or through a
// launcher.
func scriptOf(e *Evidence) script {
	ancestors := e.Answer.Process.Ancestors
	nearest := e.Identity.Generation - 1
	if nearest < 0 || nearest >= len(ancestors) {
		return script{}
	}
	for i := range ancestors[:nearest] {
		if !slices.Contains(launchers, nameOf(&ancestors[i])) {
			return script{}
		}
	}
	for nearest+1 < len(ancestors) && isForkOf(&ancestors[nearest], &ancestors[nearest+1]) {
		nearest++
	}
	a := &ancestors[nearest]
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
