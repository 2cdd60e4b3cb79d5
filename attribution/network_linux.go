package attribution

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Open opens the namespace. The error is ErrMoved if the process in it that was known is
// in another one by now, and wraps fs.ErrNotExist if it has ended.
func (n Network) Open() (*os.File, error) {
	namespace, err := openNetwork(n.dir)
	if err != nil {
		return nil, err
	}
	if name, err := nameOf(namespace); err != nil || name != n.Name {
		namespace.Close()
		return nil, ErrMoved
	}
	return namespace, nil
}

// nameOf is how processes in the namespace are told.
func nameOf(namespace *os.File) (string, error) {
	return os.Readlink(selfFD + strconv.Itoa(int(namespace.Fd())))
}

// InNetwork calls the job in a thread that is in the network namespace. It takes
// CAP_SYS_ADMIN unless that is our own.
//
// The thread that enters it is thrown away. It must not be the main thread,
// which cannot be, and whose namespace passes for that of the process.
func InNetwork(namespace *os.File, job func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if unix.Gettid() == os.Getpid() {
			defer runtime.UnlockOSThread()
			result <- InNetwork(namespace, job)
			return
		}
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("enter a network namespace: %w", err)
			return
		}
		result <- job()
	}()
	return <-result
}

// MayEnter reports whether network namespaces may be entered (setns(2)), by
// entering our own.
func MayEnter() error { return inNetworkOf("/proc/self", func() error { return nil }) }

// inNetworkOf is InNetwork for that of a process, whose directory in /proc is given. Of
// other users' it takes CAP_SYS_PTRACE, too.
func inNetworkOf(dir string, job func() error) error {
	namespace, err := openNetwork(dir)
	if err != nil {
		return err
	}
	defer namespace.Close()
	return InNetwork(namespace, job)
}

func openNetwork(dir string) (*os.File, error) {
	namespace, err := os.Open(dir + "/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open a network namespace: %w", err)
	}
	return namespace, nil
}
