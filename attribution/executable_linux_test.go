package attribution

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Of a process that ends while it is looked at either the file that it runs is known with
// its name, or neither is: by the name alone any program could be taken for the host's.
func TestNoNameWithoutItsFile(t *testing.T) {
	l := &look{proc: realProc(), dir: unix.AT_FDCWD, buffer: make([]byte, lookBuffer)}
	const children = 300 // of 140 the name alone was known when that was read before the file
	seen := 0
	for range children {
		cmd := exec.Command("/bin/true")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for dir := l.proc.path(cmd.Process.Pid) + "/"; ; seen++ {
			name, file := l.executable(dir)
			if name == "" {
				break // it has ended
			}
			if file == nil {
				t.Errorf("of %s nothing but the name is known", name)
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if seen < children {
		t.Errorf("%d looks at %d processes", seen, children)
	}
}

// A program that was mounted over another has no name once that mount is gone: as / it would be
// told as a file that no process can run.
func TestNoNameOfWhatIsMountedNoMore(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mounted")
	if err := os.WriteFile(name, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	l := &look{proc: realProc(), dir: unix.AT_FDCWD, buffer: make([]byte, lookBuffer)}
	type found struct {
		name string
		file *File
	}
	var before, after found
	err := withMountsOfItsOwn(func() error {
		if err := unix.Mount("/bin/sleep", name, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		cmd := exec.Command(name, "60")
		if err := cmd.Start(); err != nil {
			return err
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		dir := l.proc.path(cmd.Process.Pid) + "/"
		before.name, before.file = l.executable(dir)
		err := unix.Unmount(name, unix.MNT_DETACH)
		after.name, after.file = l.executable(dir)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if before.name != name || before.file == nil || after != (found{}) {
		t.Errorf("it is %+v, and %+v without the mount", before, after)
	}
}

// withMountsOfItsOwn does something in a thread, which ends with it.
func withMountsOfItsOwn(do func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with this goroutine
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = do()
		}
		failed <- err
	}()
	return <-failed
}
