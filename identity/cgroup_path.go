package identity

import (
	"slices"
	"strings"
)

// place is what the path of a cgroup tells.
type place struct {
	Workload
	// user is the id of the user whose own systemd this is below: the names there
	// are of that user's choice. Empty if it is the system's.
	user string
	// nested: the container is inside another one or another machine, and so is its
	// runtime: its id is the word of that.
	nested bool
	// host is the cgroup that a container's is in, below a unit that is no runtime's: empty
	// if it is one's. Who may make cgroups there can name one after any container.
	host string
}

// parsePath reads the path of a cgroup, as /proc/PID/cgroup has it (cgroups(7)),
// of version 1 and 2, made by systemd or by the runtimes themselves. A path that
// leads out of another cgroup namespace ("/../../docker/ID") is read, too. What it
// does not tell is empty.
func parsePath(path string) place {
	var r pathReader
	for name := range strings.SplitSeq(strings.TrimSuffix(path, " (deleted)"), "/") {
		if name != "" && name != ".." {
			r.read(name)
		}
	}
	return r.place
}

// pathReader reads the names of a path, from the outermost on.
type pathReader struct {
	place
	parent    string // the name before
	path      string // up to here
	unitsDone bool   // what follows is no unit of this host's systemd
	ecs       bool   // below /ecs
	machine   bool   // within another machine or a user's cgroups, whose word all that follows is
	scope     bool   // within a scope that is no container: the word of who was given it
	innerPod  string // the UID of a pod that a container has, until one of its containers follows
}

func (r *pathReader) read(name string) {
	r.readUser(name)
	r.machine = r.machine || isMachine(name)
	r.readLogin(name)
	r.readGroups(name)
	if container, ok := r.container(name); ok && r.runsContainers(name) {
		r.readContainer(name, container)
	} else if r.user == "" && isScope(name) {
		r.scope = true
	}
	r.path += "/" + name
	r.readUnit(name)
	r.parent = name
}

// readGroups reads what containers are in. A container that has pods itself, as the nodes
// of kind are, has no processes in them but in containers.
func (r *pathReader) readGroups(name string) {
	if r.user != "" || r.machine || r.scope || !r.runsContainers("") || r.vouched() {
		return
	}
	if uid := podUID(name); uid != "" && r.Container.ID == "" {
		r.Pod.UID = uid
	} else if uid != "" {
		r.innerPod = uid
	}
	if id := r.taskID(name); id != "" && r.Container.ID == "" {
		r.Task.ID = id
	}
}

func (r *pathReader) readContainer(name string, container Container) {
	r.nested = r.Container.ID != "" || r.machine || r.scope && !(isPayload(name) && r.Unit != "")
	if r.user == "" && (r.scope || !r.runsContainers("")) && !r.nested {
		r.host = r.path
	}
	r.bound()
	if r.Container.ID != "" && !r.vouched() {
		r.Pod.UID = r.innerPod
	}
	r.Container, r.unitsDone = container, true
}

// isMachine knows the cgroups of virtual machines and of whole systems in containers,
// which make cgroups within as they like: systemd-nspawn's and libvirt's, which
// systemd-machined keeps in scopes (org.freedesktop.machine1(5)), systemd-nspawn's that are
// services (machinectl(1), start), without systemd libvirt's
// (https://libvirt.org/cgroups.html), and LXC's (lxc.container.conf(5)), which were in
// /lxc before.
func isMachine(name string) bool {
	_, inScope := cutBoth(name, "machine-", ".scope")
	_, isService := cutBoth(name, "systemd-nspawn@", ".service")
	return inScope || isService || name == "lxc" || strings.HasPrefix(name, "lxc.payload") || strings.HasSuffix(name, ".libvirt-lxc")
}

// readLogin knows the cgroups that a user is given at login where systemd gives him none:
// /user/NAME/N by LXC's PAM module (pam_cgfs: src/lxc/pam/pam_cgfs.c, cgv1_create_one),
// /user/UID.user/N.session by logind without systemd. He makes others in them as he likes,
// and opens as many logins.
func (r *pathReader) readLogin(name string) {
	if r.path == "/user" {
		r.machine, r.Bounds = true, "user/"+name
	}
}

