package attribution

import (
	"os/exec"
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
