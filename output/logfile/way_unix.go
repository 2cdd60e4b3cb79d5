//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// way are the directories that lead to one, all of them open, from the root on: whatever is
// renamed meanwhile, what is opened in the last is what the way leads to.
type way struct {
	at    []step
	links int
	// shared: others than root can write in the last directory, or can put another in the
	// place of one on the way.
	shared bool
}

// step is a directory on the way.
type step struct {
	fd   int
	stat unix.Stat_t
}

// errNowhere: the working directory has no name, so that there is no way to it.
var errNowhere = errors.New("the working directory has no name")

// findWay goes to a directory step by step. A link is followed where nobody but root can
// have put it, and one of root's own in a directory of root's; others fail with ErrLink.
// What there is of the way is returned in any case, to be closed.
func findWay(directory string) (*way, error) {
	w := &way{}
	if !strings.HasPrefix(directory, "/") {
		here, err := syscall.Getwd() // the real one, whatever $PWD says
		if err != nil {
			return w, fmt.Errorf("%w: %w", errNowhere, err)
		}
		directory = here + "/" + directory
	}
	if err := w.enter(unix.AT_FDCWD, "/"); err != nil {
		return w, err
	}
	for left := strings.Split(directory, "/"); len(left) > 0; {
		more, err := w.take(left[0])
		if err != nil {
			return w, &os.PathError{Op: "open", Path: directory, Err: err}
		}
		left = slices.Concat(more, left[1:])
	}
	w.shared = w.shared || isOpenToOthers(&w.last().stat)
	return w, nil
}

func (w *way) last() *step { return &w.at[len(w.at)-1] }

// close closes all that is open.
func (w *way) close() {
	for _, s := range w.at {
		_ = unix.Close(s.fd) // nothing was written
	}
	w.at = nil
}

// take goes one step, and returns the steps that a link consists of.
func (w *way) take(name string) (more []string, err error) {
	switch name {
	case "", ".":
		return nil, nil
	case "..":
		w.up()
		return nil, nil
	}
	in := w.last()
	var is unix.Stat_t
	if err := unix.Fstatat(in.fd, name, &is, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		w.shared = w.shared || isOpenToOthers(&in.stat) // they can put a link there now
		return nil, err
	}
	w.shared = w.shared || canBeChanged(&in.stat, &is)
	if is.Mode&unix.S_IFMT == unix.S_IFLNK {
		return w.follow(name)
	}
	return nil, w.enter(in.fd, name)
}

// up goes back; above the root is the root.
func (w *way) up() {
	if n := len(w.at); n > 1 {
		_ = unix.Close(w.at[n-1].fd)
		w.at = w.at[:n-1]
	}
}

// enter opens a directory, which is no link.
func (w *way) enter(in int, name string) error {
	fd, err := openIn(in, name, openWay|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	s := step{fd: fd}
	if err := unix.Fstat(fd, &s.stat); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	w.at = append(w.at, s)
	return nil
}

// follow returns where a link leads. Where others can write, it has to be root's own, with
// no other name, in a directory of root's: then it is as root has made it, and what is
// opened in the end is guarded all the same. What those can do who may write in such a
// directory without the sticky bit, as the group of /var/log can, is to give the name to
// another link that root has made there. That is accepted, as it leads where root has let
// it lead, to no file of another name or owner, and as logs are kept in /var/log by links.
func (w *way) follow(name string) ([]string, error) {
	if w.links++; w.links > maxLinks {
		return nil, unix.ELOOP
	}
	w.shared = w.shared || isOpenToOthers(&w.last().stat)
	to, own, err := readLink(w.last().fd, name)
	if err != nil {
		return nil, err
	}
	if w.shared && !(own && w.isOfRoot()) {
		return nil, fmt.Errorf("%s: %w (give the directory without the link)", name, ErrLink)
	}
	if strings.HasPrefix(to, "/") {
		for len(w.at) > 1 {
			w.up()
		}
	}
	return strings.Split(to, "/"), nil
}

// isOfRoot reports whether all directories that lead to the last are root's.
func (w *way) isOfRoot() bool {
	return !slices.ContainsFunc(w.at, func(s step) bool { return s.stat.Uid != 0 })
}

// open opens a file in the last directory, which is no link.
func (w *way) open(name, base string, flags int) (*os.File, error) {
	fd, err := openIn(w.last().fd, base, flags|unix.O_NOFOLLOW, mode)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// named reports whether a file has a name in the last directory, and no other. Who has
// linked another file there, and has removed the link since, is found out.
func (w *way) named(file *os.File, base string) error {
	var opened, is unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &opened); err != nil {
		return err
	}
	switch err := unix.Fstatat(w.last().fd, base, &is, unix.AT_SYMLINK_NOFOLLOW); {
	case errors.Is(err, unix.ENOENT), err == nil && (is.Ino != opened.Ino || is.Dev != opened.Dev):
		return ErrMoved
	case err != nil:
		return err
	case is.Nlink != 1:
		return ErrLink
	}
	return nil
}

// openIn is openat(2).
func openIn(in int, name string, flags int, mode uint32) (fd int, err error) {
	for {
		fd, err = unix.Openat(in, name, flags|unix.O_CLOEXEC, mode)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// OpenDirectory opens a directory in which files are made, renamed and removed. Of a root's
// program it fails with ErrLink if a link leads there that others may have put on the way,
// and with ErrMoved if somebody puts others in its place meanwhile.
func OpenDirectory(name string) (*os.Root, error) {
	if os.Geteuid() != 0 {
		return os.OpenRoot(name)
	}
	w, err := findWay(name)
	defer w.close()
	if err != nil {
		return nil, err
	}
	directory, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if err := w.leadsTo(directory); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), directory.Close())
	}
	return directory, nil
}

// leadsTo makes sure that a directory is the last.
func (w *way) leadsTo(directory *os.Root) error {
	info, err := directory.Stat(".")
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if last := &w.last().stat; !ok || stat.Ino != last.Ino || uint64(stat.Dev) != uint64(last.Dev) {
		return ErrMoved
	}
	return nil
}

// isOpenToOthers reports whether others than root can put something in a directory.
func isOpenToOthers(directory *unix.Stat_t) bool {
	return directory.Uid != 0 || directory.Mode&othersWrite != 0
}

// canBeChanged reports whether others than root can put something else in the place of what
// is in a directory. Where that has the sticky bit they cannot, unless it is their own
// (unlink(2)).
func canBeChanged(directory, is *unix.Stat_t) bool {
	return is.Uid != 0 || directory.Uid != 0 || directory.Mode&othersWrite != 0 && directory.Mode&unix.S_ISVTX == 0
}

// othersWrite are the permissions of group and others to write.
const othersWrite = 0o022

// ofOthers reports whether the program is root's, and other users can write in the
// directory: they could put a link there. Those who can put another directory in its
// place, or in that of one above it, can as well. Of a directory that cannot be found nobody
// knows: others may just have taken it away.
func ofOthers(directory string) bool {
	if os.Geteuid() != 0 {
		return false
	}
	w, err := findWay(directory) // which is told when it is opened
	defer w.close()
	return err != nil || w.shared
}
