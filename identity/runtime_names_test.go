package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	idC = strings.Repeat("c", 64)
	idD = strings.Repeat("d", 64)
)

const ecrImage = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.7.3"

// web is the pod of the fixtures, and static the one that cri-o runs from a file.
var (
	web       = Pod{UID: podA, Name: "web-7d4b9c6f5d-x2x7k", Namespace: "shop"}
	staticPod = Pod{UID: static, Name: "etcd-node1", Namespace: "kube-system"}
	shopTask  = Task{ID: taskA, ARN: "arn:aws:ecs:eu-west-1:123456789012:task/shop/" + taskA, Family: "web:7", Cluster: "shop"}
)

// What a cgroup's path and the runtime's files tell together.
func TestWorkload(t *testing.T) {
	tests := []struct {
		root, path string
		want       Workload
	}{
		{"docker", "/docker/" + idA, Workload{Container: Container{idA, Docker, "web", "nginx:1.27"}}},
		{"docker", "/system.slice/docker-" + idA + ".scope", Workload{Container: Container{idA, Docker, "web", "nginx:1.27"}}},
		{"docker", "/custom/" + idA, Workload{Container: Container{idA, Docker, "web", "nginx:1.27"}}},
		{"docker", "/docker/" + idB, Workload{Container: Container{ID: idB, Runtime: Docker}}},
		{"docker", "/docker/" + idB + "/docker/" + idA, Workload{Container: Container{ID: idA, Runtime: Docker}}},
		{"docker", "/machine.slice/libpod-" + idA + ".scope", Workload{Container: Container{ID: idA, Runtime: Podman}}},
		{"docker", "/user/alice/0/docker/" + idA, Workload{Container: Container{ID: idA, Runtime: Docker}}}, // alice's claim
		{"docker", "/system.slice/sshd.service", Workload{Unit: "sshd.service"}},
		{"docker", userManager + "/user.slice/docker-" + idA + ".scope", // the user's claim
			Workload{Container: Container{ID: idA, Runtime: Docker}, Unit: "user@1000.service"}},
		{"docker-data-root", "/docker/" + idA, Workload{Container: Container{idA, Docker, "web", "nginx:1.27"}}},
		{"docker-userns-remap", "/docker/" + idA, Workload{Container: Container{idA, Docker, "web", "nginx:1.27"}}},
		{"docker-snap", "/system.slice/docker-" + idA + ".scope", Workload{Container: Container{idA, Docker, "web", "nginx:1.27"}}},
		{"docker-userns-remap", "/docker/" + idB, Workload{Container: Container{ID: idB, Runtime: Docker}}},
		{"docker-rootless", userManager + "/user.slice/docker-" + idA + ".scope",
			Workload{Container: Container{idA, Docker, "mine", "nginx:1.27"}, Unit: "user@1000.service"}},
		{"docker-rootless", "/docker/" + idA, Workload{Container: Container{ID: idA, Runtime: Docker}}},

		{"docker-kubernetes", "/kubepods/burstable/pod" + podA + "/" + idA, Workload{Container: Container{idA, Docker, "web", ""}, Pod: web}},
		{"docker-kubernetes", "/docker/" + idA, Workload{Container: Container{idA, Docker, "web", ""}, Pod: web}},
		{"docker-kubernetes", "/kubepods/burstable/pod" + static + "/" + idA, // the label is of another pod
			Workload{Container: Container{idA, Docker, "web", ""}, Pod: Pod{UID: static}}},

		{"ecs", "/ecs/" + taskA + "/" + idA, Workload{Container: Container{idA, Docker, "app", ecrImage}, Task: shopTask}},
		{"ecs", "/ecstasks.slice/ecstasks-" + taskA + ".slice/docker-" + idA + ".scope",
			Workload{Container: Container{idA, Docker, "app", ecrImage}, Task: shopTask}},
		{"ecs", "/docker/" + idA, Workload{Container: Container{idA, Docker, "app", ecrImage}, Task: shopTask}}, // ECS_ENABLE_TASK_CPU_MEM_LIMIT=false
		{"ecs", "/ecs/" + podA + "/" + idA, Workload{Container: Container{idA, Docker, "app", ecrImage}, Task: Task{ID: podA}}},

		{"containerd", burstable + "/cri-containerd-" + idA + ".scope", Workload{Container: Container{idA, Containerd, "web", ecrImage}, Pod: web}},
		{"containerd", "/kubepods/burstable/pod" + podA + "/" + idA, Workload{Container: Container{idA, Containerd, "web", ecrImage}, Pod: web}},
		{"containerd", burstable + "/cri-containerd-" + idB + ".scope", Workload{Container: Container{ID: idB, Runtime: Containerd}, Pod: web}}, // the sandbox
		{"containerd", kindPod + "/cri-containerd-" + idA + ".scope", Workload{Container: Container{idA, Containerd, "web", ecrImage}, Pod: web}},
		{"k3s", burstable + "/cri-containerd-" + idA + ".scope", Workload{Container: Container{idA, Containerd, "web", ecrImage}, Pod: web}},
		{"nerdctl", "/system.slice/nerdctl-" + idA + ".scope", Workload{Container: Container{idA, Containerd, "web-4f1d7", ""}}},
		{"nerdctl", "/default/" + idA, Workload{Container: Container{idA, Containerd, "web-4f1d7", ""}}},
		{"nerdctl", "/custom/" + idB, Workload{Container: Container{ID: idB, Runtime: Docker}}}, // in docker's namespace

		{"cri-o", burstable + "/crio-" + idA + ".scope/container", Workload{Container: Container{idA, CRIO, "web", "quay.io/example/web:1.7.3"}, Pod: web}},
		{"cri-o", "/kubepods/pod" + static + "/crio-" + idB,
			Workload{Container: Container{idB, CRIO, "etcd", "registry.k8s.io/etcd:3.5.15-0"}, Pod: staticPod}},
		{"cri-o", burstable + "/crio-conmon-" + idA + ".scope", Workload{Pod: Pod{UID: podA}, Unit: "crio-conmon-" + idA + ".scope"}},

		{"podman", "/machine.slice/libpod-" + idA + ".scope/container", Workload{Container: Container{idA, Podman, "web", "docker.io/library/nginx:1.27"}}},
		{"podman", "/system.slice/db.service/libpod-payload-" + idB, // a service whose cgroup is not known to be root's
			Workload{Container: Container{ID: idB, Runtime: Podman}, Unit: "db.service"}},
		{"podman", "/libpod_parent/libpod-" + idC, Workload{Container: Container{idC, Podman, "once", "localhost/job:latest"}}},
		{"podman", "/libpod_parent/libpod-" + idD, Workload{Container: Container{idD, Podman, "passing", "localhost/job:2"}}},
		{"podman-vfs", "/libpod_parent/libpod-" + idA, Workload{Container: Container{idA, Podman, "web", ""}}},
		{"podman-rootless", userManager + "/user.slice/libpod-" + idA + ".scope/container",
			Workload{Container: Container{idA, Podman, "mine", "docker.io/library/nginx:1.27"}, Unit: "user@1000.service"}},
		{"podman-rootless", userManager + "/app.slice/job.service/libpod-payload-" + idB,
			Workload{Container: Container{idB, Podman, "passing", "localhost/job:2"}, Unit: "user@1000.service", UserUnit: "job.service"}},
		{"podman-rootless", userManager + "/user.slice/libpod-" + idC + ".scope", // root's: not the user's to name
			Workload{Container: Container{ID: idC, Runtime: Podman}, Unit: "user@1000.service"}},
		{"podman-rootless", strings.ReplaceAll(userManager, "1000", "1001") + "/user.slice/libpod-" + idA + ".scope",
			Workload{Container: Container{ID: idA, Runtime: Podman}, Unit: "user@1001.service"}},
	}
	for _, tt := range tests {
		i := New(Options{Root: filepath.Join("testdata", tt.root)})
		for range 2 { // from the files, and from memory
			got := i.Workload(tt.path)
			got.Bounds = "" // which no file tells
			if got != tt.want {
				t.Errorf("%s: %s:\n got %+v\nwant %+v", tt.root, tt.path, got, tt.want)
			}
		}
	}
}

