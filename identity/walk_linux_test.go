package identity

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFollow(t *testing.T) {
	root := t.TempDir()
	for _, directory := range []string{"usr/bin", "opt/app/current"} {
		if err := os.MkdirAll(filepath.Join(root, directory), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "usr/bin/env"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{
		"bin": "usr/bin", "sbin": "/usr/bin/", "usr/up": "..", "usr/out": "../../../../usr/bin/env",
		"loop": "loop", "dangling": "/nothing/there", "opt/app/run": "current/../../../bin/./env",
	} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	var m *mounts
	for _, tt := range []struct {
		path, want string
		err        error
	}{
		{"/usr/bin/env", "/usr/bin/env", nil},
		{"/bin/env", "/usr/bin/env", nil},
		{"/sbin//env", "/usr/bin/env", nil},
		{"/usr/up/usr/up/bin/env", "/usr/bin/env", nil},
		{"/usr/out", "/usr/bin/env", nil},
		{"/opt/app/run", "/usr/bin/env", nil},
		{"/../../usr/./bin/../bin/env", "/usr/bin/env", nil},
		{"/", "/", nil},
		{"", "/", nil},
		{"/usr/up", "/", nil},
		{"/loop", "", unix.ELOOP},
		{"/dangling", "", unix.ENOENT},
		{"/usr/bin/env/x", "", unix.ENOTDIR},
		{"/usr/nothing/../bin/env", "", unix.ENOENT},
		{"/" + strings.Repeat("x", 300), "", unix.ENAMETOOLONG},
	} {
		w, err := m.follow(root, tt.path)
		if !errors.Is(err, tt.err) || err == nil && w.path() != tt.want {
			t.Errorf("%s leads to %q, %v", tt.path, w.path(), err)
		}
		if there, failed := m.follow("/", root+tt.want); err == nil && (failed != nil || w.status != there.status) {
			t.Errorf("%s is %+v, want %+v, %v", tt.path, w.status, there, failed)
		}
	}
}

// What the kernel says of paths in a tree of many links is what is found (openat2(2)).
func TestFollowAsTheKernelDoes(t *testing.T) {
	root := t.TempDir()
	dir, err := unix.Open(root, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c", "d", "..", ".", ""}
	any := func() (path string) {
		for range 1 + rng.IntN(5) {
			path += "/" + names[rng.IntN(len(names))]
		}
		return path
	}
	for range 60 {
		name := root + filepath.Clean(any())
		switch rng.IntN(3) {
		case 0:
			_ = os.MkdirAll(name, 0o755)
		case 1:
			_ = os.WriteFile(name, nil, 0o644)
		case 2:
			_ = os.Symlink(any()[rng.IntN(2):], name)
		}
	}
	var m *mounts
	found := 0
	for range 5000 {
		path := any()
		w, err := m.follow(root, path)
		want, failed := inodeBelow(dir, path)
		if err != failed || err == nil && w.Inode != want {
			t.Errorf("%s: inode %d, %v, want %d, %v", path, w.Inode, err, want, failed)
		}
		if err == nil {
			found++
		}
	}
	if found < 100 {
		t.Errorf("only %d paths lead anywhere", found)
	}
}

func openBelow(dir int, path string) (int, error) {
	return unix.Openat2(dir, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
}

func inodeBelow(dir int, path string) (uint64, error) {
	fd, err := openBelow(dir, path)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var s unix.Stat_t
	return s.Ino, errors.Join(unix.Fstat(fd, &s))
}
