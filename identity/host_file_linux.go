package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"imds-analyzer/attribution"
)

// lookAt looks at the regular file that a path leads to.
func lookAt(path string) (hostFile, bool) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil || !filepath.IsAbs(path) {
		return hostFile{}, false
	}
	var s syscall.Stat_t
	if err := syscall.Lstat(path, &s); err != nil || s.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return hostFile{}, false
	}
	file := attribution.File{Device: uint64(s.Dev), Inode: s.Ino, Modified: time.Unix(s.Mtim.Unix())}
	return hostFile{file, path, time.Unix(s.Ctim.Unix())}, true
}

// lookAtNearest looks at what a path leads to below a root directory, also by links, or at
// the nearest directory above it if there is nothing.
func lookAtNearest(root, path string) (nearestFile, bool) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nearestFile{}, false
	}
	defer unix.Close(dir)
	for at := path; ; at = filepath.Dir(at) {
		fd, err := openBelow(dir, at)
		if (err == unix.ENOENT || err == unix.ENOTDIR) && at != "/" {
			continue
		}
		if err != nil {
			return nearestFile{}, false
		}
		defer unix.Close(fd)
		var s syscall.Stat_t
		if err := syscall.Fstat(fd, &s); err != nil {
			return nearestFile{}, false
		}
		file := attribution.File{Device: uint64(s.Dev), Inode: s.Ino, Modified: time.Unix(s.Mtim.Unix())}
		return nearestFile{file, at == path, time.Unix(s.Ctim.Unix())}, true
	}
}

// openBelow names what a path leads to below a directory. Before Linux 5.6 links would
// lead below our root: it has to be the same.
func openBelow(dir int, path string) (int, error) {
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if err != unix.ENOSYS && err != unix.EINVAL && err != unix.EPERM {
		return fd, err
	}
	var below, ours unix.Stat_t
	if e := errors.Join(unix.Fstat(dir, &below), unix.Stat("/", &ours)); e != nil || below.Dev != ours.Dev || below.Ino != ours.Ino {
		return -1, err
	}
	return unix.Openat(dir, "."+path, unix.O_PATH|unix.O_CLOEXEC, 0)
}

// exists reports whether there may be something by that name.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
