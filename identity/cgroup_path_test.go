package identity

import (
	"strings"
	"testing"
)

// Ids that could be anybody's.
const (
	idA    = "4f1d7b0c9e2a6835d4c1b0a99887766554433221100ffeeddccbbaa998877665"
	idB    = "a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccddeeff"
	podA   = "0f8fad5b-d9cb-469f-a165-70867728950e"
	podA_  = "0f8fad5b_d9cb_469f_a165_70867728950e" // as systemd's slices have it
	static = "99dcb84d2a34f7e338778606703258c4"
	taskA  = "e95a40efbde84cbc8600660a109ec194"
)

func inContainer(runtime Runtime, id string) place {
	return place{Workload: Workload{Container: Container{ID: id, Runtime: runtime}}}
}

func inPod(runtime Runtime, uid string) place {
	p := inContainer(runtime, idA)
	p.Pod.UID = uid
	return p
}

func inTask(id string) place {
	p := inContainer(Docker, idA)
	p.Task.ID = id
	return p
}

func inUnit(unit string) place { return place{Workload: Workload{Unit: unit}} }

// inUser is below the systemd of user 1000.
func inUser(unit string, container Container) place {
	return place{Workload: Workload{Container: container, Unit: "user@1000.service", UserUnit: unit}, user: "1000"}
}

func (p place) inside(unit string) place {
	p.Unit = unit
	return p
}

// hosted is in a unit that is no runtime's.
func (p place) hosted(unit string) place {
	p.host, p.Bounds = unit, p.Unit
	return p
}

// asNested is in the container idB.
func (p place) asNested() place {
	p.nested, p.Bounds = true, idB
	return p
}

// inMachine is in a machine, which is below a cgroup of that name.
func (p place) inMachine(name string) place {
	p.nested, p.Bounds = true, name
	return p
}

// ofSession is in a login of user 1000.
func (p place) ofSession() place {
	p.Bounds = "user-1000.slice"
	return p
}

const (
	userManager = "/user.slice/user-1000.slice/user@1000.service"
	burstable   = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + podA_ + ".slice"
	besteffort  = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podA_ + ".slice"
	kindPod     = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" + podA_ + ".slice"
)

