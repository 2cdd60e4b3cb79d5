package attribution

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// factsOf reads all there is of a process of the fixture.
func factsOf(t *testing.T, pid int) Process {
	t.Helper()
	f := fixtureSearch(after(time.Minute)).facts
	stat, err := f.proc.stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := f.identity(pid, stat, MaxArgsBytes)
	if !ok {
		t.Fatalf("pid %d is gone", pid)
	}
	p = f.complete(holder{process: p, stat: stat})
	p.Ancestors = newFamily(f).ancestors(stat)
	return p
}

func TestFacts(t *testing.T) {
	init := Ancestor{PID: 1, Name: "systemd", Executable: "/usr/lib/systemd/systemd", Args: []string{"/sbin/init"}}
	shim := Ancestor{
		PID: 250, Name: "containerd-shim-runc-v2", Executable: "/usr/bin/containerd-shim-runc-v2",
		Args: []string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby"},
	}
	app := Ancestor{PID: 300, Name: "app", Executable: "/app", Args: []string{"/app", "serve"}}
	shell := Ancestor{PID: 200, Name: "bash", Executable: "/usr/bin/bash", Args: []string{"-bash"}}
	for _, want := range []Process{
		{
			PID: 100, Name: "agent", Executable: "/opt/agent/bin/agent", Deleted: true,
			Args:             []string{"/opt/agent/bin/agent", "--config", "/etc/agent.conf"},
			WorkingDirectory: "/opt/agent", Start: after(5 * time.Second), User: &User{ID: 0, Name: "root"},
			Cgroup: "/system.slice/agent.service", Ancestors: []Ancestor{init},
		},
		{
			PID: 201, Name: "curl", Executable: "/usr/bin/curl", ExecutableFile: fileAt(unix.AT_FDCWD, "/usr/bin/curl"),
			Args:             []string{"curl", "-s", "http://169.254.169.254/latest/"},
			WorkingDirectory: "/home/ann", Start: after(20 * time.Second), User: &User{ID: 1000, Name: "ann"},
			Cgroup: "/user.slice/user-1000.slice/session-1.scope", Ancestors: []Ancestor{shell, init},
		},
		{
			PID: 301, NamespacePID: 7, Name: "sidecar", Executable: "/sidecar", Args: []string{"/sidecar"},
			WorkingDirectory: "/", Start: after(18100 * time.Millisecond), User: &User{ID: 0, Name: "root"},
			Cgroup: "/docker/0a1b", Ancestors: []Ancestor{app, shim, init},
		},
		{
			PID: 2, Name: "kthreadd", Start: after(10 * time.Millisecond), User: &User{ID: 0, Name: "root"}, Cgroup: "/",
		},
	} {
		if got := factsOf(t, want.PID); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestUserWithoutName(t *testing.T) {
	if u := factsOf(t, 210).User; u == nil || *u != (User{ID: 4242}) {
		t.Errorf("%+v", u)
	}
}

// Two processes that are each other's parents, and a parent that is younger
// than its child, cannot be.
func TestImpossibleAncestors(t *testing.T) {
	if line := factsOf(t, 500).Ancestors; len(line) != 2 {
		t.Errorf("ancestors in a circle: %v", line)
	}
	if p := factsOf(t, 510); len(p.Ancestors) != 0 || p.Name != "a) R (b" {
		t.Errorf("name %q, ancestors %v", p.Name, p.Ancestors)
	}
}

// Facts that are read of another process, or another program, are not taken over.
func TestFactsOfAnotherProcess(t *testing.T) {
	f := newFacts(proc{root: t.TempDir(), boot: bootOfFixture}, "testdata/passwd")
	if err := errors.Join(
		os.Mkdir(f.proc.path(5), 0o700), os.WriteFile(f.proc.path(5, "stat"), []byte(statAs("now", 100, 1000)), 0o600),
		os.WriteFile(f.proc.path(5, "status"), []byte("Uid:\t1000\t1000\t1000\t1000\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		stat  procStat
		taken bool
	}{
		{"the same", procStat{start: 100 * tick, stack: 1000}, true},
		{"its stack may not be known", procStat{start: 100 * tick}, true},
		{"another process", procStat{start: 99 * tick, stack: 1000}, false},
		{"another program", procStat{start: 100 * tick, stack: 1016}, false},
	} {
		h := holder{process: Process{PID: 5, Name: "earlier"}, stat: test.stat}
		if p := f.complete(h); (p.User != nil) != test.taken || !test.taken && !reflect.DeepEqual(p, h.process) {
			t.Errorf("%s: %+v", test.name, p)
		}
	}
}

func TestBound(t *testing.T) {
	const limit = 4 * textHeader
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		args, want []string
		cut        bool
	}{
		{nil, nil, false},
		{[]string{long(limit - 4), "ab"}, []string{long(limit - 4), "ab"}, false},
		{[]string{long(limit - 4), "abc"}, []string{long(limit - 4), "abc"}, true}, // no room for what ends it
		{[]string{long(limit - 4), "abcdef"}, []string{long(limit - 4), "abc"}, true},
		{[]string{long(limit - 1), "a"}, []string{long(limit - 1), ""}, true},
		{[]string{long(limit + 1)}, []string{long(limit)}, true},
		{[]string{long(limit - 29), "curl AQAEAHxT8b_q0ZcK5nYwPm3RfVdLgXoE7sUi"}, []string{long(limit - 29), "curl "}, true}, // 23 characters of a token
		{[]string{long(limit - 30), "/opt/app-1.2/Lib.jar:/opt/Lib/b.jar"}, []string{long(limit - 30), "/opt/app-1.2/Lib.jar:"}, true},
		{[]string{"", "a", "", ""}, []string{"", "a", "", ""}, false},
		{[]string{"", "a", "", "", ""}, []string{"", "a", "", ""}, true},
	} {
		got, cut := bound(slices.Clone(test.args), limit)
		if !slices.Equal(got, test.want) || cut != test.cut {
			t.Errorf("bound(%q) = %q, %v, want %q, %v", test.args, got, cut, test.want, test.cut)
		}
	}
	if got, _ := bound(make([]string, 1000), limit); cap(got) > 8 {
		t.Errorf("room for %d empty arguments is kept in %d bytes", cap(got), limit)
	}
}

func TestUserName(t *testing.T) {
	for id, want := range map[uint32]string{0: "root", 1000: "ann", 7: ""} {
		if got, err := userName("testdata/passwd", id); got != want || err != nil {
			t.Errorf("user %d is %q, %v, want %q", id, got, err, want)
		}
	}
	if _, err := userName("testdata/none", 0); err == nil {
		t.Error("a file that is not there has users")
	}
}
