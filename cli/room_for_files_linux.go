package cli

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// spareFiles are as many as are open for a moment while the processes of connections are
// looked for, about: one by each of the workers.
const spareFiles = 4

// roomForFiles is an error if so many cannot be opened (RLIMIT_NOFILE, getrlimit(2)).
func roomForFiles() error {
	for range spareFiles {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			return fmt.Errorf("fewer than %d files may be opened besides (ulimit -n): %w", spareFiles, err)
		}
		defer unix.Close(fd)
	}
	return nil
}
