package identity

import (
	"os"
	"path/filepath"
	"time"

	"imds-analyzer/attribution"
)

// pid1Root leads to what is the host's, also if the program has a root directory or mounts
// of its own, as a service or in a container (proc_pid_root(5)).
const pid1Root = "/proc/1/root"

// hostRoot is that, or our own where it may not be looked at: the processes whose
// executables may be looked at all the same are those with which we are.
func hostRoot(pid1 string) string {
	if _, err := os.Stat(pid1 + "/"); err != nil {
		return "/"
	}
	return pid1
}

// isElsewhere reports whether what a process runs is known not to be the host's file of
// that name: with mounts of its own a process can have any file by any name, and a mount
// that was taken away leaves the rest of a name. What has changed on the host since the
// process started says nothing: its file can have been there before.
func (i *Identifier) isElsewhere(p *attribution.Process) bool {
	if i.host == "" || p.ExecutableFile == nil || p.Start.IsZero() || !filepath.IsAbs(p.Executable) {
		return false
	}
	now, ok := i.files.lookAtNearest(i.host, p.Executable)
	if !ok || now.whole && now.Device == p.ExecutableFile.Device && now.Inode == p.ExecutableFile.Inode {
		return false
	}
	return now.changed.Before(p.Start)
}

// nearestFile is what is found at a path, or the nearest directory above if nothing is.
type nearestFile struct {
	attribution.File
	whole   bool      // it is what the whole path leads to
	changed time.Time // its inode, as when something in a directory gets another name (inode(7), ctime)
}
