//go:build unix

package logfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	opened(t, used, Options{})
	for name, want := range map[string]error{
		dir:                             ErrNotRegular,
		pipe:                            ErrNotRegular,
		os.DevNull:                      ErrNotRegular,
		used:                            ErrInUse,
		filepath.Join(dir, "no", "log"): os.ErrNotExist,
	} {
		if f, err := Open(name, Options{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

// Where others can write, root follows no links: each would lead to any file.
func TestLinksOfOthers(t *testing.T) {
	dir := t.TempDir()
	secret := put(t, filepath.Join(dir, "secret"), "secret\n")
	for name, prepare := range map[string]func(string) error{
		"link":      func(name string) error { return os.Symlink(secret, name) },
		"to be":     func(name string) error { return os.Symlink(filepath.Join(dir, "new"), name) },
		"hard link": func(name string) error { return os.Link(secret, name) },
		"pipe":      func(name string) error { return syscall.Mkfifo(name, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := filepath.Join(dir, "log")
			if err := errors.Join(prepare(log), os.Chmod(dir, 0o777)); err != nil {
				t.Fatal(err)
			}
			if f, err := Open(log, Options{}); os.Geteuid() == 0 && !errors.Is(err, ErrLink) {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
	checkHolds(t, secret, "secret\n")
	checkHolds(t, filepath.Join(dir, "new"), gone)
}

func TestOwnLink(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), name); err != nil {
		t.Fatal(err)
	}
	add(t, opened(t, name, Options{}), "a")
	checkHolds(t, filepath.Join(dir, "elsewhere"), "a\n")
}

// A file in a directory of others is a file like any other, if it is no link.
func TestFileOfOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "log")
	f := opened(t, name, Options{RotateSize: 4, Keep: 1})
	add(t, f, "aaa", "bbb")
	checkHolds(t, name, "bbb\n")
	if err := os.Symlink(put(t, filepath.Join(t.TempDir(), "secret"), ""), filepath.Join(dir, "trap")); err != nil {
		t.Fatal(err)
	}
	// One that is put in the file's place is not written to.
	if err := errors.Join(os.Remove(name), os.Rename(filepath.Join(dir, "trap"), name)); err != nil {
		t.Fatal(err)
	}
	f.Reopen()
	if os.Geteuid() == 0 && !errors.Is(f.Err(), ErrLink) {
		t.Errorf("error %v", f.Err())
	}
}

func TestDeletedFileIsMadeAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	f := opened(t, name, Options{})
	add(t, f, "a")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	add(t, f, "b")
	checkHolds(t, name, "b\n")
}
