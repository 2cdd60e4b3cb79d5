package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// containerAttacks are by callers that have a container's names, which files of theirs tell.
func containerAttacks() []attack {
	return []attack{
		pretence{name: "runtime-files", about: "callers in a user's own container, whose runtime's files are links, pipes, endless or deep", kinds: []string{kindPlain}, before: layHome, start: startWithFiles, then: filesTrue}.attack(),
	}
}

// cgroupPlace is a cgroup, and what of its name may be told. What is not told is no fault.
type cgroupPlace struct {
	path          string
	id, pod, name string
	users         string // the part of it that is the attacker's; none if it is empty
}

// Ids and pods of others.
var (
	idOfDocker   = strings.Repeat("ab", 32)
	idOfPod      = strings.Repeat("cd", 32)
	idOfPodman   = strings.Repeat("ef", 32)
	idOfNeighbor = strings.Repeat("12", 32)
)

const (
	podOfOthers     = "01234567-89ab-cdef-0123-456789abcdef"
	podOfNeighbor   = "76543210-89ab-cdef-0123-456789abcdef"
	nameOfOthers    = "of-others"
	attackersSlice  = "attacks.slice/"
	attackersLogin  = "user/attacker"
	hostileCgroup   = "\x1b[2Jx\u202e" // what a cgroup can have in its name
	podSlices       = "kubepods-burstable.slice/kubepods-burstable-pod"
	containerOfPods = "/cri-containerd-"
)

var attackersService = fmt.Sprintf("user.slice/user-%d.slice/user@%d.service/", attackerUser, attackerUser)

func podPath(pod, id string) string {
	return podSlices + strings.ReplaceAll(pod, "-", "_") + ".slice" + containerOfPods + id + ".scope"
}

// cgroupPlaces are what the table of docs/security.md says of cgroups' names.
func cgroupPlaces() []cgroupPlace {
	others := podPath(podOfOthers, idOfPod)
	return []cgroupPlace{
		// A user's own: no pod, and no name but of his files.
		{path: attackersService + "docker-" + idOfDocker + ".scope", id: idOfDocker},
		{path: attackersService + others, id: idOfPod},
		{path: attackersService + "machine-" + hostileCgroup + ".scope"},
		{path: attackersService + "libpod-payload-" + idOfPodman, id: idOfPodman},
		// A service's: podman's only, with a name if the cgroup is root's.
		{path: attackersSlice + "app.service/" + others},
		{path: attackersSlice + "app.service/docker-" + idOfDocker + ".scope"},
		{path: attackersSlice + "given.service/libpod-payload-" + idOfPodman, id: idOfPodman, users: attackersSlice + "given.service"},
		{path: attackersSlice + "roots.service/libpod-payload-" + idOfPodman, id: idOfPodman, name: nameOfOthers},
		// A machine's, and a scope's: their own word.
		{path: attackersSlice + "machine-x.scope/" + others, id: idOfPod},
		{path: attackersSlice + "run-x.scope/" + others, id: idOfPod},
		// A user's without systemd: his own word.
		{path: attackersLogin + "/0/libpod-" + idOfPodman, id: idOfPodman, users: attackersLogin},
		// A container's: the outer pod, or its own.
		{path: attackersSlice + others + "/" + podPath(podOfNeighbor, idOfNeighbor), id: idOfNeighbor, pod: podOfOthers},
		{path: attackersSlice + "docker-" + idOfDocker + ".scope/" + others, id: idOfPod, pod: podOfOthers},
	}
}

// cgroupMounts are where a unified hierarchy may be.
var cgroupMounts = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}

func cgroupMount() (string, error) {
	for _, mount := range cgroupMounts {
		if _, err := os.Stat(filepath.Join(mount, "cgroup.procs")); err == nil {
			return mount, nil
		}
	}
	return "", errors.New("there is no unified hierarchy of cgroups")
}

// layCgroups lays a list of podman's in which a container of others has a name.
func layCgroups(*stage, string) (after func(), err error) {
	const storage = "/var/lib/containers"
	if err := errors.Join(os.MkdirAll(storage, 0o755), unix.Mount("tmpfs", storage, "tmpfs", 0, "")); err != nil {
		return nil, err
	}
	err = write(filepath.Join(storage, "storage", podmanList), podmanListOf(idOfPodman, nameOfOthers), 0o644)
	return func() { _ = unix.Unmount(storage, unix.MNT_DETACH); removeCgroups() }, err
}

// removeCgroups removes those of the attack, the deepest first.
func removeCgroups() {
	mount, err := cgroupMount()
	if err != nil {
		return
	}
	for _, top := range []string{attackersSlice, attackersLogin, filepath.Dir(filepath.Clean(attackersService))} { // the user's slice
		var found []string
		_ = filepath.WalkDir(filepath.Join(mount, top), func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				found = append(found, name)
			}
			return nil
		})
		for _, name := range slices.Backward(found) {
			_ = unix.Rmdir(name) // those that others use stay
		}
	}
	_ = unix.Rmdir(filepath.Join(mount, filepath.Dir(attackersLogin)))
}

func startInPlace(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error) {
	p := cgroupPlaces()[i%len(cgroupPlaces())]
	cmd, err := startKind(ctx, directory, kind, path, i)
	if err != nil {
		return nil, err
	}
	return cmd, inCgroup(cmd, p.path, p.users)
}

