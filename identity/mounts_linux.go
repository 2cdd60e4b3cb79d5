package identity

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// mounts knows the file systems in user space (fuse(4)) that users other than root have
// mounted: they answer when their users like. Who waits for one cannot be ended, not even
// killed, so that they are not asked for files whose names others choose. Servers are
// root's choice: they are asked, and may be late. It is safe for concurrent use.
type mounts struct {
	mu    sync.Mutex
	lists []*mountList
}

// mountList is what is mounted in a mount namespace.
type mountList struct {
	file  *os.File        // mountinfo (proc_pid_mountinfo(5))
	users map[uint64]bool // devices
}

// newMounts knows those of our mount namespace, and of that of the first process.
func newMounts() *mounts {
	m := &mounts{}
	for _, pid := range []string{"self", "1"} {
		name := "/proc/" + pid + "/mountinfo"
		if fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil { // os.Open would have the runtime wait for changes, too
			m.lists = append(m.lists, &mountList{file: os.NewFile(uintptr(fd), name)})
		}
	}
	return m
}

// refresh takes note of what was mounted and unmounted since.
func (m *mounts) refresh() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, list := range m.lists {
		list.refresh()
	}
}

// isUsers reports whether a file system is one of those, by its device.
func (m *mounts) isUsers(device uint64) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.lists, func(l *mountList) bool { return l.users[device] })
}

// refresh reads the list if it has changed, which the kernel tells (proc_pid_mounts(5)) for
// less than the list takes.
func (l *mountList) refresh() {
	poll := []unix.PollFd{{Fd: int32(l.file.Fd()), Events: unix.POLLPRI}}
	if n, err := unix.Poll(poll, 0); l.users == nil || n > 0 || err != nil {
		l.users = usersMounts(io.NewSectionReader(l.file, 0, math.MaxInt64))
	}
}

// maxMountLine is more than a line can have: two paths of a page, in which each character
// can take four, and a page of options.
const maxMountLine = 64 << 10

// usersMounts are the devices of users' file systems in a list of what is mounted. The third
// field of a line is the device; behind that of "-" are the kind, the source, and the
// options, of which user_id is whose it is.
func usersMounts(list io.Reader) map[uint64]bool {
	users := make(map[uint64]bool)
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, maxMountLine)
	for lines.Scan() {
		mount, of, _ := strings.Cut(lines.Text(), " - ")
		fields, what := strings.Fields(mount), strings.Fields(of) // of which the source can be empty
		if len(fields) < 3 || len(what) < 2 || !strings.HasPrefix(what[0], "fuse") || isRoots(what[len(what)-1]) {
			continue
		}
		var major, minor uint32
		if n, _ := fmt.Sscanf(fields[2], "%d:%d", &major, &minor); n == 2 {
			users[unix.Mkdev(major, minor)] = true
		}
	}
	return users
}

func isRoots(options string) bool {
	for option := range strings.SplitSeq(options, ",") {
		if user, found := strings.CutPrefix(option, "user_id="); found {
			return user == "0"
		}
	}
	return true
}
