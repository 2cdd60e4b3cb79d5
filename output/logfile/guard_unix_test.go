//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Root opens nothing that others may have put where they can write, and leaves what it
// leads to as it is. Elsewhere a link is root's own.
func TestGuarded(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root has nothing that others have not
	}
	tests := []struct {
		name  string
		plant func(name, secret string) error
		want  error
	}{
		{"symbolic link", func(name, secret string) error { return os.Symlink(secret, name) }, ErrLink},
		{"hard link", func(name, secret string) error { return os.Link(secret, name) }, ErrLink},
		{"another's pipe", func(name, _ string) error {
			return errors.Join(syscall.Mkfifo(name, 0o600), os.Chown(name, 1000, 1000))
		}, ErrSpecial},
		{"another's file", func(name, _ string) error {
			return errors.Join(os.WriteFile(name, nil, 0o600), os.Chown(name, 1000, 1000))
		}, ErrOwner},
		{"nothing", func(string, string) error { return nil }, nil},
	}
	for _, tt := range tests {
		for _, flags := range []int{os.O_WRONLY | os.O_CREATE, os.O_RDWR | os.O_CREATE} {
			dir := t.TempDir()
			secret, name := put(t, filepath.Join(dir, "secret"), "secret\n"), filepath.Join(dir, "file")
			if err := errors.Join(tt.plant(name, secret), os.Chmod(dir, 0o1777)); err != nil {
				t.Fatal(err)
			}
			if f, err := Guarded(name, flags); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			} else if err == nil {
				f.Close()
			}
			checkHolds(t, secret, "secret\n")
		}
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(put(t, filepath.Join(dir, "to"), "x\n"), link); err != nil {
		t.Fatal(err)
	}
	if f, err := Guarded(link, os.O_WRONLY); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}

// A pipe that root itself has put where others can write is written to, when somebody
// reads it.
func TestGuardedOwnPipe(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "pipe")
	if err := errors.Join(syscall.Mkfifo(name, 0o600), os.Chmod(dir, 0o1777)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		read := make(chan string)
		go func() {
			data, err := os.ReadFile(name)
			read <- fmt.Sprint(string(data), err)
		}()
		f, err := Guarded(name, os.O_WRONLY|os.O_CREATE)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("x"); err != nil {
			t.Error(err)
		}
		f.Close()
		if got := <-read; got != "x<nil>" {
			t.Errorf("read %s", got)
		}
	}
	if f, err := GuardedRegular(name, os.O_WRONLY); !errors.Is(err, ErrNotRegular) {
		t.Errorf("%v, %v", f, err)
	}
}

// A pipe in a file's place is refused at once, also where only root can write.
func TestGuardedRegular(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flags := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR} {
		if f, err := GuardedRegular(name, flags); !errors.Is(err, ErrNotRegular) {
			t.Errorf("flags %d: %v, %v", flags, f, err)
		}
	}
}
