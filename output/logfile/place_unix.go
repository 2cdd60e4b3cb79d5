//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// open opens the file to append to it, and keeps others from doing so with flock(2).
func open(name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, notRegular(name)
	}
	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	shared := ofOthers(filepath.Dir(name))
	if shared {
		flags |= syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	}
	file, err := os.OpenFile(name, flags, mode)
	if errors.Is(err, syscall.ELOOP) && shared {
		err = fmt.Errorf("%s: %w", name, ErrLink)
	}
	if err != nil {
		return nil, err
	}
	if err := claim(file, shared); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return file, nil
}

// notRegular is the error for a file that is none. Where others can write, one that root has
// not put there is not to be used by any name.
func notRegular(name string) error {
	if ofOthers(filepath.Dir(name)) {
		return fmt.Errorf("%s: %w", name, whatIs(name))
	}
	return fmt.Errorf("%s: %w", name, ErrNotRegular)
}

// claim makes sure that a file is one to write to, and that no other process does.
func claim(file *os.File, shared bool) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return ErrNotRegular
	case shared && links(info) != 1:
		return ErrLink
	case shared && !isOwn(info):
		return ErrOwner
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	} // some file systems have no locks
	if isOwn(info) && info.Mode().Perm() != mode {
		return file.Chmod(mode)
	}
	return nil
}

// isOwn reports whether a file is the user's that the program runs as.
func isOwn(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// ofOthers reports whether the program is root's, and other users can write in the
// directory: they could put a link there. Those who can put another directory in its
// place, or in that of one above it, can as well.
func ofOthers(directory string) bool {
	info, err := os.Stat(directory)
	if os.Geteuid() != 0 || err != nil {
		return false
	}
	if isStrangers(info) || info.Mode().Perm()&othersWrite != 0 {
		return true
	}
	return slices.ContainsFunc(ways(directory), canBeChanged)
}

// othersWrite are the permissions of group and others to write.
const othersWrite = 0o022

// ways are the names of a directory from the root on: as it is called, and without links.
func ways(directory string) (names []string) {
	called, err := filepath.Abs(directory)
	if err != nil {
		return nil
	}
	names = []string{called}
	if real, err := filepath.EvalSymlinks(called); err == nil && real != called {
		names = append(names, real)
	}
	return names
}

// canBeChanged reports whether others than root can rename what is on the way to a
// directory. Where a directory has the sticky bit they cannot, unless it is their own
// (unlink(2)).
func canBeChanged(name string) bool {
	for {
		info, err := os.Lstat(name)
		switch {
		case err != nil || isStrangers(info):
			return true
		case info.IsDir() && info.Mode().Perm()&othersWrite != 0 && info.Mode()&fs.ModeSticky == 0:
			return true
		}
		above := filepath.Dir(name)
		if above == name {
			return false
		}
		name = above
	}
}

// isStrangers reports whether a file is not root's.
func isStrangers(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Uid != 0
}

// links is how many names a file has.
func links(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}

// isDeleted reports whether an open file has no name any more.
func isDeleted(info os.FileInfo) bool { return links(info) == 0 }
