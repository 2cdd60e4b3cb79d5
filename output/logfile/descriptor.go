package logfile

import (
	"os"
	"path"
	"path/filepath"
)

// Descriptor reports whether a name leads to what a process has open, or to a device: it is
// in /dev, or a name in /proc/PID/fd, or a link to one. What such a name leads to can be
// written to; to give the name to another file would take it from all others. It returns
// the last of such names that there is (proc_pid_fd(5)). Links where other users can write
// are not followed.
func Descriptor(name string) (at string, ok bool) {
	for range maxLinks {
		if ofOthers(directoryOf(name)) {
			break
		}
		here := filepath.ToSlash(filepath.Join(realDirectory(name), filepath.Base(name)))
		switch {
		case isOpenFile(here):
			return here, true
		case path.Dir(here) == "/dev":
			at, ok = here, true
		}
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		name = follow(name, to)
	}
	return at, ok
}

// isOpenFile reports whether a name is that of what a process has open.
func isOpenFile(name string) bool {
	for _, pattern := range [...]string{"/dev/fd/*", "/proc/*/fd/*", "/proc/*/task/*/fd/*"} {
		if is, _ := path.Match(pattern, name); is {
			return true
		}
	}
	return false
}

// realDirectory is the name without links of the directory that a file is in, empty if
// there is none.
func realDirectory(name string) string {
	directory, err := filepath.EvalSymlinks(directoryOf(name))
	if err == nil {
		directory, err = filepath.Abs(directory)
	}
	if err == nil {
		directory, err = filepath.EvalSymlinks(directory) // $PWD may be a link
	}
	if err != nil {
		return ""
	}
	return directory
}
