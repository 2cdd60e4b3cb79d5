package identity

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"imds-analyzer/attribution"
)

// status is what a file is, by what the kernel has at hand if that is known.
type status struct {
	attribution.File
	mode    uint32
	changed time.Time // its inode (inode(7), ctime)
}

func (s *status) is(kind uint32) bool { return s.mode&unix.S_IFMT == kind }

// statusOf looks at the file that is open.
func statusOf(fd int) (status, error) {
	var x unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_BASIC_STATS, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 4.11, or where a filter does not know it
		return oldStatusOf(fd)
	}
	file := attribution.File{Device: unix.Mkdev(x.Dev_major, x.Dev_minor), Inode: x.Ino, Modified: time.Unix(x.Mtime.Sec, int64(x.Mtime.Nsec))}
	return status{file, uint32(x.Mode), time.Unix(x.Ctime.Sec, int64(x.Ctime.Nsec))}, err
}

func oldStatusOf(fd int) (status, error) {
	var s unix.Stat_t
	err := unix.Fstat(fd, &s)
	file := attribution.File{Device: uint64(s.Dev), Inode: s.Ino, Modified: time.Unix(s.Mtim.Unix())}
	return status{file, s.Mode, time.Unix(s.Ctim.Unix())}, err
}

// errUsers is for a path that leads to a user's file system.
var errUsers = errors.New("it is on a file system of a user's")

// maxLinks is how many links a path may have (path_resolution(7)).
const maxLinks = 40

// walk is the way along a path below a root directory, by links that lead below that, too.
// It goes from one directory to the next, so that no file system of a user's is asked,
// whatever is mounted and exchanged meanwhile: it stops at the root of one.
type walk struct {
	mounts *mounts
	root   int // as at, with O_PATH (open(2))
	at     int // what it has come to
	status     // of that
	names  []string
	links  int
	// nearest is what the part of the path leads to that was gone whole.
	nearest status
}

// follow goes along a path. With an error the walk is as far as it came.
func (m *mounts) follow(root, path string) (w *walk, err error) {
	m.refresh()
	w = &walk{mounts: m, root: -1, at: -1}
	defer w.close()
	if w.root, err = unix.Open(root+"/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return w, err
	}
	if err = w.restart(); err != nil {
		return w, err
	}
	for name := range strings.SplitSeq(path, "/") {
		w.nearest = w.status
		if err := w.step(name); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *walk) close() {
	for _, fd := range []int{w.root, w.at} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// path is what it has come to, without links.
func (w *walk) path() string { return "/" + strings.Join(w.names, "/") }

// restart goes to the root.
func (w *walk) restart() error {
	w.names = w.names[:0]
	return w.enter(w.root, ".")
}

// enter goes on to a name in a directory, which is no link.
func (w *walk) enter(directory int, name string) error {
	fd, s, err := w.open(directory, name)
	if err != nil {
		return err
	}
	w.arrive(fd, s)
	return nil
}

func (w *walk) arrive(fd int, s status) {
	if w.at >= 0 {
		unix.Close(w.at)
	}
	w.at, w.status = fd, s
}

// open opens a name in a directory, or the link that it is.
func (w *walk) open(directory int, name string) (int, status, error) {
	fd, err := unix.Openat(directory, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, status{}, err
	}
	s, err := statusOf(fd)
	if err == nil && s.Device != w.Device {
		w.mounts.refresh() // it may have been mounted just now
	}
	if err == nil && w.mounts.isUsers(s.Device) {
		err = errUsers
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, s, err
}

// step goes on to the next name of a path.
func (w *walk) step(name string) error {
	switch name {
	case "", ".":
		return nil
	case "..":
		return w.up()
	}
	fd, s, err := w.open(w.at, name)
	switch {
	case err != nil:
		return err
	case s.is(unix.S_IFLNK):
		defer unix.Close(fd)
		return w.along(fd)
	}
	w.arrive(fd, s)
	w.names = append(w.names, name)
	return nil
}

func (w *walk) up() error {
	if len(w.names) == 0 {
		return nil // the root's parent is the root
	}
	w.names = w.names[:len(w.names)-1]
	return w.enter(w.at, "..")
}

// along goes where a link leads.
func (w *walk) along(link int) error {
	if w.links++; w.links > maxLinks {
		return unix.ELOOP
	}
	to := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(link, "", to)
	if err == nil && to[0] == '/' {
		err = w.restart()
	}
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(string(to[:n]), "/") {
		if err := w.step(name); err != nil {
			return err
		}
	}
	return nil
}
