//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Guarded opens a file of the program's own, which only its owner may read if it is made.
// Where other users can write, a root's program opens none that they may have put there: it
// fails with ErrLink, ErrOwner or ErrNotRegular.
func Guarded(name string, flags int) (*os.File, error) {
	shared := ofOthers(filepath.Dir(name))
	if shared {
		flags |= syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	}
	file, err := os.OpenFile(name, flags, mode)
	switch {
	case shared && errors.Is(err, syscall.ELOOP):
		return nil, fmt.Errorf("%s: %w", name, ErrLink)
	case shared && errors.Is(err, syscall.ENXIO): // a pipe that nobody reads
		return nil, fmt.Errorf("%s: %w", name, ErrNotRegular)
	case err != nil:
		return nil, err
	}
	if shared {
		if err := strange(file); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
		}
	}
	return file, nil
}

// strange is why a file may be one that others have put there.
func strange(file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return ErrNotRegular
	case links(info) != 1:
		return ErrLink
	case !isOwn(info):
		return ErrOwner
	}
	return nil
}

// GuardedRegular is Guarded for what has to be a regular file. A pipe in its place is not
// waited for: it fails with ErrNotRegular.
func GuardedRegular(name string, flags int) (*os.File, error) {
	file, err := Guarded(name, flags|syscall.O_NONBLOCK)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, ErrNotRegular), file.Close())
	}
	return file, nil
}
