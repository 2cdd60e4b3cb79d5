package testbed

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// What is started in a namespace ends with it.
func TestLiveNamespaceEnds(t *testing.T) {
	n, err := NewNamespace()
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	cmd := exec.Command("sleep", "60")
	if err := n.Start(cmd); err != nil {
		t.Fatal(err)
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := os.Readlink(n.Path); err != nil || theirs == own {
		t.Errorf("the namespace is %s, like our own, %v", theirs, err)
	}
	n.Close()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", err)
	}
}