// isScope knows a scope: whoever had systemd make it may make cgroups there (Delegate=,
// systemd.resource-control(5)).
func isScope(name string) bool {
	return strings.HasSuffix(name, ".scope") && !strings.Contains(name, ":")
}

// isPayload knows a container of podman's in the unit that runs it.
func isPayload(name string) bool { return strings.HasPrefix(name, "libpod-payload-") }

// bound notes what a container is inside of that could have named it: another container, of
// which the outermost counts, a unit that is no runtime's, or a machine.
func (r *pathReader) bound() {
	switch {
	case r.user != "" || r.Bounds != "":
	case r.host != "", r.nested && r.Container.ID == "" && r.Unit != "":
		r.Bounds = r.Unit
	case r.Container.ID != "":
		r.Bounds = r.Container.ID
	case r.nested:
		r.Bounds, _, _ = strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	}
}

// vouched reports whether it is a container's whose pod or task is known: which others it
// has within itself is its own word, and it could give those of its neighbours.
func (r *pathReader) vouched() bool {
	return r.Container.ID != "" && (r.Pod.UID != "" || r.Task.ID != "")
}

// runtimeServices are those of systemd that run containers below themselves, where
// systemd is not asked for cgroups of their own.
var runtimeServices = []string{
	"containerd.service", "docker.service", "crio.service", "kubelet.service",
	"k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service",
}

// runsContainers reports whether what is below the unit can be believed to be a
// runtime's: other services may be anybody's who was let make cgroups there
// (Delegate=, systemd.resource-control(5)), as scopes may. Podman's containers are in
// whatever unit runs it.
func (r *pathReader) runsContainers(name string) bool {
	return r.user != "" || !strings.HasSuffix(r.Unit, ".service") || slices.Contains(runtimeServices, r.Unit) ||
		isPayload(name)
}

// readUser knows user@UID.service, which runs a user's systemd (user@.service(5)).
// Those of a container, and what a user may call so, are not looked at.
func (r *pathReader) readUser(name string) {
	id, ok := cutBoth(name, "user@", ".service")
	if ok && !r.unitsDone && r.Unit == "" && isDecimal(id) {
		r.user = id
	}
}

// readUnit reads the units: systemd keeps them in slices (systemd.slice(5)), and
// those of a user's systemd in that user's service, in slices again. What a unit
// has below is its own affair.
func (r *pathReader) readUnit(name string) {
	if r.unitsDone || isSlice(name) {
		return
	}
	r.unitsDone = true
	unit := strings.TrimPrefix(name, "_") // systemd: src/basic/cgroup-util.c, cg_escape
	switch {
	case !isUnit(unit):
	case r.Unit != "":
		r.UserUnit = unit
	default:
		r.Unit = unit
		r.unitsDone = r.user == ""
		if isSession(unit) && isSlice(r.parent) {
			r.Bounds = r.parent
		}
	}
}

// isSession knows the scopes of logins: a user opens as many as he likes, all of them in
// his slice user-UID.slice (pam_systemd(8)).
func isSession(unit string) bool {
	_, ok := cutBoth(unit, "session-", ".scope")
	return ok
}

// isSlice knows a slice. Containerd without systemd's help makes one cgroup of a
// slice and what is in it ("a.slice:cri-containerd:ID").
func isSlice(name string) bool {
	return strings.HasSuffix(name, ".slice") && !strings.Contains(name, ":")
}

// unitTypes are those that have cgroups and are no slices
// (systemd.resource-control(5)).
var unitTypes = []string{".service", ".scope", ".socket", ".mount", ".swap"}

func isUnit(name string) bool {
	for _, t := range unitTypes {
		if strings.HasSuffix(name, t) && len(name) > len(t) {
			return true
		}
	}
	return false
}

// containerPrefixes stand before the ids of containers. Those of the processes
// that look after containers begin with them too, but have more before the id
// ("libpod-conmon-", "crio-conmon-").
var containerPrefixes = []struct {
	prefix  string
	runtime Runtime
}{
	{"docker", Docker},             // moby: daemon/oci_linux.go, withCgroups
	{"cri-containerd", Containerd}, // containerd: the CRI plugin's getCgroupsPath
	{"nerdctl", Containerd},        // nerdctl: pkg/cmd/container/run_cgroup_linux.go
	{"crio", CRIO},                 // cri-o: internal/config/cgmgr
	{"libpod", Podman},             // podman: libpod/container_internal_linux.go, getOCICgroupPath
	{"libpod-payload", Podman},     // the same, in a unit of systemd (--cgroups=split, quadlets)
}

