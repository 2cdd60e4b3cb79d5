package attribution

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Where tracefs is mounted, on the kernels that know it (since Linux 4.1).
const (
	tracefsDir = "/sys/kernel/tracing"
	// tracefsOldDir mounts itself on access, below debugfs.
	tracefsOldDir = "/sys/kernel/debug/tracing"
)

// tracefs is a directory with tracepoints, open for look-ups below it.
type tracefs struct{ fd int }

// openTracefs opens the tracefs that is mounted or, where none is, one of our
// own that nobody else sees and that is gone when it is closed.
func openTracefs() (tracefs, error) {
	var errs []error
	for _, open := range []func() (int, error){mounted(tracefsDir), detachedTracefs, mounted(tracefsOldDir), hiddenTracefs} {
		fd, err := open()
		if err == nil {
			return tracefs{fd}, nil
		}
		errs = append(errs, err)
	}
	return tracefs{}, fmt.Errorf("no tracefs: %w, and %w", errs[0], refused(errs[len(errs)-1],
		"run as root outside of containers, or with CAP_SYS_ADMIN, or have it mounted (mount -t tracefs nodev "+tracefsDir+")"))
}

func (t tracefs) close() { unix.Close(t.fd) }

// mounted opens a directory if it is a tracefs.
func mounted(dir string) func() (int, error) {
	return func() (int, error) {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, fmt.Errorf("open %s: %w", dir, err)
		}
		var s unix.Statfs_t
		if err = unix.Fstatfs(fd, &s); err == nil && s.Type != unix.TRACEFS_MAGIC {
			err = fmt.Errorf("%s: none is mounted", dir)
		}
		if err != nil {
			unix.Close(fd)
			return -1, err
		}
		return fd, nil
	}
}

// detachedTracefs makes one that is mounted nowhere (fsmount(2), Linux 5.2).
func detachedTracefs() (int, error) {
	context, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsopen tracefs: %w", err)
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, fmt.Errorf("fsconfig tracefs: %w", err)
	}
	fd, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return -1, fmt.Errorf("fsmount tracefs: %w", err)
	}
	return fd, nil
}

// hiddenTracefs mounts one in a mount namespace that ends with the thread that
// made it (mount_namespaces(7)). The directory stays usable.
func hiddenTracefs() (int, error) {
	type result struct {
		fd  int
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		fd, err := mountHidden(tracefsDir)
		done <- result{fd, err}
	}()
	r := <-done
	return r.fd, r.err
}

func mountHidden(dir string) (int, error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return -1, fmt.Errorf("mount tracefs: unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return -1, fmt.Errorf("mount tracefs: make mounts private: %w", err)
	}
	err := unix.Mount("tracefs", dir, "tracefs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if err != nil && !errors.Is(err, unix.EBUSY) { // as where it is mounted by now
		return -1, fmt.Errorf("mount tracefs: %w", err)
	}
	return mounted(dir)()
}

// format reads the format of a tracepoint, such as "sock/inet_sock_set_state".
func (t tracefs) format(event string) (traceFormat, error) {
	fd, err := unix.Openat(t.fd, "events/"+event+"/format", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return traceFormat{}, refused(fmt.Errorf("tracepoint %s: %w", event, err), "run as root, or with CAP_DAC_READ_SEARCH")
	}
	file := os.NewFile(uintptr(fd), event)
	defer file.Close()
	b, err := io.ReadAll(file)
	if err != nil {
		return traceFormat{}, fmt.Errorf("tracepoint %s: %w", event, err)
	}
	f, err := parseTraceFormat(b)
	if err != nil {
		return traceFormat{}, fmt.Errorf("tracepoint %s: %w", event, err)
	}
	return f, nil
}
