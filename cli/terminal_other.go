//go:build !windows

package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// takesSequences reports whether a terminal acts on escape sequences. A dumb one
// can do no more than print (terminfo(5)).
func takesSequences(*os.File) bool { return os.Getenv("TERM") != "dumb" }

// inForeground reports whether the program may write to the terminal as it likes:
// if it is not the controlling one, or the program's process group is the one in the
// foreground (tcgetpgrp(3)).
func inForeground(terminal io.Writer) bool {
	file, ok := terminal.(*os.File)
	if !ok {
		return true
	}
	group, err := unix.IoctlGetInt(int(file.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