// inCgroup has a program start in a cgroup, which is made for it.
func inCgroup(cmd *exec.Cmd, path, users string) error {
	mount, err := cgroupMount()
	if err != nil {
		return err
	}
	at := filepath.Join(mount, path)
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if users != "" {
		if err := os.Chown(filepath.Join(mount, users), attackerUser, attackerUser); err != nil {
			return err
		}
	}
	fd, err := unix.Open(at, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, fd // closed with this process
	return err
}

// placesTrue holds what is told of cgroups against what may be.
func placesTrue(s *stage, log string, lines []toldCall) (faults []string) {
	for _, t := range lines {
		i, ok := numberOf(t)
		if !ok {
			continue
		}
		p := cgroupPlaces()[i%len(cgroupPlaces())]
		if wrong := p.wrong(t); wrong != "" {
			faults = append(faults, fmt.Sprintf("%s: %q: %s: container %+v, pod %q", filepath.Base(log), p.path, wrong, t.Container, t.Kubernetes.Pod.UID))
		}
		noteTold(s, t)
	}
	return faults
}

func (p cgroupPlace) wrong(t toldCall) string {
	for _, told := range []struct{ what, is, may string }{
		{"a container's id", t.Container.ID, p.id}, {"a container's name", t.Container.Name, p.name}, {"a pod", t.Kubernetes.Pod.UID, p.pod},
	} {
		if told.is != "" && told.is != told.may {
			return told.what + " that may not be told"
		}
	}
	return ""
}

func noteTold(s *stage, t toldCall) {
	if t.Container.ID != "" {
		s.note("container ids told", 1)
	}
	if t.Container.Name != "" {
		s.note("container names told", 1)
	}
}

// podmanList is podman's list of containers in its storage.
const podmanList = "overlay-containers/containers.json"

func podmanListOf(id, name string) string {
	return fmt.Sprintf(`[{"id":%q,"names":[%q],"metadata":"{\"image-name\":\"image\"}"}]`, id, name)
}

// ownName is what a user may call his own container.
const ownName = "own"

const home = "home"

// layHome gives the attackers' user a home directory, and puts files of others beside it.
func layHome(_ *stage, directory string) (after func(), err error) {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("attacker:x:%d:%d::%s:/bin/sh\n", attackerUser, attackerUser, filepath.Join(directory, home))
	file := filepath.Join(directory, "passwd")
	if err := errors.Join(os.WriteFile(file, append(passwd, line...), 0o644), unix.Mount(file, "/etc/passwd", "", unix.MS_BIND, "")); err != nil {
		return nil, err
	}
	return func() { _ = unix.Unmount("/etc/passwd", unix.MNT_DETACH); removeCgroups() }, nil
}

// fileGame is what a user has in the place of podman's list.
type fileGame struct {
	name string // that may be told
	lay  func(list, id, ofRoot string) error
}

func fileGames() []fileGame {
	text := func(of func(id string) string) func(list, id, ofRoot string) error {
		return func(list, id, _ string) error { return write(list, of(id), 0o644) }
	}
	return []fileGame{
		{ownName, text(func(id string) string { return podmanListOf(id, ownName) })},
		{"", func(list, _, _ string) error { return laid(list, func() error { return unix.Mkfifo(list, 0o666) }) }},
		{"", func(list, _, ofRoot string) error {
			return laid(list, func() error { return os.Symlink(ofRoot, list) })
		}},
		{"", func(list, _, ofRoot string) error {
			return laid(list, func() error { return os.Symlink(upTo(ofRoot), list) })
		}},
		{"", func(list, _, ofRoot string) error {
			in := filepath.Dir(list)
			return laid(in, func() error { return os.Symlink(filepath.Dir(ofRoot), in) })
		}},
		{"", func(list, _, _ string) error {
			return laid(list, func() error { return os.Symlink("/dev/zero", list) })
		}},
		{"", func(list, _, _ string) error {
			return errors.Join(write(list, "[", 0o644), os.Truncate(list, 1<<30)) // a hole
		}},
		{"", text(func(string) string { return strings.Repeat("[", 1<<20-1) })},
		{"", text(func(string) string { return strings.Repeat(`[{"names":`, 100<<10) })},
		{ownName, text(func(id string) string {
			return "[" + strings.Repeat(`{"id":"x"},`, 80<<10) + podmanListOf(id, ownName)[1:]
		})},
	}
}

// laid makes the directories for something, and that.
func laid(name string, lay func() error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return lay()
}

// upTo is a way to a file by more parents than there are.
func upTo(file string) string { return strings.Repeat("../", 40) + strings.TrimPrefix(file, "/") }

// startWithFiles is a caller in a new container of the user's, whose files are laid. A file
// of root's has a name of that container, too: whoever tells it has read that file.
func startWithFiles(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error) {
	cmd, err := startKind(ctx, directory, kind, path, i)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("%064x", 1<<60+os.Getpid()<<8+i)
	ofRoot := filepath.Join(directory, "secret"+strconv.Itoa(i), filepath.Base(podmanList))
	storage := filepath.Join(directory, home, ".local/share/containers/storage")
	err = errors.Join(
		os.RemoveAll(filepath.Join(directory, home)),
		write(ofRoot, podmanListOf(id, nameOfOthers), 0o600),
		fileGames()[i%len(fileGames())].lay(filepath.Join(storage, podmanList), id, ofRoot),
		inCgroup(cmd, attackersService+"user.slice/libpod-"+id+".scope", ""))
	return cmd, err
}

// filesTrue: the name is what the user has called the container, in a file of his own.
func filesTrue(s *stage, log string, lines []toldCall) (faults []string) {
	for _, t := range lines {
		i, ok := numberOf(t)
		if !ok {
			continue
		}
		if may := fileGames()[i%len(fileGames())].name; t.Container.Name != "" && t.Container.Name != may {
			faults = append(faults, fmt.Sprintf("%s: file %d: a container is called %q", filepath.Base(log), i%len(fileGames()), t.Container.Name))
		}
		noteTold(s, t)
	}
	return faults
}
