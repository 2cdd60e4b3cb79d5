package attribution

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// numbering is whose pids a /proc has: those of the pid namespace in which it was mounted
// (pid_namespaces(7)), while the kernel tells us of processes by the pids of ours. The same
// number is another process's there.
type numbering int

const (
	numberedAsOurs numbering = iota
	// numberedOutside: by a namespace around ours, such as the host's, which has all of
	// our processes by other numbers.
	numberedOutside
	// numberedElsewhere: by one that we are not in, such as a container's.
	numberedElsewhere
)

// errNumbering is why what the kernel tells of processes cannot be used.
var errNumbering = errors.New("/proc is that of another pid namespace, with other numbers than the kernel tells of; mount this one's own (mount -t proc proc /proc), or share the host's (docker run --pid=host)")

// numbering looks at what /proc/self leads to: our pid by its numbers, and nowhere if it
// has none for us (proc_pid(5)). A directory that is no mounted /proc is taken as it is.
func (p proc) numbering() numbering {
	var s unix.Statfs_t
	if err := unix.Statfs(p.root, &s); err != nil || s.Type != unix.PROC_SUPER_MAGIC {
		return numberedAsOurs
	}
	return numberingOf(os.Readlink(filepath.Join(p.root, "self")))
}

func numberingOf(self string, err error) numbering {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return numberedElsewhere
	case err == nil && self != strconv.Itoa(os.Getpid()):
		return numberedOutside
	}
	return numberedAsOurs
}
