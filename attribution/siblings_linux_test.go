package attribution

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Who else may have a socket from the parent is told by its list of children. Kernels have none
// without CONFIG_PROC_CHILDREN: then that is not known.
func TestSiblingsShare(t *testing.T) {
	const inode, fd = 1000, 3
	for _, test := range []struct {
		name     string
		children string // "-": there is no list
		holder   string // of the same descriptor
		shared   bool
	}{
		{"the only child", "5 ", "", false},
		{"another one", "5 6 ", "", false},
		{"another one that has it", "5 6 ", "6", true},
		{"no list", "-", "", true},
		{"a list without the child", "6 ", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := proc{root: t.TempDir(), boot: bootOfFixture}
			task := p.path(4, "task", "4")
			err := errors.Join(os.MkdirAll(task, 0o700), os.MkdirAll(filepath.Join(p.root, "6", "fd"), 0o700))
			if test.children != "-" {
				err = errors.Join(err, os.WriteFile(filepath.Join(task, "children"), []byte(test.children), 0o600))
			}
			if test.holder != "" {
				err = errors.Join(err, os.Symlink("socket:[1000]", filepath.Join(p.root, test.holder, "fd", "3")))
			}
			if err != nil {
				t.Fatal(err)
			}
			c := &catcher{tracepoint: &tracepoint{facts: newFacts(p, "testdata/passwd")}}
			if shared := c.siblingsShare(youngster{pid: 5, parent: 4}, inode, fd); shared != test.shared {
				t.Errorf("shared: %v", shared)
			}
		})
	}
}

// asNobody does something without the right to look at others' files, in a thread of its own.
// Only root has rights to go without.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	done := make(chan unix.Errno)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		_, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 65534, ^uintptr(0))
		if errno == 0 {
			do()
		}
		done <- errno
	}()
	if err := <-done; err != 0 {
		t.Fatal(err)
	}
}

// A process that may not be looked at may hold any socket, other than one that has ended.
func TestMayHold(t *testing.T) {
	const inode = 1000
	p := proc{root: t.TempDir(), boot: bootOfFixture}
	for pid, target := range map[int]string{1: "socket:[1000]", 2: "socket:[1001]", 3: "/dev/null"} {
		if err := errors.Join(os.MkdirAll(p.path(pid, "fd"), 0o700), os.Symlink(target, p.path(pid, "fd", "3"))); err != nil {
			t.Fatal(err)
		}
	}
	for pid, want := range map[int]bool{1: true, 2: false, 3: false, 4: false} {
		if got := p.mayHold(pid, inode); got != want {
			t.Errorf("process %d: %v", pid, got)
		}
	}
	c := startChild(t, "connect", listen(t, "127.0.0.1:0"))
	c.tuple(t)
	pid := c.Process.Pid
	if realProc().mayHold(pid, inode) {
		t.Error("root cannot tell")
	}
	asNobody(t, func() {
		if !realProc().mayHold(pid, inode) {
			t.Error("a process that may not be looked at passes for one without the socket")
		}
		if !mayLeadTo(unix.AT_FDCWD, realProc().path(pid, "fd", "3"), inode) {
			t.Error("nor may its descriptors")
		}
	})
}
