//go:build unix

package logfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A directory of theirs, in which root writes logs, and what is not theirs to change.
type attacked struct{ theirs, canary string }

func newAttacked(t *testing.T) attacked {
	t.Helper()
	top := t.TempDir()
	a := attacked{filepath.Join(top, "theirs"), filepath.Join(top, "canary")}
	err := errors.Join(os.MkdirAll(filepath.Join(a.theirs, "logs"), 0o755), os.Mkdir(a.canary, 0o755), os.Chmod(a.theirs, 0o777))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(a.canary, "log"), "canary\n")
	put(t, filepath.Join(a.canary, "log.1"), "older\n")
	return a
}

// swap puts a link to what is root's in the place of the directory of logs.
func (a attacked) swap(t *testing.T) {
	t.Helper()
	logs := filepath.Join(a.theirs, "logs")
	if err := errors.Join(os.Rename(logs, logs+" before"), os.Symlink(a.canary, logs)); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(logs, 1000, 1000); err != nil && os.Geteuid() == 0 {
		t.Fatal(err)
	}
}

// check makes sure that nothing of root's was changed.
func (a attacked) check(t *testing.T) {
	t.Helper()
	checkHolds(t, filepath.Join(a.canary, "log"), "canary\n")
	checkHolds(t, filepath.Join(a.canary, "log.1"), "older\n")
	if files, err := os.ReadDir(a.canary); err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
}

// A directory that has become a link is left alone by all that writes.
func TestSwappedDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root has nothing that others have not
	}
	a := newAttacked(t)
	log := filepath.Join(a.theirs, "logs", "log")
	f := opened(t, log, Options{RotateSize: 4, Keep: 2})
	add(t, f, "aaa")
	a.swap(t)
	add(t, f, "bbb")
	if !errors.Is(f.Err(), ErrLink) || !strings.Contains(f.Err().Error(), "logs: it is a link") {
		t.Errorf("rotated: %v", f.Err())
	}
	f.Reopen()
	if !errors.Is(f.Err(), ErrLink) {
		t.Errorf("opened anew: %v", f.Err())
	}
	add(t, f, "ccc")
	checkHolds(t, filepath.Join(a.theirs, "logs before", "log"), "aaa\nbbb\nccc\n")
	for _, name := range []string{log, log + ".new"} {
		for what, open := range map[string]func(string, int) (*os.File, error){"guarded": Guarded, "regular": GuardedRegular} {
			if f, err := open(name, os.O_RDWR|os.O_CREATE); !errors.Is(err, ErrLink) {
				t.Errorf("%s: %v, %v", what, f, err)
			}
		}
	}
	if in, err := OpenDirectory(filepath.Dir(log)); !errors.Is(err, ErrLink) {
		t.Errorf("%v, %v", in, err)
	}
	a.check(t)
}

// A link that was a directory when the way was found is not what the way leads to.
func TestSwappedMeanwhile(t *testing.T) {
	a := newAttacked(t)
	logs := filepath.Join(a.theirs, "logs")
	w, err := findWay(logs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	a.swap(t)
	if f, err := w.open("log", "log", os.O_WRONLY|os.O_CREATE); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
	checkHolds(t, filepath.Join(a.theirs, "logs before", "log"), "")
	in, err := os.OpenRoot(logs)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := w.leadsTo(in); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
	a.check(t)
}

// A file of root's that had a name in the directory when it was opened is found out.
func TestLinkedMeanwhile(t *testing.T) {
	a := newAttacked(t)
	logs, canary := filepath.Join(a.theirs, "logs"), filepath.Join(a.canary, "log")
	w, err := findWay(logs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	tests := map[string]struct {
		then func(name string) error
		want error
	}{
		"removed": {os.Remove, ErrMoved},
		"another": {func(name string) error { return errors.Join(os.Remove(name), os.WriteFile(name, nil, 0o600)) }, ErrMoved},
		"kept":    {func(string) error { return nil }, ErrLink},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			link := filepath.Join(logs, name)
			if err := os.Link(canary, link); err != nil {
				t.Fatal(err)
			}
			f, err := w.open(link, name, os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := tt.then(link); err != nil {
				t.Fatal(err)
			}
			if err := w.named(f, name); !errors.Is(err, tt.want) {
				t.Error(err)
			}
			if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		})
	}
	a.check(t)
}

// Links without end, and ways that are none.
func TestNoWay(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Symlink("loop", filepath.Join(dir, "loop"))); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "file"), "")
	for name, want := range map[string]error{
		"loop": syscall.ELOOP, "file": syscall.ENOTDIR, "file/x": syscall.ENOTDIR, "none/..": syscall.ENOENT, strings.Repeat("x", 300): syscall.ENAMETOOLONG,
	} {
		w, err := findWay(dir + "/" + name)
		if !errors.Is(err, want) {
			t.Errorf("%.20s: %v", name, err)
		}
		w.close()
	}
}

// A directory that is not there is one that others may put there, with a link in it: that
// is seen to as long as it takes to swap one there and away a thousand times.
func TestDirectoryComesAndGoes(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root has nothing that others have not
	}
	top := t.TempDir()
	victim, theirs := put(t, filepath.Join(top, "victim"), "victim\n"), filepath.Join(top, "theirs")
	d, away := filepath.Join(theirs, "d"), filepath.Join(theirs, "away")
	err := errors.Join(os.MkdirAll(away, 0o755), os.Symlink(victim, filepath.Join(away, "log")),
		os.Chown(away, 1000, 1000), os.Lchown(filepath.Join(away, "log"), 1000, 1000), os.Chmod(theirs, 0o777|os.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	if !ofOthers(d) {
		t.Error("a directory that is not there is root's")
	}
	swapped, opened := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swapped)
		for {
			select {
			case <-opened:
				return
			default:
				_ = errors.Join(os.Rename(away, d), os.Rename(d, away))
			}
		}
	}()
	log := filepath.Join(d, "log")
	for range 1000 {
		if f, err := Guarded(log, os.O_WRONLY|os.O_CREATE|os.O_TRUNC); err == nil {
			t.Errorf("%s was opened", f.Name())
			f.Close()
			break
		}
		if to := Target(log); to != log {
			t.Errorf("it leads to %s", to)
			break
		}
	}
	close(opened)
	<-swapped
	checkHolds(t, victim, "victim\n")
}

// What is not there is not opened by another way.
func TestNoDirectory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none", "log")
	if f, err := Guarded(name, os.O_WRONLY|os.O_CREATE); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, %v", f, err)
	}
}
