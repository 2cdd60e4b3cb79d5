package output

import "cmp"

// origin is what the summary says of where a program comes from and where it
// runs. What is not known is empty.
type origin struct{ place, pod, task, image, packages string }

func originOf(e *Entry) origin {
	return origin{
		place:    cut(place(&e.WorkloadFields), maxTallied),
		pod:      cut(podName(&e.Kubernetes), maxTallied),
		task:     cut(taskIn(&e.Orchestrator), maxTallied),
		image:    cut(e.Container.Image.Name, maxTallied),
		packages: cut(packages(e), maxTallied),
	}
}

// place is "web-1 (docker)" for a container, and the owner's name for others.
func place(w *WorkloadFields) string {
	if name := containerName(w); name != "" {
		return name + " (" + cmp.Or(w.Container.Runtime, containerOwner) + ")"
	}
	return ownerOf(w).name
}

// taskIn is "web:7 in cluster prod".
func taskIn(o *Orchestrator) string {
	name := taskName(&o.Resource)
	if name == "" || o.Cluster.Name == "" {
		return name
	}
	return name + " in cluster " + o.Cluster.Name
}

// packages are those of the script and the executable, each once.
func packages(e *Entry) string {
	script, executable := packageName(e.IMDS.Script.Package), packageName(e.Package)
	if script == executable {
		return script
	}
	return JoinKnown(", ", script, executable)
}

// packageName is "curl 7.88.1-10 (deb)".
func packageName(p Package) string {
	if p.Name == "" {
		return ""
	}
	kind := ""
	if p.Type != "" {
		kind = "(" + p.Type + ")"
	}
	return JoinKnown(" ", p.Name, p.Version, kind)
}
