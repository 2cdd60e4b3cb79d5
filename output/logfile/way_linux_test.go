package logfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A link of root's own is followed where others can write, in a directory of root's, as from
// /var/log; and what it leads to is guarded.
func TestRootsLinksAmongOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root has nothing that others have not
	}
	theirs := func(name string) error { return os.Lchown(name, 1000, 1000) }
	for what, tt := range map[string]struct {
		mode  fs.FileMode
		owner int
		then  func(link string) error
		want  error
	}{
		"group":          {mode: 0o775},
		"sticky":         {mode: 0o777 | os.ModeSticky},
		"open to all":    {mode: 0o777},
		"their link":     {mode: 0o775, then: theirs, want: ErrLink},
		"sticky, theirs": {mode: 0o777 | os.ModeSticky, then: theirs, want: ErrLink},
		"linked there":   {mode: 0o777 | os.ModeSticky, then: func(link string) error { return os.Link(link, link+"2") }, want: ErrLink},
		"their home":     {mode: 0o755, owner: 1000, want: ErrLink},
	} {
		t.Run(what, func(t *testing.T) {
			top := t.TempDir()
			to, in := filepath.Join(top, "disk", "imds"), filepath.Join(top, "log")
			link := filepath.Join(in, "imds")
			err := errors.Join(os.MkdirAll(to, 0o755), os.Mkdir(in, 0o755), os.Symlink("../disk/imds", link), os.Chown(in, tt.owner, tt.owner), os.Chmod(in, tt.mode))
			if err == nil && tt.then != nil {
				err = tt.then(link)
			}
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(link, "file")
			checkOpened(t, name, tt.want)
			directory, err := OpenDirectory(link)
			if !errors.Is(err, tt.want) {
				t.Errorf("the directory: %v", err)
			}
			if err == nil {
				directory.Close()
			}
			if err := errors.Join(os.RemoveAll(name), os.Symlink("/dev/null", filepath.Join(to, "file"))); err != nil {
				t.Fatal(err)
			}
			checkOpened(t, name, ErrLink) // the file may have been put there on another way
		})
	}
}

func checkOpened(t *testing.T, name string, want error) {
	t.Helper()
	f, err := Guarded(name, os.O_WRONLY|os.O_CREATE)
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if err == nil {
		f.Close()
	}
}