// container reads the name of a container's cgroup.
func (r *pathReader) container(name string) (Container, bool) {
	if isContainerID(name) {
		return Container{ID: name, Runtime: r.plainRuntime()}, r.parent != "libpod_parent" // a pod of podman's
	}
	prefix, id := splitContainer(name)
	if !isContainerID(id) {
		return Container{}, false
	}
	for _, c := range containerPrefixes {
		if c.prefix == prefix {
			return Container{ID: id, Runtime: c.runtime}, true
		}
	}
	return Container{}, false
}

// splitContainer splits "PREFIX-ID.scope", "PREFIX-ID" and "SLICE:PREFIX:ID", which
// is what systemd is told, and what remains of it where systemd is not asked.
func splitContainer(name string) (prefix, id string) {
	name = strings.TrimSuffix(name, ".scope")
	separator := "-"
	if slice, rest, ok := strings.Cut(name, ":"); ok && strings.HasSuffix(slice, ".slice") {
		name, separator = rest, ":"
	}
	i := strings.LastIndex(name, separator)
	if i < 0 {
		return "", ""
	}
	return name[:i], name[i+1:]
}

// plainRuntime is the runtime of a container whose cgroup is named by its id
// alone: docker's, by the parent that it gives by default (moby:
// daemon/oci_linux.go) or as the agent of ECS has it run all containers. In pods
// and in namespaces of containerd it can be any.
func (r *pathReader) plainRuntime() Runtime {
	if r.parent == "docker" || r.Task.ID != "" && r.Container.ID == "" {
		return Docker
	}
	return ""
}

// podUID reads the UID of a pod out of the name of its cgroup (kubernetes:
// pkg/kubelet/cm/pod_container_manager_linux.go and cgroup_manager_linux.go):
// "podUID", and with systemd "kubepods-burstable-podUID.slice", with underscores for
// hyphens and the kubelet's own parents before it. A static pod's is a checksum, of
// 32 digits.
func podUID(name string) string {
	name, _, _ = strings.Cut(name, ":")
	uid, ok := strings.CutPrefix(name, "pod")
	if slice, found := strings.CutSuffix(name, ".slice"); found {
		// A hyphen would begin another slice within (systemd.slice(5)).
		i := strings.LastIndexByte(slice, '-')
		if uid, ok = strings.CutPrefix(slice[i+1:], "pod"); ok {
			ok = i > 0 && strings.Contains(slice[:i], "kubepods")
			uid = strings.ReplaceAll(uid, "_", "-")
		}
	}
	if !ok || !isUUID(uid) {
		return ""
	}
	return uid
}

// taskID reads the id of an ECS task out of the name of its cgroup
// (amazon-ecs-agent: agent/api/task/task_linux.go, BuildCgroupRoot): /ecs/TASK
// or, with a name of one's own between, /ecs/NAME/TASK; with systemd
// /ecstasks.slice/ecstasks-TASK.slice.
func (r *pathReader) taskID(name string) string {
	if r.parent == "" && name == "ecs" {
		r.ecs = true
	}
	id, ok := cutBoth(name, "ecstasks-", ".slice")
	if !ok && r.ecs && r.Container.ID == "" {
		id, ok = name, true
	}
	if !ok || !isUUID(id) {
		return ""
	}
	return id
}

func cutBoth(s, prefix, suffix string) (string, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, suffix)
}

// isContainerID: the ids of all runtimes here are 32 random bytes.
func isContainerID(s string) bool { return len(s) == 64 && isHex(s) }

// isUUID reports whether a text is a UUID (RFC 9562), with or without hyphens.
func isUUID(s string) bool {
	groups := strings.Split(s, "-")
	switch len(groups) {
	case 1:
		return len(s) == 32 && isHex(s)
	case 5:
		for i, length := range []int{8, 4, 4, 4, 12} {
			if len(groups[i]) != length || !isHex(groups[i]) {
				return false
			}
		}
		return true
	}
	return false
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func isDecimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
