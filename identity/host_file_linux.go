package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

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

// exists reports whether there may be something by that name.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