// paths are cgroup paths as the runtimes make them, and what they tell.
var paths = []struct {
	path string
	want place
}{
	// Docker.
	{"/docker/" + idA, inContainer(Docker, idA)},
	{"/docker/" + idA + "/init", inContainer(Docker, idA)},
	{"/system.slice/docker-" + idA + ".scope", inContainer(Docker, idA)},
	{"/system.slice/docker-" + idA + ".scope/init.scope", inContainer(Docker, idA)}, // systemd in it
	{"/system.slice/docker-" + idA + ".scope/system.slice/sshd.service", inContainer(Docker, idA)},
	{"/system.slice/docker.service/system.slice:docker:" + idA, inContainer(Docker, idA).inside("docker.service")},
	{userManager + "/user.slice/docker-" + idA + ".scope", inUser("", Container{ID: idA, Runtime: Docker})},
	{userManager + "/app.slice/docker.service/docker/" + idA, inUser("docker.service", Container{ID: idA, Runtime: Docker})},
	{"/custom/" + idA, inContainer("", idA)}, // --cgroup-parent
	{"/docker/" + idA + " (deleted)", inContainer(Docker, idA)},
	{"/../../docker/" + idA, inContainer(Docker, idA)},
	{"/../" + idA, inContainer("", idA)},
	{"/docker/" + idB + "/docker/" + idA, inContainer(Docker, idA).asNested()},
	{"/system.slice/docker-" + idB + ".scope/docker/" + idA, inContainer(Docker, idA).asNested()},
	{"/docker/" + idB + "/docker/" + strings.Repeat("c", 64) + "/docker/" + idA, inContainer(Docker, idA).asNested()},
	{"/system.slice/foo.service/libpod-payload-" + idA + "/docker/" + idB, inContainer(Podman, idA).inside("foo.service").hosted("/system.slice/foo.service")},
	{"/docker/" + idB + "/system.slice/containerd.service/x", inContainer(Docker, idB)},
	{"/docker/buildkit/0123456789abcdefghijklmno", place{}},
	{"/docker/" + idA[:63], place{}},
	{"/docker/" + strings.ToUpper(idA), place{}},
	{"/docker", place{}},

	// Kubernetes.
	{"/kubepods/burstable/pod" + podA + "/" + idA, inPod("", podA)},
	{"/kubepods/besteffort/pod" + podA + "/" + idA, inPod("", podA)},
	{"/kubepods/pod" + podA + "/" + idA, inPod("", podA)}, // guaranteed
	{"/kubelet/kubepods/burstable/pod" + podA + "/" + idA, inPod("", podA)},
	{"/kubepods/burstable/pod" + static + "/" + idA, inPod("", static)},
	{"/../../pod" + podA + "/" + idA, inPod("", podA)},
	{burstable + "/cri-containerd-" + idA + ".scope", inPod(Containerd, podA)},
	{besteffort + "/docker-" + idA + ".scope", inPod(Docker, podA)},
	{"/kubepods.slice/kubepods-pod" + podA_ + ".slice/crio-" + idA + ".scope", inPod(CRIO, podA)},
	{"/kubepods.slice/kubepods-pod" + static + ".slice/crio-" + idA + ".scope", inPod(CRIO, static)},
	{burstable + "/crio-" + idA + ".scope/container", inPod(CRIO, podA)},
	{"/kubepods/burstable/pod" + podA + "/crio-" + idA, inPod(CRIO, podA)},
	{"/system.slice/containerd.service/kubepods-burstable-pod" + podA_ + ".slice:cri-containerd:" + idA, inPod(Containerd, podA).inside("containerd.service")},
	{"/kubepods-besteffort-pod" + podA_ + ".slice:cri-containerd:" + idA, inPod(Containerd, podA)},
	{kindPod + "/cri-containerd-" + idA + ".scope", inPod(Containerd, podA)},
	{"/docker/" + idB + kindPod + "/cri-containerd-" + idA + ".scope", inPod(Containerd, podA).asNested()},
	{"/kubepods/burstable/pod" + podA + "/" + idB + "/docker/" + idA, inPod(Docker, podA).asNested()},
	{burstable, place{Workload: Workload{Pod: Pod{UID: podA}}}},
	{"/kubepods.slice/kubepods-burstable.slice", place{}},
	{"/kubepods/burstable/podNotAUID/" + idA, inContainer("", idA)},

	// What a container says of itself is not believed where it could be its neighbour's word.
	{"/kubepods/burstable/pod" + podA + "/" + idB + "/kubepods/pod" + static + "/" + idA, inPod("", podA).asNested()},
	{burstable + "/cri-containerd-" + idB + ".scope/kubepods-pod" + static + ".slice/cri-containerd-" + idA + ".scope", inPod(Containerd, podA).asNested()},
	{"/ecs/" + taskA + "/" + idB + "/ecstasks-" + static + ".slice/docker-" + idA + ".scope", inTask(taskA).asNested()},
	{"/system.slice/app.service/ecstasks-" + taskA + ".slice/docker-" + idA + ".scope", inUnit("app.service")},
	{"/system.slice/app.service/kubepods-pod" + static + ".slice/crio-" + idA + ".scope", inUnit("app.service")},

	// Nor is it what other machines say, which have cgroups of their own.
	{"/machine.slice/machine-evil.scope/payload/system.slice/docker-" + idA + ".scope", inContainer(Docker, idA).inside("machine-evil.scope").inMachine("machine-evil.scope")},
	{"/machine.slice/machine-evil.scope/kubepods/pod" + podA + "/" + idA, inContainer("", idA).inside("machine-evil.scope").inMachine("machine-evil.scope")},
	{"/machine.slice/machine-evil.scope/ecstasks-" + taskA + ".slice/docker-" + idA + ".scope", inContainer(Docker, idA).inside("machine-evil.scope").inMachine("machine-evil.scope")},
	{"/machine.slice/machine-evil.scope/payload/libpod-payload-" + idA, inContainer(Podman, idA).inside("machine-evil.scope").inMachine("machine-evil.scope")},
	{"/machine.slice/machine-evil.scope/payload/kubepods/pod" + podA, inUnit("machine-evil.scope")},
	{"/machine.slice/systemd-nspawn@evil.service/payload/libpod-payload-" + idA, inContainer(Podman, idA).inside("systemd-nspawn@evil.service").inMachine("systemd-nspawn@evil.service")},
	{"/machine.slice/systemd-nspawn@evil.service/payload/docker/" + idA, inUnit("systemd-nspawn@evil.service")},
	{`/machine.slice/machine-lxc\x2d7\x2devil.scope/docker/` + idA, inContainer(Docker, idA).inside(`machine-lxc\x2d7\x2devil.scope`).inMachine(`machine-lxc\x2d7\x2devil.scope`)},
	{"/machine/evil.libvirt-lxc/docker/" + idA, inContainer(Docker, idA).inMachine("machine")},
	{"/lxc.payload.evil/docker/" + idA, inContainer(Docker, idA).inMachine("lxc.payload.evil")},
	{"/lxc.payload.evil" + burstable + "/cri-containerd-" + idA + ".scope", inContainer(Containerd, idA).inMachine("lxc.payload.evil")},
	{"/lxc/evil/ecs/" + taskA + "/" + idA, inContainer("", idA).inMachine("lxc")},
	{"/lxc/" + idA, inContainer("", idA).inMachine("lxc")},
	{"/user/alice/0/docker/" + idA, inContainer(Docker, idA).inMachine("user/alice")},
	{"/user/alice/0/libpod-" + idA + ".scope", inContainer(Podman, idA).inMachine("user/alice")},
	{"/user/alice/0/libpod-payload-" + idA, inContainer(Podman, idA).inMachine("user/alice")},
	{"/user/alice/0" + burstable + "/cri-containerd-" + idA + ".scope", inContainer(Containerd, idA).inMachine("user/alice")},
	{"/user/alice/0/kubepods/pod" + podA, place{Workload: Workload{Bounds: "user/alice"}}},
	{"/user/alice/0/ecstasks-" + taskA + ".slice/x", place{Workload: Workload{Bounds: "user/alice"}}},
	{"/user/alice/0/system.slice/sshd.service", place{Workload: Workload{Bounds: "user/alice"}}},
	{"/user/alice/0/user@0.service/docker/" + idA, inContainer(Docker, idA).inMachine("user/alice")},
	{"/user/1000.user/1.session/docker/" + idA, inContainer(Docker, idA).inMachine("user/1000.user")},
	{"/user/" + idA, inContainer("", idA).inMachine("user/" + idA)},
	{userManager + "/app.slice/lxc.payload.evil/docker/" + idA, place{Workload: Workload{Container: Container{ID: idA, Runtime: Docker}, Unit: "user@1000.service"}, user: "1000", nested: true}},
	{"/system.slice/run-r0a1b2c3d.scope/docker-" + idA + ".scope", inContainer(Docker, idA).inside("run-r0a1b2c3d.scope").inMachine("run-r0a1b2c3d.scope")},
	{"/system.slice/run-r0a1b2c3d.scope/kubepods/pod" + podA + "/" + idA, inContainer("", idA).inside("run-r0a1b2c3d.scope").inMachine("run-r0a1b2c3d.scope")},
	{"/custom/evil.scope/libpod-payload-" + idA, inContainer(Podman, idA).inMachine("custom")},
	{"/custom/evil.scope" + burstable + "/crio-" + idA + ".scope", inContainer(CRIO, idA).inMachine("custom")},
	{"/system.slice/docker-" + idB + ".scope/machine.slice/machine-x.scope", inContainer(Docker, idB)},
	{"/system.slice/docker-" + idB + ".scope/machine.slice/machine-x.scope/kubepods/pod" + podA + "/" + idA, inContainer("", idA).asNested()},

	// A container has pods only with containers of their own, as kind's has; it has no tasks.
	{"/system.slice/docker-" + idB + ".scope/kubepods/pod" + podA, inContainer(Docker, idB)},
	{"/system.slice/docker-" + idB + ".scope/kubepods/pod" + podA + "/" + idA, inPod("", podA).asNested()},
	{"/docker/" + idB + "/ecstasks-" + taskA + ".slice/docker-" + idA + ".scope", inContainer(Docker, idA).asNested()},

	// What looks after containers is not in them.
	{burstable + "/crio-conmon-" + idA + ".scope", place{Workload: Workload{Pod: Pod{UID: podA}, Unit: "crio-conmon-" + idA + ".scope"}}},
	{"/kubepods/burstable/pod" + podA + "/crio-conmon-" + idA, place{Workload: Workload{Pod: Pod{UID: podA}}}},
	{"/machine.slice/libpod-conmon-" + idA + ".scope", inUnit("libpod-conmon-" + idA + ".scope")},
	{"/libpod_parent/conmon", place{}},
	{"/libpod_parent/" + idB + "/conmon", place{}},
	{"/system.slice/foo.service/runtime", inUnit("foo.service")},

	// Podman.
	{"/machine.slice/libpod-" + idA + ".scope", inContainer(Podman, idA)},
	{"/machine.slice/libpod-" + idA + ".scope/container", inContainer(Podman, idA)},
	{"/machine.slice/libpod-" + idA + ".scope/container/system.slice/httpd.service", inContainer(Podman, idA)},
	{"/machine.slice/machine-libpod_pod_" + idB + ".slice/libpod-" + idA + ".scope/container", inContainer(Podman, idA)},
	{"/libpod_parent/libpod-" + idA, inContainer(Podman, idA)},
	{"/libpod_parent/" + idB + "/libpod-" + idA, inContainer(Podman, idA)}, // in a pod
	{userManager + "/user.slice/libpod-" + idA + ".scope/container", inUser("", Container{ID: idA, Runtime: Podman})},
	{userManager + "/user.slice/user-libpod_pod_" + idB + ".slice/libpod-" + idA + ".scope", inUser("", Container{ID: idA, Runtime: Podman})},
	{userManager + "/app.slice/foo.service/libpod-payload-" + idA, inUser("foo.service", Container{ID: idA, Runtime: Podman})},
	{"/system.slice/foo.service/libpod-payload-" + idA, inContainer(Podman, idA).inside("foo.service").hosted("/system.slice/foo.service")},
	{"/system.slice/foo.service/libpod-payload-" + idA + "/container", inContainer(Podman, idA).inside("foo.service").hosted("/system.slice/foo.service")},
	{"/user.slice/user-1000.slice/session-3.scope/libpod-payload-" + idA, inContainer(Podman, idA).inside("session-3.scope").hosted("/user.slice/user-1000.slice/session-3.scope").ofSession()}, // root's, by sudo

	// Containerd.
	{"/system.slice/nerdctl-" + idA + ".scope", inContainer(Containerd, idA)},
	{"/default/" + idA, inContainer("", idA)},
	{"/k8s.io/" + idA, inContainer("", idA)},
	{"/default/redis", place{}}, // ctr run
	{"/system.slice/containerd.service", inUnit("containerd.service")},

	// Amazon ECS.
	{"/ecs/" + taskA + "/" + idA, inTask(taskA)},
	{"/ecs/" + podA + "/" + idA, inTask(podA)}, // ids were UUIDs before 2018
	{"/ecs/web/" + taskA + "/" + idA, inTask(taskA)},
	{"/ecstasks.slice/ecstasks-" + taskA + ".slice/docker-" + idA + ".scope", inTask(taskA)},
	{"/ecs/" + taskA, place{Workload: Workload{Task: Task{ID: taskA}}}},
	{"/ecstasks-" + taskA + "/docker-" + idA, inContainer(Docker, idA)},
	{"/system.slice/ecs.service", inUnit("ecs.service")},
	{"/home/ecs/" + taskA, place{}},

	// Units.
	{"/system.slice/sshd.service", inUnit("sshd.service")},
	{"/system.slice/system-getty.slice/getty@tty1.service", inUnit("getty@tty1.service")},
	{`/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-disk-by\x2duuid-0A1B\x2d2C3D.service`, inUnit(`systemd-fsck@dev-disk-by\x2duuid-0A1B\x2d2C3D.service`)},
	{"/system.slice/foo.service/sub/deep", inUnit("foo.service")},
	{"/system.slice/foo.service/system.slice/bar.service", inUnit("foo.service")},
	{"/system.slice/_cpu.service", inUnit("cpu.service")},
	{"/system.slice/cloud-init.service", inUnit("cloud-init.service")},
	{`/system.slice/var-lib-my\x2ddata.mount`, inUnit(`var-lib-my\x2ddata.mount`)},
	{"/system.slice/run-r0a1b2c3d.scope", inUnit("run-r0a1b2c3d.scope")},
	{"/user.slice/user-1000.slice/session-3.scope", inUnit("session-3.scope").ofSession()},
	{userManager + "/app.slice/foo.service", inUser("foo.service", Container{})},
	{userManager + "/app.slice/app-foo.slice/foo@1.service/sub", inUser("foo@1.service", Container{})},
	{userManager + "/init.scope", inUser("init.scope", Container{})},
	{userManager + "/foo.service", inUser("foo.service", Container{})}, // before systemd 246
	{userManager, inUser("", Container{})},
	{userManager + "/kubepods.slice/kubepods-pod" + strings.ReplaceAll(podA, "-", "_") + ".slice/cri-containerd-" + idA + ".scope", inUser("", Container{ID: idA, Runtime: Containerd})}, // a claim of the user's
	{userManager + "/ecstasks.slice/ecstasks-" + taskA + ".slice/docker-" + idA + ".scope", inUser("", Container{ID: idA, Runtime: Docker})},
	{"/system.slice/foo.service/docker-" + idA + ".scope", inUnit("foo.service")}, // of whoever may make cgroups there
	{"/system.slice/foo.service/kubepods/pod" + podA + "/" + idA, inUnit("foo.service")},
	{"/system.slice/docker.service/docker-" + idA + ".scope", inContainer(Docker, idA).inside("docker.service")},
	{userManager + "/user@0.service/libpod-" + idA, inUser("user@0.service", Container{ID: idA, Runtime: Podman})}, // not root's
	{"/init.scope", inUnit("init.scope")},
	{"/system.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service", inUnit("systemd-nspawn@web.service")},
	{"/lxc.payload.web/system.slice/nginx.service", place{}}, // another systemd's
	{"/lxc/web/user.slice/user-1000.slice/user@1000.service", place{}},
	{"/system.slice", place{}},
	{"/system.slice/.service", place{}},
	{"/user.slice/user-1000.slice", place{}},
	{"/", place{}},
	{"", place{}},
}

