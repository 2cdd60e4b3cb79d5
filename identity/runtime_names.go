package identity

import (
	"cmp"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// maxKnown bounds the containers that are remembered. A kubelet runs 110 pods
	// by default, of 2 or 3 containers with their sandboxes: 1,024 is three times
	// that, and with 9 names of maxName each takes 5 MiB at worst.
	maxKnown = 1024
	// maxName bounds a name. The longest that are given have 255 bytes, and a
	// repository's and a tag's before and behind that.
	maxName = 512
	// retryAfter is how long a container that is not found is not looked for
	// again. Its state is there before it runs, so that this is seldom of use.
	retryAfter = 5 * time.Second
)

// runtimes tell what containers are called, by the files in which container runtimes
// keep their state. They are safe for concurrent use.
type runtimes struct {
	root  string
	now   func() time.Time
	files files      // of users
	mu    sync.Mutex // guards known
	known map[containerKey]knownContainer
}

// containerKey: users can give their containers whatever ids they like.
type containerKey struct{ user, id string }

type knownContainer struct {
	names Workload
	found bool
	read  time.Time
}

func newRuntimes(o Options) *runtimes {
	r := &runtimes{root: cmp.Or(o.Root, "/"), now: o.Now, known: make(map[containerKey]knownContainer)}
	if r.now == nil {
		r.now = time.Now
	}
	return r
}

// complete adds to what the path of a cgroup tells what the runtime has. Of a
// container inside another one the runtime's files are in there.
func (r *runtimes) complete(p place) Workload {
	if p.Container.ID == "" || p.nested || p.host != "" && !r.isRoots(p.host) {
		return p.Workload
	}
	names := r.names(p)
	if p.user != "" { // who can claim any
		names.Pod, names.Task = Pod{}, Task{}
	}
	p.complete(names)
	return p.Workload
}

// isRoots reports whether a cgroup is known to be root's, who alone can make others in it
// then: systemd gives the cgroup of a service that may have its own to the service's
// user (Delegate=, systemd.resource-control(5)), and systemd-nspawn one below its own to
// the machine's root (-U, systemd-nspawn(1)).
func (r *runtimes) isRoots(cgroup string) bool {
	for _, hierarchy := range []string{"", "systemd", "unified"} { // of version 2, of 1, and of both
		if info, err := os.Stat(filepath.Join(r.root, "sys/fs/cgroup", hierarchy, cgroup)); err == nil {
			return ownedByRoot(info)
		}
	}
	return false
}

// complete adds names. Those of another pod or task than the path's are not added:
// labels can be anybody's.
func (w *Workload) complete(names Workload) {
	w.Container.Runtime = cmp.Or(w.Container.Runtime, names.Container.Runtime)
	w.Container.Name, w.Container.Image = names.Container.Name, names.Container.Image
	if w.Pod.UID == "" || w.Pod.UID == names.Pod.UID {
		w.Pod = names.Pod
	}
	if w.Task.ID == "" || w.Task.ID == names.Task.ID {
		w.Task = names.Task
	}
}

// names returns what a container is called, from memory if it is there.
func (r *runtimes) names(p place) Workload {
	key, now := containerKey{p.user, p.Container.ID}, r.now()
	r.mu.Lock()
	k, ok := r.known[key]
	r.mu.Unlock()
	if ok && (k.found || now.Sub(k.read) < retryAfter) {
		return k.names
	}
	names, err := r.look(p)
	k = knownContainer{names: names, found: err == nil, read: now}
	r.remember(key, k)
	return k.names
}

// remember forgets all others when there are too many: those in use are soon there
// again.
func (r *runtimes) remember(key containerKey, k knownContainer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	r.known[key] = k
}

// look looks a container up in the files of its runtime. Below a user's systemd only
// his own are looked at: he could name a cgroup after anybody's container. His home can
// be a server's that does not answer.
func (r *runtimes) look(p place) (Workload, error) {
	if p.user == "" {
		return r.system().look(p.Container)
	}
	type answer struct {
		names Workload
		err   error
	}
	a, ok := within(&r.files, lookTime, func() answer {
		names, err := r.ofUser(p.user).look(p.Container)
		return answer{names, err}
	})
	if !ok {
		return Workload{}, os.ErrDeadlineExceeded
	}
	return a.names, a.err
}

// look looks the container up, and leaves out what is too long.
func (s *states) look(c Container) (Workload, error) {
	w, err := s.names(c)
	if err != nil {
		return Workload{}, err
	}
	w.bound()
	return w, nil
}

// names asks the runtime that the path tells. Where it tells none, podman and cri-o
// are none of those that it can be: they have the names of their cgroups begin with
// their own.
func (s *states) names(c Container) (Workload, error) {
	switch c.Runtime {
	case Docker:
		return s.docker(c.ID)
	case Containerd:
		return s.containerd(c.ID)
	case CRIO:
		return s.crio(c.ID)
	case Podman:
		return s.podman(c.ID)
	}
	if w, err := s.docker(c.ID); err == nil {
		return w, nil
	}
	return s.containerd(c.ID)
}

// bound leaves out what is too long for a name.
func (w *Workload) bound() {
	for _, name := range []*string{
		&w.Container.Name, &w.Container.Image,
		&w.Pod.UID, &w.Pod.Name, &w.Pod.Namespace,
		&w.Task.ID, &w.Task.ARN, &w.Task.Family, &w.Task.Cluster,
	} {
		if len(*name) > maxName {
			*name = ""
		}
	}
}
