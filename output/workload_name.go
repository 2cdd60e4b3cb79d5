package output

import (
	"cmp"
	"strings"
)

// Workload names what the call's process belongs to by what is the same on all hosts
// and in all replicas: a pod by its namespace and its workload, a container by its
// image. Both are empty if that is not known. The kinds are pod, task, container
// and unit.
func (e *Entry) Workload() (kind, name string) {
	w := &e.WorkloadFields
	within := containerName(w)
	switch {
	case w.Kubernetes.Pod.Name != "":
		pod := podWorkload(w.Kubernetes.Pod.Name, e.Host.Hostname)
		return podOwner, JoinKnown("/", w.Kubernetes.Namespace, pod, within)
	case w.Orchestrator.Resource.Name != "":
		return taskOwner, JoinKnown("/", w.Orchestrator.Resource.Name, within)
	case within != "":
		return containerOwner, cmp.Or(w.Container.Image.Name, within)
	}
	o := unitOf(&w.Systemd)
	return o.kind, transientUnit(o.name)
}

// podWorkload takes from a pod's name what its controller has added: five random
// characters, before them the hash of a Deployment's template or the time of a
// CronJob in minutes; the number in a StatefulSet; the node's name of a static pod
// (Kubernetes documentation, "Workload Management" and "Static Pods").
func podWorkload(name, hostname string) string {
	if at := strings.LastIndex(name, "-"+hostname); at > 0 && hostname != "" {
		return name[:at]
	}
	if rest, last := cutLast(name); rest != "" && isNumber(last) {
		return rest
	}
	rest, last := cutLast(name)
	if len(last) != 5 || !isGenerated(last) {
		return name
	}
	before, middle := cutLast(rest)
	const hash, minutes = 6, 8 // characters, at least
	if before != "" && (len(middle) >= hash && isGenerated(middle) || len(middle) >= minutes && isNumber(middle)) {
		return before
	}
	return cmp.Or(rest, name)
}

// cutLast cuts a name at its last hyphen. Without one, rest is empty.
func cutLast(name string) (rest, last string) {
	at := strings.LastIndexByte(name, '-')
	if at <= 0 {
		return "", name
	}
	return name[:at], name[at+1:]
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isGenerated: the random parts of names have no vowels, so that they are no words,
// and none of 0, 1 and 3 (k8s.io/apimachinery, util/rand).
func isGenerated(s string) bool { return strings.Trim(s, "bcdfghjklmnpqrstvwxz2456789") == "" }

// transientUnit takes the number from a unit that systemd-run has named
// (systemd-run(1)).
func transientUnit(name string) string {
	if !strings.HasPrefix(name, "run-") {
		return name
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || strings.Trim(name[len("run-"):dot], hexDigits+"rupi-") != "" {
		return name
	}
	return "run-*" + name[dot:]
}