// dockerHost makes a file system whose docker has one container, and returns the
// root and the file's name.
func dockerHost(t *testing.T, id, name string) (root, file string) {
	t.Helper()
	root = t.TempDir()
	file = filepath.Join(root, "var/lib/docker/containers", id, "config.v2.json")
	write(t, file, fmt.Sprintf(`{"ID":%q,"Name":%q}`, id, "/"+name))
	return root, file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// clock is one that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// What is known is kept; what is not is looked for again, but not at once.
func TestNamesAreRemembered(t *testing.T) {
	root, file := dockerHost(t, idA, "web")
	var c clock
	i := New(Options{Root: root, Now: c.read})
	name := func() string { return i.Workload("/docker/" + idA).Container.Name }
	check := func(when, want string) {
		t.Helper()
		if got := name(); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "{")
	check("half written", "")
	write(t, file, string(whole))
	check("at once", "")
	c.pass(retryAfter - 1)
	check("too early", "")
	c.pass(1)
	check("later", "web")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	c.pass(24 * time.Hour)
	check("removed", "web")
}

func TestMemoryIsBounded(t *testing.T) {
	root, _ := dockerHost(t, idA, "web")
	i := New(Options{Root: root})
	for n := range 3 * maxKnown {
		i.Workload(fmt.Sprintf("/docker/%064x", n))
		if got := len(i.runtimes.known); got > maxKnown {
			t.Fatalf("%d containers are remembered", got)
		}
	}
	if got := i.Workload("/docker/" + idA).Container.Name; got != "web" {
		t.Errorf("after all that: %q", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	root, _ := dockerHost(t, idA, "web")
	i := New(Options{Root: root})
	var working sync.WaitGroup
	for worker := range 4 {
		working.Go(func() {
			for n := range 2 * maxKnown / 4 {
				i.Workload(fmt.Sprintf("/docker/%064x", worker<<16|n))
				if got := i.Workload("/docker/" + idA).Container.Name; got != "web" {
					t.Errorf("%q", got)
				}
			}
		})
	}
	working.Wait()
}

func TestNamesThatAreNone(t *testing.T) {
	for name, want := range map[string]string{
		strings.Repeat("a", maxName):   strings.Repeat("a", maxName),
		strings.Repeat("a", maxName+1): "",
	} {
		root, _ := dockerHost(t, idA, name)
		if got := New(Options{Root: root}).Workload("/docker/" + idA).Container.Name; got != want {
			t.Errorf("%d bytes: %q", len(name), got)
		}
	}
}

// A file that has come under another container's name says nothing of this one.
func TestStateOfAnother(t *testing.T) {
	root, file := dockerHost(t, idA, "web")
	write(t, file, fmt.Sprintf(`{"ID":%q,"Name":"/other"}`, idB))
	want := Workload{Container: Container{ID: idA, Runtime: Docker}}
	if got := New(Options{Root: root}).Workload("/docker/" + idA); got != want {
		t.Errorf("%+v", got)
	}
}

// A service that was given a cgroup of its own could name one in it after any container:
// only where that is root's the names are podman's.
func TestPayloadOfService(t *testing.T) {
	if os.Geteuid() != 0 {
		return // no directory can be given away
	}
	const unit = "/system.slice/db.service"
	for _, hierarchy := range []string{"", "systemd", "unified"} {
		for _, below := range []string{"", "/payload"} { // of the unit itself, and of systemd-nspawn's
			for uid, want := range map[int]string{0: "db", 1000: ""} {
				root := podmanHost(t, filepath.Join(hierarchy, unit+below), uid)
				got := New(Options{Root: root}).Workload(unit + below + "/libpod-payload-" + idB)
				if got.Container.Name != want || got.Unit != "db.service" {
					t.Errorf("%q, %q of uid %d: %+v", hierarchy, below, uid, got)
				}
			}
		}
	}
}

// podmanHost makes a file system that has podman's containers, and a cgroup that is a
// user's. It returns the root.
func podmanHost(t *testing.T, cgroup string, uid int) string {
	t.Helper()
	root := t.TempDir()
	cgroup = filepath.Join(root, "sys/fs/cgroup", cgroup)
	err := errors.Join(os.CopyFS(root, os.DirFS(filepath.Join("testdata", "podman"))), os.MkdirAll(cgroup, 0o755), os.Chown(cgroup, uid, uid))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
