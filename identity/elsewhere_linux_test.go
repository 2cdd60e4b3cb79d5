package identity

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"imds-analyzer/attribution"
)

const idOfContainer = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// hostWith is a host's root directory with /usr/bin/env, links to it, and nothing else.
func hostWith(t *testing.T) (root string, env attribution.File) {
	t.Helper()
	root = t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/bin/env"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"bin": "/usr/bin", "up": "../../../../usr"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	f, ok := (*mounts)(nil).lookAt(filepath.Join(root, "usr/bin/env"))
	if !ok {
		t.Fatal("the file is not there")
	}
	return root, f.File
}

// Only what is known to be another file is told to be: not what was not looked at, nor
// what can have been the host's when the process started.
func TestElsewhere(t *testing.T) {
	root, env := hostWith(t)
	other := func(p *attribution.Process) { p.ExecutableFile.Inode++ }
	at := func(path string) func(*attribution.Process) {
		return func(p *attribution.Process) { p.Executable = path }
	}
	before := func(p *attribution.Process) { p.Start = time.Now().Add(-time.Hour) }
	type edits = []func(*attribution.Process)
	for _, tt := range []struct {
		name  string
		edits edits
		want  bool
	}{
		{"the host's", nil, false},
		{"by links of the host", edits{at("/bin/env")}, false},
		{"by links that lead up", edits{at("/up/bin/env")}, false},
		{"written to since", edits{func(p *attribution.Process) { p.ExecutableFile.Modified = time.Unix(1, 0) }}, false},
		{"another inode", edits{other}, true},
		{"another device", edits{func(p *attribution.Process) { p.ExecutableFile.Device++ }}, true},
		{"another, with our mounts", edits{other, func(p *attribution.Process) { p.HostRoot = true }}, true},
		{"another, removed", edits{other, func(p *attribution.Process) { p.Deleted = true }}, true},
		{"the host has none", edits{at("/usr/bin/other")}, true},
		{"nor its directory", edits{at("/snap/x/bin/env")}, true},
		{"nor can have", edits{at("/usr/bin/env/env")}, true},
		{"replaced since, or before", edits{other, before}, false},
		{"removed since, or before", edits{at("/usr/bin/other"), before}, false},
		{"started at a time that is not known", edits{other, func(p *attribution.Process) { p.Start = time.Time{} }}, false},
		{"not looked at", edits{func(p *attribution.Process) { p.ExecutableFile = nil }}, false},
		{"not known", edits{other, at("")}, false},
		{"no path", edits{other, at("env")}, false},
		{"a name that is too long", edits{other, at("/" + string(make([]byte, 5000)))}, false},
		{"in a container", edits{other, func(p *attribution.Process) { p.Cgroup = "/docker/" + idOfContainer }}, false},
		{"in a unit", edits{other, func(p *attribution.Process) { p.Cgroup = "/system.slice/web.service" }}, true},
	} {
		file := env
		p := &attribution.Process{Executable: "/usr/bin/env", ExecutableFile: &file, Start: time.Now().Add(time.Hour)}
		for _, edit := range tt.edits {
			edit(p)
		}
		i := &Identifier{host: root, runtimes: newRuntimes(Options{Root: root})}
		if got := i.Identify(p).Elsewhere; got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// Without a host to look at nothing is known.
func TestElsewhereWithoutHost(t *testing.T) {
	_, env := hostWith(t)
	p := &attribution.Process{Executable: "/usr/bin/other", ExecutableFile: &env, Start: time.Now().Add(time.Hour)}
	for _, host := range []string{"", "/proc/0/root", filepath.Join(t.TempDir(), "none")} {
		i := &Identifier{host: host}
		if i.isElsewhere(p) {
			t.Errorf("%q", host)
		}
	}
}

// What this process runs is the host's, as far as is known. What has the name of another
// file of the host is not.
func TestElsewhereOnThisHost(t *testing.T) {
	own, ok := (*mounts)(nil).lookAt("/bin/sh")
	if !ok {
		t.Fatal("there is no shell")
	}
	p := &attribution.Process{Executable: own.path, ExecutableFile: &own.File, Start: time.Now()}
	i := New(Options{NoPackages: true})
	if i.Identify(p).Elsewhere {
		t.Error("the shell is not the host's")
	}
	other := *p
	if other.Executable = "/etc/passwd"; !i.Identify(&other).Elsewhere {
		t.Error("the shell is /etc/passwd")
	}
}

func TestHostRoot(t *testing.T) {
	there := t.TempDir()
	if got := hostRoot(there); got != there {
		t.Errorf("%s is there, and the host's is %s", there, got)
	}
	if got := hostRoot(there + "/none"); got != "/" {
		t.Errorf("the host's is %s", got)
	}
}
