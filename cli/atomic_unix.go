//go:build unix

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"imds-analyzer/output/logfile"
)

// syncDirectory has the names in a directory written to the disk. Some file systems
// cannot, and have no need to.
func syncDirectory(directory *os.File) error {
	err := directory.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return err
}

// markUsed has nobody take a file for one that was left behind, until it is closed or the
// process ends. It fails if another process has it marked.
func markUsed(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// isOwnFile reports whether a file is the user's that the program runs as, and has one name.
func isOwnFile(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && stat.Nlink == 1
}

// openDescriptor opens what a process has open, by its name, or a device. What is the
// program's own goes on where it is, as it does for the others who have it: by its name a
// file would be written from the beginning (open(2)), and a socket not at all.
func openDescriptor(name string) (*os.File, error) {
	directory, base := filepath.Split(name)
	number, err := strconv.Atoi(base)
	own := directory == "/dev/fd/" || directory == fmt.Sprintf("/proc/%d/fd/", os.Getpid())
	if err != nil || !own {
		return os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	}
	fd, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// lockFile keeps all others who lock the same file away until it is closed, or the
// process ends (flock(2)).
func lockFile(name string) (io.Closer, error) {
	f, err := logfile.GuardedRegular(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errInUse
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
