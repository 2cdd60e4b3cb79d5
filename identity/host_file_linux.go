package identity

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lookAt looks at the regular file that a path leads to.
func (m *mounts) lookAt(path string) (hostFile, bool) {
	if !filepath.IsAbs(path) {
		return hostFile{}, false
	}
	w, err := m.follow("/", path)
	return hostFile{w.File, w.path(), w.changed}, err == nil && w.is(unix.S_IFREG)
}

// lookAtNearest looks at what a path leads to below a root directory, also by links, or at
// the nearest directory above it if there is nothing.
func (m *mounts) lookAtNearest(root, path string) (nearestFile, bool) {
	w, err := m.follow(root, path)
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return nearestFile{w.nearest.File, false, w.nearest.changed}, w.nearest != status{}
	}
	return nearestFile{w.File, true, w.changed}, err == nil
}

// exists reports whether there may be something by that name. Of users' file systems that
// are open to others it is not known.
func (m *mounts) exists(path string) bool {
	_, err := m.follow("/", path)
	return err != errUsers && !errors.Is(err, fs.ErrNotExist)
}