func TestParsePath(t *testing.T) {
	for _, tt := range paths {
		if got := parsePath(tt.path); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.path, got, tt.want)
		}
	}
}

// What a path tells stands in it, and ids are what they are held for: they become
// parts of names of files.
func FuzzParsePath(f *testing.F) {
	for _, tt := range paths {
		f.Add(tt.path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p := parsePath(path)
		if id := p.Container.ID; id != "" && !isContainerID(id) || p.Pod.UID != "" && !isUUID(p.Pod.UID) || p.Task.ID != "" && !isUUID(p.Task.ID) {
			t.Errorf("%q: %+v", path, p)
		}
		if p.user != "" && !isDecimal(p.user) || p.nested && p.Container.ID == "" || p.UserUnit != "" && p.user == "" {
			t.Errorf("%q: %+v", path, p)
		}
		for _, part := range []string{p.Container.ID, strings.ReplaceAll(p.Pod.UID, "-", "_"), p.Task.ID, p.Unit, p.UserUnit} {
			if !strings.Contains(path, part) && !strings.Contains(path, strings.ReplaceAll(part, "_", "-")) {
				t.Errorf("%q: %q is not in it", path, part)
			}
			if strings.Contains(part, "/") || strings.HasSuffix(part, ".slice") {
				t.Errorf("%q: %q", path, part)
			}
		}
	})
}
