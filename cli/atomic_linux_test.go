package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"imds-analyzer/output/logfile"
)

// A name that leads to what is open is given to no other file.
func TestNoDescriptorIsReplaced(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	name, to := filepath.Join(dir, "imds.prom"), fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
	f := &textfile{name: name}
	if err := f.write([]byte("x")); !errors.Is(err, logfile.ErrNotRegular) {
		t.Error(err)
	}
	if _, _, err := openKeeper(name); !errors.Is(err, logfile.ErrNotRegular) {
		t.Errorf("state: %v", err)
	}
	if _, err := os.Lstat(lockOf(name)); err == nil {
		t.Error("it has a lock beside it")
	}
	if is, err := os.Readlink(name); is != to {
		t.Errorf("it leads to %q, %v", is, err)
	}
}
