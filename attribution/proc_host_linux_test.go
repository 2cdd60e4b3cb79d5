package attribution

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// Paths mean the same to a process with our root and our mounts alone.
func TestHostRoot(t *testing.T) {
	mounts, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name       string
		namespaces uintptr
		mounts     []string
		want       bool
	}{
		{"as we are", 0, []string{mounts}, true},
		{"mounts of its own", unix.CLONE_NEWNS, []string{mounts}, false},
		{"ours are not known", 0, nil, false},
		{"as the first process is", 0, []string{"mnt:[1]", mounts}, true},
	} {
		c := startChildWith(t, namespaces(test.namespaces), "wait")
		p := proc{root: "/proc", boot: bootTime, mounts: test.mounts}
		if r := p.readAtOnce(c.Process.Pid); r == nil || r.process.HostRoot != test.want {
			t.Errorf("%s: %+v", test.name, r)
		}
		if got := p.isHostRoot(unix.AT_FDCWD, p.path(c.Process.Pid)+"/"); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// A service has mounts of its own, and the host's root; a container has another root.
func TestOurMounts(t *testing.T) {
	for _, test := range []struct {
		name, first, root string
		want              []string
	}{
		{"a service", "mnt:[2]", "/", []string{"mnt:[1]", "mnt:[2]"}},
		{"a container", "mnt:[2]", "/usr", []string{"mnt:[1]"}},
		{"the first process cannot be looked at", "", "", []string{"mnt:[1]"}},
	} {
		p := proc{root: t.TempDir()}
		links := map[string]string{"self/root": "/", "self/ns/mnt": "mnt:[1]", "1/root": test.root, "1/ns/mnt": test.first}
		for name, to := range links {
			name = filepath.Join(p.root, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(to, name); to != "" && err != nil {
				t.Fatal(err)
			}
		}
		if got := p.ourMounts(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// A file can be called as if it were removed.
func TestExecutableDeleted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "curl (deleted)")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := fileAt(unix.AT_FDCWD, name)
	for _, test := range []struct {
		link, want string
		file       *File
		deleted    bool
	}{
		{name, name, file, false},
		{name, name[:len(name)-len(" (deleted)")], &File{Inode: 1}, true},
		{"/x/curl (deleted)", "/x/curl", file, true},
		{"/x/curl (deleted)", "/x/curl", nil, true},
		{"/x/curl", "/x/curl", file, false},
		{"", "", nil, false},
	} {
		var p Process
		p.setExecutable(test.link, test.file)
		if p.Executable != test.want || p.Deleted != test.deleted || p.ExecutableFile != test.file {
			t.Errorf("%q: %+v", test.link, p)
		}
	}
}
