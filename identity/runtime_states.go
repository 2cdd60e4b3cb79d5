package identity

import (
	"path"
	"path/filepath"
	"strings"
)

// states are where the runtimes keep their state: those of the system, or those
// that a user runs for himself.
type states struct {
	dockerData      []tree
	containerdTasks []tree
	storage         tree // of podman and cri-o: the graph root
	storageRun      tree // the same, until the next boot: the run root
}

// system returns where the runtimes of the system keep their state, by default.
func (r *runtimes) system() *states {
	const tasks = "io.containerd.runtime.v2.task"
	return &states{
		dockerData: []tree{
			r.at(r.dockerRoot()),
			r.at("var/snap/docker/common/var-lib-docker"), // where it is a snap (github.com/canonical/docker-snap)
		},
		containerdTasks: []tree{
			r.at(filepath.Join("run/containerd", tasks)),
			r.at(filepath.Join("run/k3s/containerd", tasks)), // RKE2's, too
		},
		storage:    r.at("var/lib/containers/storage"),
		storageRun: r.at("run/containers/storage"),
	}
}

func (r *runtimes) dockerRoot() string {
	if b, err := r.at("etc/docker").read(maxState, "daemon.json"); err == nil {
		if dir := parseDataRoot(b); dir != "" {
			return dir
		}
	}
	return "var/lib/docker"
}

// ofUser returns where the runtimes of a user keep their state, by default
// (containers-storage.conf(5); Docker's manual, "Rootless mode"). He may have put
// anything there.
func (r *runtimes) ofUser(id string) *states {
	run := tree{base: filepath.Join(r.root, "run/user", id), dir: "containers", confined: true}
	s := &states{storageRun: run}
	b, err := r.at("etc").read(maxState, "passwd")
	if err != nil {
		return s
	}
	if home := parseHome(b, id); home != "" {
		home = filepath.Join(r.root, home)
		s.dockerData = []tree{{base: home, dir: ".local/share/docker", confined: true}}
		s.storage = tree{base: home, dir: ".local/share/containers/storage", confined: true}
	}
	return s
}

func (r *runtimes) at(dir string) tree { return tree{base: r.root, dir: dir} }

// parseHome reads a user's home directory out of a passwd(5), empty if that has
// none.
func parseHome(b []byte, id string) string {
	for line := range strings.Lines(string(b)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) == 7 && fields[2] == id && path.IsAbs(fields[5]) {
			return path.Clean(fields[5])
		}
	}
	return ""
}
