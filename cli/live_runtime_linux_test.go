package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// runtimeHost is a site's host with container runtimes whose state is its own.
type runtimeHost struct {
	*namespace
	cgroup string // all containers' cgroups are below it, in all hierarchies
}

// stateDirs are where runtimes keep state: their usual directories are below.
var stateDirs = []string{"/run", "/var/lib", "/dev/shm"}

// newRuntimeHost hides this machine's state of container runtimes behind empty
// directories.
func (s *site) newRuntimeHost(t *testing.T) *runtimeHost {
	t.Helper()
	return s.newRuntimeHostWith(t, stateDirs)
}

// newRuntimeHostWith is newRuntimeHost with other directories.
func (s *site) newRuntimeHostWith(t *testing.T, stateDirs []string) *runtimeHost {
	t.Helper()
	mounts := func() error {
		for _, dir := range stateDirs {
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
		}
		return withTracefs()
	}
	h := &runtimeHost{
		namespace: (&privileged{mounts: mounts, without: true}).thread(t, s),
		cgroup:    fmt.Sprintf("/imds-analyzer-test-%d-%s", os.Getpid(), path.Base(t.Name())),
	}
	t.Cleanup(func() { removeCgroups(t, h.cgroup) })
	return h
}

// removeCgroups removes what runtimes leave of a cgroup, wherever cgroups are mounted.
func removeCgroups(t *testing.T, name string) {
	t.Helper()
	const mounted = "/sys/fs/cgroup"
	mounts, err := filepath.Glob(mounted + "/*" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, top := range append(mounts, mounted+name) {
		var dirs []string
		_ = filepath.WalkDir(top, func(dir string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, dir)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			if err := unix.Rmdir(dir); err != nil {
				t.Errorf("%s: %v", dir, err)
			}
		}
	}
}

// rootFileSystem makes one with nothing in it but the client.
func rootFileSystem(t *testing.T, client string) string {
	t.Helper()
	root := t.TempDir()
	b, err := os.ReadFile(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "client"), b, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"dev", "etc", "proc", "run", "sys", "tmp", "var"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// run runs a command that runs a container until that ends, and returns the pid
// that it has written to the file.
func (h *runtimeHost) run(t *testing.T, pidFile, name string, args ...string) int {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var out strings.Builder
	cmd := exec.Command(tool(t, name), args...)
	cmd.Env = append(plainEnvironment(), "HOME="+t.TempDir())
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &out, &out, []*os.File{null} // for the client's pids
	wait, err := h.startBounded(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := wait(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out.String())
	}
	b, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// ran is a container that has run, and what has to be told of it.
type ran struct {
	pid  int
	want belonging
}

// belonging is what an entry says on the container of the caller.
type belonging struct {
	Process   struct{ VPID int }
	Container struct {
		ID, Runtime, Name string
		Image             struct{ Name string }
	}
	Kubernetes struct {
		Namespace string
		Pod       struct{ UID, Name string }
	}
	Systemd struct{ Unit string }
}

// podman runs a container by podman, with runc: podman's other runtime, crun, refuses
// to run where cgroups of both versions are in use.
func (h *runtimeHost) podman(t *testing.T, root string, environment []string) ran {
	t.Helper()
	files := t.TempDir()
	pidFile, idFile := filepath.Join(files, "pid"), filepath.Join(files, "id")
	global := []string{"--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=file", "--storage-driver=vfs"}
	t.Cleanup(func() { h.namespace.run(t, "", "podman", append(global, "rm", "--all", "--force", "--time=0")...) })
	args := append(global, "run", "--rm", "--name=web", "--network=host", "--log-driver=none", "--preserve-fds=1",
		"--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--pids-limit=-1", "--cgroup-parent="+h.cgroup, "--pidfile="+pidFile, "--cidfile="+idFile)
	for _, variable := range environment {
		args = append(args, "--env="+variable)
	}
	r := ran{pid: h.run(t, pidFile, "podman", append(args, "--rootfs", root, "/client")...)}
	id, err := os.ReadFile(idFile)
	if err != nil {
		t.Fatal(err)
	}
	r.want.Container.ID, r.want.Container.Runtime, r.want.Container.Name = string(id), "podman", "web"
	return r
}

const (
	runcID  = "4f1d7b0c9e2a6835d4c1b0a99887766554433221100ffeeddccbbaa998877665"
	runcPod = "0f8fad5b-d9cb-469f-a165-70867728950e"
)

// runcAsDocker runs a container by runc, in the cgroup that docker would choose.
func (h *runtimeHost) runcAsDocker(t *testing.T, root string, environment []string) ran {
	t.Helper()
	r := ran{pid: h.runc(t, t.TempDir(), root, environment, "/docker/"+runcID, nil)}
	r.want.Container.ID, r.want.Container.Runtime = runcID, "docker"
	return r
}

// runcAsContainerd runs a container by runc, with the cgroup, the bundle and the
// annotations that containerd has for the kubelet.
func (h *runtimeHost) runcAsContainerd(t *testing.T, root string, environment []string) ran {
	t.Helper()
	bundle := "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + runcID
	annotations := map[string]string{
		"io.kubernetes.cri.container-name":    "web",
		"io.kubernetes.cri.image-name":        "registry.example/web:1.7",
		"io.kubernetes.cri.sandbox-name":      "web-7d4b9c6f5d-x2x7k",
		"io.kubernetes.cri.sandbox-namespace": "shop",
		"io.kubernetes.cri.sandbox-uid":       runcPod,
	}
	r := ran{pid: h.runc(t, bundle, root, environment, "/kubepods/burstable/pod"+runcPod+"/"+runcID, annotations)}
	r.want.Container.ID, r.want.Container.Runtime, r.want.Container.Name = runcID, "containerd", "web"
	r.want.Container.Image.Name = "registry.example/web:1.7"
	r.want.Kubernetes.Namespace, r.want.Kubernetes.Pod.UID, r.want.Kubernetes.Pod.Name = "shop", runcPod, "web-7d4b9c6f5d-x2x7k"
	return r
}

// runc runs a container by runc.
func (h *runtimeHost) runc(t *testing.T, bundle, root string, environment []string, cgroup string, annotations map[string]string) int {
	t.Helper()
	state := t.TempDir()
	pidFile := filepath.Join(state, "pid")
	config := h.runcConfig(t, root, environment, h.cgroup+cgroup, annotations)
	err := h.do(func() error {
		if err := os.MkdirAll(bundle, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return h.run(t, pidFile, "runc", "--root="+state, "run", "--bundle="+bundle, "--pid-file="+pidFile, "--preserve-fds=1", "test")
}

// runcConfig is a config.json (OCI runtime specification) of the client's.
func (h *runtimeHost) runcConfig(t *testing.T, root string, environment []string, cgroup string, annotations map[string]string) []byte {
	t.Helper()
	type object = map[string]any
	b, err := json.Marshal(object{
		"ociVersion":  "1.0.2",
		"annotations": annotations,
		"root":        object{"path": root},
		"process":     object{"args": []string{"/client"}, "cwd": "/", "env": environment, "user": object{"uid": 0, "gid": 0}},
		"mounts":      []object{{"destination": "/proc", "type": "proc", "source": "proc"}},
		"linux": object{
			"cgroupsPath": cgroup,
			"namespaces":  []object{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Containers are told by what their real runtimes leave of them: the cgroup and
// the files.
func TestLiveRuntimes(t *testing.T) {
	client := buildGoClient(t)
	for name, run := range map[string]func(*runtimeHost, *testing.T, string, []string) ran{
		"podman":             (*runtimeHost).podman,
		"runc as docker":     (*runtimeHost).runcAsDocker,
		"runc as containerd": (*runtimeHost).runcAsContainerd,
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.service.follow(rules{delay: lifeTime})
			h := s.newRuntimeHost(t)
			saved := filepath.Join(t.TempDir(), "saved")
			p := h.watch(t, "-w", saved)
			r := run(h, t, rootFileSystem(t, client), clientEnvironment())
			var calls []made
			for _, c := range s.service.calls(t, 0, 2) {
				calls = append(calls, made{c, name, r.pid})
			}
			log := p.stop(t, os.Interrupt)
			check(t, log, calls)
			checkSavedCallers(t, saved, log)
			r.want.Process.VPID = 1
			lines := slices.Collect(strings.Lines(log))
			for _, line := range lines[1 : len(lines)-1] {
				if got := belongingOf(t, line); got != r.want {
					t.Errorf("\n got %+v\nwant %+v\n%s", got, r.want, line)
				}
			}
		})
	}
}

// clientEnvironment is all of the environment that a client in a container has.
func clientEnvironment() []string {
	e := errand{service: service4, name: "container", giveUpAfter: "20"}
	all := e.environment(liveClient{})
	return all[len(plainEnvironment()):]
}

func belongingOf(t *testing.T, line string) (b belonging) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &b); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return b
}
