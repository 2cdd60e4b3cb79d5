//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// open opens the file to append to it.
func open(name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, notRegular(name)
	}
	return GuardedRegular(name, os.O_RDWR|os.O_CREATE|os.O_APPEND)
}

// notRegular is the error for a file that is none. Where others can write, one that root has
// not put there is not to be used by any name.
func notRegular(name string) error {
	if ofOthers(directoryOf(name)) {
		return fmt.Errorf("%s: %w", name, whatIs(name))
	}
	return fmt.Errorf("%s: %w", name, ErrNotRegular)
}

// claim makes sure with flock(2) that no other process writes to a file, and that nobody else
// reads it.
func claim(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
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

// links is how many names a file has.
func links(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}

func isDeleted(info os.FileInfo) bool { return links(info) == 0 }
