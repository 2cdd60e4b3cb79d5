//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestDescriptor(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	opened := fmt.Sprintf("/dev/fd/%d", file.Fd())
	in := func(name string) string { return filepath.Join(dir, name) }
	err = errors.Join(os.Symlink(opened, in("stdout")), os.Symlink("stdout", in("second")), os.Symlink("file", in("link")),
		os.Symlink("/dev", in("dev")), os.Symlink("none", in("dangling")), os.Symlink("loop", in("loop")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		opened: true, in("stdout"): true, in("second"): true, os.DevNull: true, in("dev/null"): true, "/dev/no such device": true, in("dev/../dev/null"): true,
		in("file"): false, in("link"): false, in("dangling"): false, in("loop"): false, in("none/file"): false, "/dev/none/file": false, "file": false, "/": false, ".": false,
	} {
		at, ok := Descriptor(name)
		if ok != want {
			t.Errorf("%s: %q, %v", name, at, ok)
		}
		if named, err := os.Stat(at); ok && name != "/dev/no such device" && (err != nil || !sameAs(t, named, name)) {
			t.Errorf("%s: %q, %v", name, at, err)
		}
	}
}

func sameAs(t *testing.T, is os.FileInfo, name string) bool {
	t.Helper()
	named, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(is, named)
}

// Where others can write, root goes by no link of theirs to what it has open.
func TestDescriptorOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root has nothing that others have not
	}
	dir := t.TempDir()
	err := errors.Join(os.Symlink("/dev/null", filepath.Join(dir, "file")), os.Symlink("/dev", filepath.Join(dir, "dev")),
		os.Lchown(filepath.Join(dir, "dev"), 1000, 1000), os.Chmod(dir, 0o777|os.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "dev/null"} {
		if at, ok := Descriptor(filepath.Join(dir, name)); ok {
			t.Errorf("%s: %s", name, at)
		}
	}
}
