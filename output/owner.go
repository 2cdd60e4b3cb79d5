package output

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"imds-analyzer/identity"
)

// owner is what a process belongs to, by the name that its people know. It is
// empty if that is not known.
type owner struct{ kind, name string }

// The kinds of owners, as sentences call them.
const (
	podOwner       = "pod"
	taskOwner      = "task"
	containerOwner = "container"
	unitOwner      = "unit"
)

// ownerOf names the outermost of what is known: a pod rather than its
// container, and a container rather than the unit of its runtime.
func ownerOf(w *WorkloadFields) owner {
	within := containerName(w)
	switch {
	case w.Kubernetes.Pod != Pod{}:
		return owner{podOwner, JoinKnown("/", podName(&w.Kubernetes), within)}
	case w.Orchestrator.Resource != Resource{}:
		return owner{taskOwner, JoinKnown("/", taskName(&w.Orchestrator.Resource), within)}
	case within != "":
		return owner{containerOwner, within}
	}
	return unitOf(&w.Systemd)
}

// unitOf leaves out the sessions of systemd-logind: that someone has logged in
// is not whose the program is, and each login has a scope of its own. A user's unit
// stands behind that of his systemd: he may have called it as one of the system's.
func unitOf(s *Systemd) owner {
	session := strings.HasPrefix(s.Unit, "session-") && strings.HasSuffix(s.Unit, ".scope")
	if s.Unit == "" || session {
		return owner{}
	}
	return owner{unitOwner, JoinKnown("/", s.Unit, s.UserUnit)}
}

// in says it in a sentence, with a space before it.
func (o owner) in() string {
	switch o.kind {
	case "":
		return ""
	case unitOwner:
		return " of unit " + o.name
	}
	return " in " + o.kind + " " + o.name
}

func podName(k *Kubernetes) string {
	return JoinKnown("/", k.Namespace, cmp.Or(k.Pod.Name, shortID(k.Pod.UID)))
}

// taskName is the family, or the id at the end of an ARN.
func taskName(r *Resource) string {
	return cmp.Or(r.Name, shortID(r.ID[strings.LastIndexByte(r.ID, '/')+1:]))
}

// containerName is the container's name, or its id if it has none. Amazon's
// agent calls the containers of a task ecs-FAMILY-REVISION-NAME-HEX: of that the
// name is left, which is the same in all tasks of the family.
func containerName(w *WorkloadFields) string {
	name := cmp.Or(w.Container.Name, shortID(w.Container.ID))
	if !strings.HasPrefix(name, "ecs-") {
		return name
	}
	prefix := "ecs-" + strings.Replace(w.Orchestrator.Resource.Name, ":", "-", 1) + "-"
	rest, ok := strings.CutPrefix(name, prefix)
	hex := strings.LastIndexByte(rest, '-')
	if !ok || hex <= 0 || strings.Trim(rest[hex+1:], hexDigits) != "" {
		return name
	}
	return rest[:hex]
}

// shortID is as much of an id as docker and crictl show.
func shortID(id string) string {
	const short = 12
	return id[:min(short, len(id))]
}

// JoinKnown joins the texts that are not empty.
func JoinKnown(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), separator)
}

// programName is what people call the program: for an interpreter, together with
// the script that it runs.
func programName(e *Entry) string {
	name, script := processName(&e.Process), scriptName(&e.IMDS.Script)
	if script != "" && isCommOf(name, script) && e.Process.Executable != "" {
		name = path.Base(e.Process.Executable)
	}
	return JoinKnown(" ", name, elsewhereMark(e), script)
}

// isCommOf reports whether a process has its name from the script: it does if
// that was executed itself. The kernel keeps 15 bytes of it (proc_pid_comm(5)).
func isCommOf(name, script string) bool {
	const longest = 15
	return name == script || len(name) == longest && strings.HasPrefix(script, name)
}

// scriptName is a script's name without its folder.
func scriptName(s *Script) string {
	switch {
	case s.Name == "":
		return ""
	case s.Kind == string(identity.Module):
		return "-m " + s.Name
	}
	return path.Base(s.Name)
}
