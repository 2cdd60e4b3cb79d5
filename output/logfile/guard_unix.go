//go:build unix

package logfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Guarded opens a file of the program's own, which only its owner may read if it is made.
// Where other users can write, a root's program opens none that they may have put there: it
// fails with ErrLink, ErrOwner, ErrSpecial or ErrMoved. A pipe that root has put there is
// opened, when somebody reads it.
func Guarded(name string, flags int) (*os.File, error) {
	if os.Geteuid() != 0 {
		return os.OpenFile(name, flags, mode)
	}
	w, err := findWay(directoryOf(name))
	defer w.close()
	switch {
	case errors.Is(err, errNowhere):
		return os.OpenFile(name, flags, mode)
	case err != nil: // others may have a way there a moment later
		return nil, err
	case w.shared:
		return w.openGuarded(name, flags)
	}
	return os.OpenFile(name, flags, mode)
}

// openGuarded opens what others may have put there, unless they have.
func (w *way) openGuarded(name string, flags int) (*os.File, error) {
	_, base := filepath.Split(name)
	wait := flags&syscall.O_NONBLOCK == 0
	file, err := w.openStranger(name, base, flags|syscall.O_NONBLOCK)
	if wait && errors.Is(err, syscall.ENXIO) && isOwnPipe(name) {
		file, err = w.openStranger(name, base, flags)
	}
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(strange(file), w.named(file, base)); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return file, nil
}

// openStranger opens what others may have put there, with what has a name of its own.
func (w *way) openStranger(name, base string, flags int) (*os.File, error) {
	file, err := w.open(name, base, flags)
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, fmt.Errorf("%s: %w", name, ErrLink)
	case errors.Is(err, syscall.ENXIO) && !isOwnPipe(name): // a pipe that nobody reads, or a socket
		return nil, fmt.Errorf("%s: %w", name, whatIs(name))
	}
	return file, err
}

// strange is why a file may be one that others have put there.
func strange(file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() && !(isPipe(info) && isOwn(info)):
		return special(info.Mode())
	case links(info) != 1:
		return ErrLink
	case !isOwn(info):
		return ErrOwner
	}
	return nil
}

// special says what it is that is no regular file.
func special(mode fs.FileMode) error {
	kind := "a device"
	switch {
	case mode.IsDir():
		kind = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "another user's pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	}
	return fmt.Errorf("it is %s, %w", kind, ErrSpecial)
}

// whatIs says what has the name, if it is not to be opened.
func whatIs(name string) error {
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return ErrLink
	case isPipe(info) && isOwn(info):
		return ErrNotRegular
	}
	return special(info.Mode())
}

func isPipe(info fs.FileInfo) bool { return info.Mode()&fs.ModeNamedPipe != 0 }

func isOwnPipe(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && isPipe(info) && isOwn(info)
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
