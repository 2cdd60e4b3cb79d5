package identity

import (
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// lookTime is how long a file system may take for a look: one on a disk takes
	// milliseconds, one whose server is gone answers never.
	lookTime = time.Second
	// maxHung looks wait for file systems that do not answer, each in a thread of
	// its own. The output has waited for 3 s then, in which 1,000 calls a second
	// do not fill the 4,096 places that cli has for them.
	maxHung = 3
)

// files looks at files whose names others choose, and so also where they are: what
// a process has for an argument can be below the mount point of a server that does
// not answer. It is safe for concurrent use.
type files struct {
	mounts *mounts       // which of them are on users' file systems; nil if that is not known
	hung   atomic.Int64  // looks that are late, and not done yet
	late   atomic.Uint64 // looks that were, so far
	not    atomic.Uint64 // looks that were not begun
}

// within returns what look does, and false if that takes longer or too many others
// hang.
func within[T any](f *files, limit time.Duration, look func() T) (result T, ok bool) {
	if f.hung.Load() >= maxHung {
		f.not.Add(1)
		return result, false
	}
	done := make(chan T)
	late := make(chan struct{})
	go func() {
		found := look()
		select {
		case done <- found:
		case <-late:
			f.hung.Add(-1)
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case result = <-done:
		return result, true
	case <-timer.C:
		f.hung.Add(1)
		f.late.Add(1)
		close(late)
		return result, false
	}
}

// inTime is what look returns, in time.
func inTime[T any](f *files, look func() (T, bool)) (T, bool) {
	type answer struct {
		found T
		ok    bool
	}
	a, ok := within(f, lookTime, func() answer {
		found, ok := look()
		return answer{found, ok}
	})
	return a.found, ok && a.ok
}

// lookAt looks at the regular file that a path leads to, in time.
func (f *files) lookAt(path string) (hostFile, bool) {
	return inTime(f, func() (hostFile, bool) { return f.mounts.lookAt(path) })
}

// lookAtNearest looks at what a path leads to below a root directory, or at the nearest
// directory above it if there is nothing, in time.
func (f *files) lookAtNearest(root, path string) (nearestFile, bool) {
	return inTime(f, func() (nearestFile, bool) { return f.mounts.lookAtNearest(root, path) })
}

// exists reports whether there may be something by that name. What is not known in time is
// not known to be there.
func (f *files) exists(path string) bool {
	there, ok := within(f, lookTime, func() bool { return f.mounts.exists(path) })
	return ok && there
}

// limits says in a sentence for people how many looks had no answer.
func limits(all ...*files) []string {
	var late, not uint64
	for _, f := range all {
		late += f.late.Load()
		not += f.not.Load()
	}
	if late == 0 {
		return nil
	}
	text := fmt.Sprintf("File systems did not answer within %v (%d times)", lookTime, late)
	if not > 0 {
		text += fmt.Sprintf(", and were not asked meanwhile (%d times)", not)
	}
	return []string{text + ": packages, scripts or names of users' containers are left out of the log."}
}
