//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// Whoever can put another directory in the place of one on the way can choose the file.
func TestDirectoriesAbove(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root has nothing that others have not
	}
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, name) }
	for _, name := range []string{"root", "sticky", "open", "theirs"} {
		if err := os.MkdirAll(in(name+"/in/dir"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		os.Chmod(in("sticky"), 0o777|os.ModeSticky), os.Chmod(in("open"), 0o775), os.Chown(in("theirs"), 1000, 1000),
		os.Symlink(in("theirs/in/dir"), in("own link")), os.Symlink(in("root/in/dir"), in("their link")), os.Lchown(in("their link"), 1000, 1000),
		os.Symlink(in("root/in"), in("good link")),
		// Root's link, to where others have one that leads to root's.
		os.Symlink(in("open/in"), in("way")), os.Symlink(in("root/in/dir"), in("open/in/link")), os.Chmod(in("open/in"), 0o777),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"root/in/dir": false, "sticky/in/dir": false, "sticky": true, "open/in/dir": true, "theirs/in/dir": true,
		"own link": true, "their link": true, "their link/../dir": true, "good link/dir": false, "none": true, "root/none": true,
		"way/link": true, "good link/../in/dir": false, "good link/../theirs": true, "theirs/in/dir/../../../root": true, "root/in/dir/../../..//root/.": false,
	} {
		if got := ofOthers(top + "/" + name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A link of /proc to a pipe is its name.
func TestTargetWithoutName(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	name := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if info, err := os.Stat(Target(name)); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("%s: %v", Target(name), err)
	}
}

// What is no regular file is called what it is where others can write. A pipe of root's own
// can be had by other means.
func TestSpecialFilesOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		return // no file can be given away
	}
	given := func(name string) error { return os.Chown(name, 1000, 1000) }
	for name, tt := range map[string]struct {
		plant func(name string) error
		want  error
		says  string
	}{
		"directory":           {func(name string) error { return os.Mkdir(name, 0o700) }, ErrSpecial, "it is a directory, in a directory in which"},
		"another's pipe":      {func(name string) error { return errors.Join(syscall.Mkfifo(name, 0o600), given(name)) }, ErrSpecial, "it is another user's pipe, in"},
		"device":              {func(name string) error { return syscall.Mknod(name, syscall.S_IFCHR|0o600, 1<<8|3) }, ErrSpecial, "it is a device, in"},
		"socket":              {func(name string) error { return syscall.Mknod(name, syscall.S_IFSOCK|0o600, 0) }, ErrSpecial, "it is a socket, in"},
		"link to a directory": {func(name string) error { return os.Symlink("/", name) }, ErrLink, "it is a link"},
		"own pipe":            {func(name string) error { return syscall.Mkfifo(name, 0o600) }, ErrNotRegular, "no regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := filepath.Join(dir, "log")
			if err := errors.Join(tt.plant(log), os.Chmod(dir, 0o1777)); err != nil {
				t.Fatal(err)
			}
			if f, err := Open(log, Options{}); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%+v, %v", f, err)
			}
			if name == "own pipe" || name == "directory" { // which nobody can write to
				return
			}
			if f, err := Guarded(log, os.O_WRONLY); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("guarded: %+v, %v", f, err)
			}
		})
	}
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

// A link to the log stays, and what it leads to is rotated.
func TestRotationOfLink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	name, log := filepath.Join(dir, "name"), filepath.Join(elsewhere, "log")
	if err := errors.Join(os.Symlink("to", name), os.Symlink(log, filepath.Join(dir, "to"))); err != nil {
		t.Fatal(err)
	}
	f := opened(t, name, Options{RotateSize: 4, Keep: 1})
	add(t, f, "aaa", "bbb")
	checkHolds(t, name, "bbb\n")
	checkHolds(t, numbered(name, 1), gone)
	checkHolds(t, numbered(log, 1), "aaa\n")
	if to, err := os.Readlink(name); err != nil || to != "to" {
		t.Errorf("it leads to %q, %v", to, err)
	}
}

// It leads on from where it really is: by ".." out of a directory that is itself reached by
// a link, and from there by another one.
func TestRotationOfLinkInLinkedDirectory(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		os.MkdirAll(in("data/logs"), 0o755), os.Symlink("data/logs", in("logs")),
		os.Symlink("../current", in("data/logs/name")), os.Symlink("log", in("data/current")),
	)
	if err != nil {
		t.Fatal(err)
	}
	f := opened(t, in("logs/name"), Options{RotateSize: 4, Keep: 1})
	add(t, f, "aaa", "bbb")
	checkHolds(t, in("data/log"), "bbb\n")
	checkHolds(t, in("data/log.1"), "aaa\n")
	if to, err := os.Readlink(in("data/current")); err != nil || to != "log" {
		t.Errorf("the second link leads to %q, %v", to, err)
	}
}

// Where others can put a link in the log's place, what it leads to is not renamed.
func TestRotationOfLinkOfOthers(t *testing.T) {
	dir := t.TempDir()
	name, secret := filepath.Join(dir, "log"), put(t, filepath.Join(t.TempDir(), "secret"), "secret\n")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	f := opened(t, name, Options{RotateSize: 4, Keep: 1})
	add(t, f, "aaa")
	if err := errors.Join(os.Rename(name, filepath.Join(dir, "moved")), os.Symlink(secret, name)); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		add(t, f, "bbb")
		checkHolds(t, numbered(secret, 1), gone)
		checkHolds(t, secret, "secret\n")
	}
}

// A file that was there is closed to others.
func TestModeOfOwnFile(t *testing.T) {
	name := put(t, filepath.Join(t.TempDir(), "log"), "")
	if err := os.Chmod(name, 0o666); err != nil {
		t.Fatal(err)
	}
	opened(t, name, Options{})
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// Root writes to no file that another user has put where others can write.
func TestOwnerOfFile(t *testing.T) {
	if os.Geteuid() != 0 {
		return // no file can be given away
	}
	dir := t.TempDir()
	name := put(t, filepath.Join(dir, "log"), "theirs\n")
	if err := errors.Join(os.Chown(name, 1000, 1000), os.Chmod(dir, 0o1777)); err != nil {
		t.Fatal(err)
	}
	if f, err := Open(name, Options{}); !errors.Is(err, ErrOwner) {
		t.Errorf("%+v, %v", f, err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	add(t, opened(t, name, Options{}), "ours") // root has put it there
	checkHolds(t, name, "theirs\nours\n")
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
