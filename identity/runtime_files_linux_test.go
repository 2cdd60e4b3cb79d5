package identity

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// A FIFO that nobody writes to would be waited for, and a device can do anything.
func TestTreeReadsRegularFilesOnly(t *testing.T) {
	base := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(base, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tree := range []tree{{base: base}, {base: base, confined: true}} {
		if _, err := tree.read(maxState, "fifo"); !errors.Is(err, errNotRegular) {
			t.Errorf("confined %v: %v", tree.confined, err)
		}
	}
	if _, err := (tree{base: "/dev"}).read(maxState, "zero"); !errors.Is(err, errNotRegular) {
		t.Error(err)
	}
}
