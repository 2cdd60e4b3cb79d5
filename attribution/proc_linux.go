package attribution

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// proc reads the files of a /proc.
type proc struct {
	root string
	boot func() time.Time // when the kernel started
	// mounts are the mount namespaces in which names of files mean the same as to us, as
	// /proc/PID/ns/mnt names them.
	mounts []string
	// numbered is whose pids it has, as numbering finds out.
	numbered numbering
	// memories are those of the processes.
	memories *memories
}

// maxStat is more than a stat file holds: a name of 64 bytes and 50 numbers of
// at most 20 digits. The kernel hands it out whole.
const maxStat = 2 << 10

const (
	// firstDescriptor is the lowest that is free in a program that was just
	// started, and lastDescriptor the highest that is looked at: a socket takes
	// the lowest that is free (socket(2)).
	firstDescriptor = 3
	lastDescriptor  = 10
	// maxDescriptors are looked at of a process that may share a socket: 0.2 ms.
	maxDescriptors = 64
)

// bootTime is when the kernel started, exact, as the clock is set now. The
// btime of /proc/stat is rounded to seconds.
func bootTime() time.Time { return time.Unix(0, ahead(unix.CLOCK_REALTIME, unix.CLOCK_BOOTTIME)) }

// probe makes sure that there is a /proc with processes in it.
func (p proc) probe() error {
	pids, err := p.pids()
	if err != nil {
		return fmt.Errorf("list the processes: %w", err)
	}
	if len(pids) == 0 {
		return fmt.Errorf("list the processes: %s holds none; is it a mounted /proc?", p.root)
	}
	return nil
}

func (p proc) path(pid int, names ...string) string {
	return filepath.Join(append([]string{p.root, strconv.Itoa(pid)}, names...)...)
}

