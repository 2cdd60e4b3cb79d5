package confine

import (
	"errors"

	"golang.org/x/sys/unix"
)

// NoDumps keeps what is in the process's memory from being written to a file or given
// to a program when it crashes (PR_SET_DUMPABLE, prctl(2)), and from other processes of
// its user: its files in /proc are root's then. Programs that it runs leave no core
// files either (RLIMIT_CORE, getrlimit(2)), but a core_pattern that is a program is given
// their memory (core(5)). A change of the user undoes it: it comes after that.
func NoDumps() error {
	return errors.Join(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}), unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
