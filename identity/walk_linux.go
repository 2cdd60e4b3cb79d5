package identity

import (
	"cmp"
	"errors"
	"path"
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

// statusOf looks at a file, and not at what it leads to if it is a link.
func statusOf(name string) (status, error) {
	var x unix.Statx_t
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT | unix.AT_STATX_DONT_SYNC
	err := unix.Statx(unix.AT_FDCWD, name, flags, unix.STATX_BASIC_STATS, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 4.11, or where a filter does not know it
		return oldStatusOf(name)
	}
	file := attribution.File{Device: unix.Mkdev(x.Dev_major, x.Dev_minor), Inode: x.Ino, Modified: time.Unix(x.Mtime.Sec, int64(x.Mtime.Nsec))}
	return status{file, uint32(x.Mode), time.Unix(x.Ctime.Sec, int64(x.Ctime.Nsec))}, err
}

func oldStatusOf(name string) (status, error) {
	var s unix.Stat_t
	err := unix.Lstat(name, &s)
	file := attribution.File{Device: uint64(s.Dev), Inode: s.Ino, Modified: time.Unix(s.Mtim.Unix())}
	return status{file, s.Mode, time.Unix(s.Ctim.Unix())}, err
}

// errUsers is for a path that leads to a user's file system.
var errUsers = errors.New("it is on a file system of a user's")

// maxLinks is how many links a path may have (path_resolution(7)).
const maxLinks = 40

// follow follows a path below a root directory, by links that lead below that, too, and
// returns it without links. It goes step by step, so that no file system of a user's is
// asked: it stops where one is mounted.
func (m *mounts) follow(root, name string) (real string, s status, err error) {
	m.refresh()
	root = strings.TrimSuffix(root, "/")
	rest, links := strings.Split(name, "/"), 0
	for len(rest) > 0 {
		step := rest[0]
		rest = rest[1:]
		if step == "" || step == "." || step == ".." {
			real = strings.TrimSuffix(path.Join("/", real, step), "/")
			continue
		}
		next := real + "/" + step
		switch s, err := m.statusOf(root + next); {
		case err != nil:
			return "", s, err
		case !s.is(unix.S_IFLNK):
			real = next
		case links == maxLinks:
			return "", s, unix.ELOOP
		default:
			to, err := readLink(root + next)
			if err != nil {
				return "", s, err
			}
			if path.IsAbs(to) {
				real = ""
			}
			rest = append(strings.Split(to, "/"), rest...)
			links++
		}
	}
	s, err = m.statusOf(root + cmp.Or(real, "/"))
	return real, s, err
}

func readLink(name string) (string, error) {
	to := make([]byte, unix.PathMax)
	n, err := unix.Readlink(name, to)
	return string(to[:max(n, 0)]), err
}

func (m *mounts) statusOf(name string) (status, error) {
	s, err := statusOf(name)
	if err == nil && m.isUsers(s.Device) {
		err = errUsers
	}
	return s, err
}