// pids returns all processes, those that started last first. As the kernel
// gives pids out in order, starting over after the largest, that is the
// distance to the last one given out (pid_max in proc_sys_kernel(5)).
func (p proc) pids() ([]int, error) {
	dir, err := os.Open(p.root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	pids := numbers(names)
	newestFirst(pids, p.lastPID())
	return pids, nil
}

// numbers returns the names that are pids.
func numbers(names []string) []int {
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// newestFirst sorts pids by when they were given out, last being the latest of
// all. Larger ones are left from before the kernel started over.
func newestFirst(pids []int, last int) {
	const limit = 1 << 22 // PID_MAX_LIMIT, linux/threads.h
	age := func(pid int) int { return (last - pid + limit) % limit }
	slices.SortFunc(pids, func(a, b int) int { return age(a) - age(b) })
}

// lastPID is the pid given out last, 0 if /proc does not tell.
func (p proc) lastPID() int {
	b, err := os.ReadFile(filepath.Join(p.root, "loadavg"))
	if err != nil {
		return 0
	}
	return parseLastPID(b)
}

// stat is what a search reads most: with three system calls, half of what
// os.ReadFile needs.
func (p proc) stat(pid int) (procStat, error) {
	fd, err := unix.Open(p.path(pid, "stat"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return procStat{}, err
	}
	defer unix.Close(fd)
	var line [maxStat]byte
	n, err := unix.Read(fd, line[:])
	if err != nil {
		return procStat{}, err
	}
	return parseStat(line[:n])
}

// started is the time at which a process with this stat started.
func (p proc) started(s procStat) time.Time { return p.boot().Add(s.start) }

// fileAt looks at the file that a name in a directory leads to, nil if it may not
// be looked at. What is known of it will do: a process can run a file whose file system
// answers when its owner likes, and is not asked.
func fileAt(dir int, name string) *File {
	var s unix.Stat_t
	err := unix.Fstatat(dir, name, &s, unix.AT_STATX_DONT_SYNC)
	if err == unix.EINVAL { // before Linux 4.11
		err = unix.Fstatat(dir, name, &s, 0)
	}
	if err != nil {
		return nil
	}
	return &File{Device: uint64(s.Dev), Inode: s.Ino, Modified: time.Unix(s.Mtim.Unix())}
}

// selfFD is where our own open files are, by their numbers (proc_pid_fd(5)).
const selfFD = "/proc/self/fd/"

// resolveCached is RESOLVE_CACHED (openat2(2), Linux 5.12): only what the kernel has at hand.
const resolveCached = 0x20

// cachedFile looks at a file that runs, if the name is its. The kernel has the name at
// hand then; for any other no file system is asked, which could be the process's own.
func cachedFile(name string) *File {
	fd, err := unix.Openat2(unix.AT_FDCWD, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: resolveCached})
	switch err {
	case nil:
		defer unix.Close(fd)
		return fileAt(unix.AT_FDCWD, selfFD+strconv.Itoa(fd))
	case unix.ENOSYS, unix.EINVAL, unix.EPERM: // there is no such call, or it may not be used
		return fileAt(unix.AT_FDCWD, name)
	}
	return nil
}

// removedMark is what the kernel adds to the name of a file that was removed.
const removedMark = " (deleted)"

// setExecutable takes in what /proc/PID/exe leads to. The kernel adds a word to the
// name of a file that was removed (proc_pid_exe(5)), with which a file can be called,
// too.
func (p *Process) setExecutable(name string, file *File) {
	p.Executable, p.ExecutableFile = name, file
	removed, deleted := strings.CutSuffix(name, removedMark)
	if deleted && !file.is(cachedFile(name)) {
		p.Executable, p.Deleted = removed, true
	}
}

// isHostRoot reports whether paths are known to mean the same files to the process
// with a directory in /proc as to us.
func (p proc) isHostRoot(dir int, prefix string) bool {
	if !fileAt(dir, prefix+"root").is(fileAt(unix.AT_FDCWD, "/")) {
		return false
	}
	var name [64]byte
	n, err := unix.Readlinkat(dir, prefix+"ns/mnt", name[:])
	return err == nil && slices.Contains(p.mounts, string(name[:n]))
}

// ourMounts are our mount namespace and, if its root is ours, that of the first process: a
// service with ProtectSystem= has a copy of its mounts that may be written to less
// (systemd.exec(5)). Without the right to look at that process there is no telling.
func (p proc) ourMounts() (mounts []string) {
	root := fileAt(unix.AT_FDCWD, "/")
	for _, pid := range []string{"self", "1"} {
		dir := filepath.Join(p.root, pid)
		if name, err := os.Readlink(filepath.Join(dir, "ns", "mnt")); err == nil && fileAt(unix.AT_FDCWD, filepath.Join(dir, "root")).is(root) {
			mounts = append(mounts, name)
		}
	}
	return mounts
}

func (p proc) status(pid int) procStatus {
	b, err := os.ReadFile(p.path(pid, "status"))
	if err != nil {
		return procStatus{}
	}
	return parseStatus(b)
}

func (p proc) cgroup(pid int) string {
	b, err := os.ReadFile(p.path(pid, "cgroup"))
	if err != nil {
		return ""
	}
	return parseCgroup(b)
}

// sockets calls found for each socket that the process holds, with the path of
// the link in /proc/PID/fd, as far as that may be known.
func (p proc) sockets(pid int, found func(inode uint64, link string)) {
	dir, err := os.Open(p.path(pid, "fd"))
	if err != nil {
		return
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return
	}
	for _, name := range names {
		if inode, ok := socketAt(int(dir.Fd()), name); ok {
			found(inode, dir.Name()+"/"+name)
		}
	}
}

// lowSockets calls found for the sockets that the process holds under its lowest
// descriptors, while that returns true. It is for processes that were just
// started: it stops at the first descriptor that is free, and returns that, 0 if
// it came to none.
func (p proc) lowSockets(pid int, found func(fd int, inode uint64) bool) (free int) {
	var target [64]byte
	dir := p.path(pid, "fd") + "/"
	for fd := firstDescriptor; fd <= lastDescriptor; fd++ {
		n, err := unix.Readlink(dir+strconv.Itoa(fd), target[:])
		if err == unix.ENOENT {
			return fd
		}
		if err != nil {
			return 0
		}
		if inode, ok := parseSocketLink(target[:n]); ok && !found(fd, inode) {
			return 0
		}
	}
	return 0
}

// freeDescriptor returns the lowest that is free, 0 if that is not known. What
// the kernel needs to tell of the process's descriptors it has at hand then,
// which takes half of the time of the first look.
func (p proc) freeDescriptor(pid int) int {
	return p.lowSockets(pid, func(int, uint64) bool { return true })
}

// mayHold reports whether the process holds the socket, or may: it has more descriptors
// than are looked at, or must not be looked at.
func (p proc) mayHold(pid int, inode uint64) bool {
	dir, err := os.Open(p.path(pid, "fd"))
	if err != nil {
		return errors.Is(err, fs.ErrPermission) // else it has ended, and holds nothing
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxDescriptors + 1)
	return len(names) > maxDescriptors || slices.ContainsFunc(names, func(name string) bool {
		return mayLeadTo(int(dir.Fd()), name, inode)
	})
}

// mayLeadTo reports whether the link is one to the socket, or must not be looked at.
func mayLeadTo(dir int, link string, inode uint64) bool {
	var target [64]byte
	n, err := unix.Readlinkat(dir, link, target[:])
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	found, ok := parseSocketLink(target[:n])
	return ok && found == inode
}

// children returns the processes whose parent it is
// (proc_pid_task_tid_children(5)).
func (p proc) children(pid int) (pids []int) {
	lists, _ := filepath.Glob(p.path(pid, "task", "*", "children"))
	for _, name := range lists {
		list, _ := os.ReadFile(name) // a thread that has ended has none
		pids = append(pids, numbers(strings.Fields(string(list)))...)
	}
	return pids
}

// leadsTo reports whether the link is one to the socket.
func leadsTo(link string, inode uint64) bool {
	found, ok := socketAt(unix.AT_FDCWD, link)
	return ok && found == inode
}

func socketAt(dir int, link string) (inode uint64, ok bool) {
	var target [64]byte // "socket:[" and at most 20 digits
	n, err := unix.Readlinkat(dir, link, target[:])
	if err != nil {
		return 0, false
	}
	return parseSocketLink(target[:n])
}

// networkNamespace names the network namespace that a process is in, "self" as
// the pid being ours. It is empty if that may not be known.
func (p proc) networkNamespace(pid string) string {
	name, err := os.Readlink(filepath.Join(p.root, pid, "ns", "net"))
	if err != nil {
		return ""
	}
	return name
}
