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
	real, s, err := m.follow("/", path)
	return hostFile{s.File, real, s.changed}, err == nil && s.is(unix.S_IFREG)
}

// lookAtNearest looks at what a path leads to below a root directory, also by links, or at
// the nearest directory above it if there is nothing.
func (m *mounts) lookAtNearest(root, path string) (nearestFile, bool) {
	for at := path; ; at = filepath.Dir(at) {
		_, s, err := m.follow(root, at)
		if (err == unix.ENOENT || err == unix.ENOTDIR) && at != "/" {
			continue
		}
		return nearestFile{s.File, at == path, s.changed}, err == nil
	}
}

// exists reports whether there may be something by that name. Of users' file systems it is
// not known.
func (m *mounts) exists(path string) bool {
	_, _, err := m.follow("/", path)
	return err != errUsers && !errors.Is(err, fs.ErrNotExist)
}
