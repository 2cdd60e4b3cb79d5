package report

import (
	"cmp"
	"strings"

	"imds-analyzer/output"
)

// programKey tells programs apart, over all hosts: by what they belong to, executable
// and script, or by the User-Agent where the process is not known. The zero key is
// that of calls that tell nothing.
type programKey struct {
	Kind       string `json:"kind,omitempty"` // pod, task, container or unit
	Owner      string `json:"owner,omitempty"`
	Executable string `json:"executable,omitempty"`
	Script     string `json:"script,omitempty"`
	UserAgent  string `json:"user_agent,omitempty"`
	// Elsewhere: the executable is not the host's file of that name.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// severalPrograms begins what stands in the place of an executable for calls that were too
// many to be told apart.
const severalPrograms = "several programs"

func keyOf(e *output.Entry) programKey {
	if e.IMDS.Folded.Several == output.SeveralPrograms {
		k := programKey{Executable: severalPrograms}
		if k.Kind, k.Owner = e.Workload(); k.Owner == "" {
			k.Executable += " of user " + cmp.Or(e.User.Name, e.User.ID, "not known")
		}
		return k
	}
	if e.Process.PID == 0 {
		return programKey{UserAgent: sameOnAllHosts(e.UserAgent.Original)}
	}
	k := programKey{
		Executable: cmp.Or(e.Process.Executable, e.Process.Name, "executable not known"),
		Script:     scriptOf(e),
		Elsewhere:  e.IMDS.ExecutableElsewhere,
	}
	k.Kind, k.Owner = e.Workload()
	return k
}

// ofFile says that it is told apart by the executable and the script that the host has by
// these names: not by a file elsewhere that is called so, nor by words for several, in which
// there is the name of a user.
func (k *programKey) ofFile() bool {
	return !k.Elsewhere && !strings.HasPrefix(k.Executable, severalPrograms)
}

// scriptOf is the script that the process runs or, where it runs none, the nearest
// one that it was started by: for curl, that is what has to be changed.
func scriptOf(e *output.Entry) string {
	return cmp.Or(e.IMDS.Script.Title(), e.StartedBy())
}

// sameOnAllHosts leaves out of a User-Agent the version of the host's kernel, which
// the SDKs for Python have as Linux/5.10.0-20-amd64 or os/linux#5.10.0-20-amd64.
func sameOnAllHosts(agent string) string {
	if !strings.Contains(agent, "inux") {
		return agent
	}
	products := strings.Split(agent, " ")
	for i, p := range products {
		if strings.HasPrefix(p, "Linux/") {
			products[i] = "Linux"
		}
		if before, _, ok := strings.Cut(p, "#"); ok && strings.HasPrefix(p, "os/linux") {
			products[i] = before
		}
	}
	return strings.Join(products, " ")
}

func (k programKey) tidy() programKey {
	return programKey{tidy(k.Kind), tidy(k.Owner), tidy(k.Executable), tidy(k.Script), tidy(k.UserAgent), k.Elsewhere}
}

func (k programKey) compare(o programKey) int {
	return cmp.Or(
		cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Owner, o.Owner), cmp.Compare(k.Executable, o.Executable),
		cmp.Compare(k.Script, o.Script), cmp.Compare(k.UserAgent, o.UserAgent),
		cmp.Compare(k.elsewhereMark(), o.elsewhereMark()))
}

// title names the program.
func (k programKey) title() string {
	switch {
	case k.Executable != "" && k.Owner != "":
		return k.Owner + ": " + output.JoinKnown(" ", k.Executable, k.elsewhereMark(), k.Script)
	case k.Executable != "":
		return output.JoinKnown(" ", k.Executable, k.elsewhereMark(), k.Script)
	case k.UserAgent != "":
		return "process not known, User-Agent " + k.UserAgent
	}
	return "process not known, no User-Agent"
}

func (k programKey) elsewhereMark() string {
	if k.Elsewhere {
		return output.ElsewhereMark
	}
	return ""
}
