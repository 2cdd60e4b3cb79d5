package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imds-analyzer/attribution"
)

// fakeTool is a tool that runs this script of sh(1). It counts how often.
type fakeTool struct{ path, asked string }

func newFakeTool(t *testing.T, script string) fakeTool {
	t.Helper()
	dir := t.TempDir()
	f := fakeTool{filepath.Join(dir, "tool"), filepath.Join(dir, "asked")}
	writeTool(t, f.asked, "")
	writeTool(t, f.path, "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'"+f.asked+"'\n"+script+"\n")
	return f
}

// questions are the arguments that it was run with.
func (f *fakeTool) questions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(f.asked)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[:bytes.Count(text, []byte("\n"))]
}

// writeTool writes a program, in a child: a program that is still open for writing, if
// only in a process that we have just forked, cannot be run (ETXTBSY, execve(2)).
func writeTool(t *testing.T, path, text string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", `cat >"$0" && chmod 0755 "$0"`, path)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// processOf is a process of the host that runs the file.
func processOf(t *testing.T, path string) *attribution.Process {
	t.Helper()
	f, ok := (*mounts)(nil).lookAt(path)
	if !ok {
		t.Fatalf("there is no %s", path)
	}
	return &attribution.Process{Executable: f.path, ExecutableFile: &f.File, HostRoot: true, Start: time.Now()}
}

// program makes a file that is no interpreter.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app")
	writeTool(t, path, "x")
	return path
}

// byDpkg asks this tool as dpkg-query.
func byDpkg(f fakeTool) *Identifier {
	return &Identifier{packages: newPackages(nil, &dpkg{tool{path: f.path}})}
}

func byRPM(f fakeTool) *Identifier {
	return &Identifier{packages: newPackages(nil, &rpm{tool{path: f.path}})}
}

// ownedBy answers as dpkg-query does if app-bin has all files.
const ownedBy = `case $1 in
--search) echo "app-bin:amd64: $2" ;;
--show) printf 'installed\t1.2-3\n' ;;
esac`

var appBin = Package{"app-bin", "1.2-3", "deb"}

func TestPackage(t *testing.T) {
	path := program(t)
	f := newFakeTool(t, ownedBy)
	i := byDpkg(f)
	for range 3 {
		if got := i.Identify(processOf(t, path)).Package; got != appBin {
			t.Fatalf("%+v", got)
		}
	}
	want := []string{"--search " + path, `--show --showformat ${db:Status-Status}\t${Version}\n app-bin:amd64`}
	if got := f.questions(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it was asked %q, not %q", got, want)
	}
	if limits := i.Limits(); len(limits) != 0 {
		t.Errorf("%q", limits)
	}
}

// Only what is known to be the host's file is looked up: the package manager
// would answer for the file that it knows by that name.
func TestPackageOfOtherFiles(t *testing.T) {
	for name, edit := range map[string]func(*attribution.Process){
		"not looked at":               func(p *attribution.Process) { p.ExecutableFile = nil },
		"another device, a container": func(p *attribution.Process) { p.ExecutableFile.Device++ },
		"another inode, replaced":     func(p *attribution.Process) { p.ExecutableFile.Inode++ },
		"written to since":            func(p *attribution.Process) { p.ExecutableFile.Modified = time.Unix(1, 0) },
		"not found here":              func(p *attribution.Process) { p.Executable += ".x" },
		"a directory":                 func(p *attribution.Process) { p.Executable = filepath.Dir(p.Executable) },
		"not known":                   func(p *attribution.Process) { p.Executable = "" },
		"deleted in a container":      func(p *attribution.Process) { p.Deleted, p.HostRoot = true, false },
		"deleted on another device":   func(p *attribution.Process) { p.Deleted = true; p.ExecutableFile.Device++ },
	} {
		f := newFakeTool(t, ownedBy)
		p := processOf(t, program(t))
		edit(p)
		if got := byDpkg(f).Identify(p).Package; got != (Package{}) || len(f.questions(t)) > 0 {
			t.Errorf("%s: %+v, asked %q", name, got, f.questions(t))
		}
	}
}

// A container can have the host's file, at the same path.
func TestPackageOfHostFileInContainer(t *testing.T) {
	p := processOf(t, program(t))
	p.HostRoot = false
	if got := byDpkg(newFakeTool(t, ownedBy)).Identify(p).Package; got != appBin {
		t.Errorf("%+v", got)
	}
}

func TestPackageOfReplaced(t *testing.T) {
	path := program(t)
	p := processOf(t, path)
	p.Deleted = true
	writeTool(t, path+".new", "y")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if got := byDpkg(newFakeTool(t, ownedBy)).Identify(p).Package; got != (Package{Name: "app-bin", Type: "deb"}) {
		t.Errorf("%+v", got)
	}
}

func TestPackageOfScript(t *testing.T) {
	dir := t.TempDir()
	python, script := filepath.Join(dir, "python3"), filepath.Join(dir, "sync.py")
	writeTool(t, python, "x")
	writeTool(t, script, "x")
	withoutVersion := Package{Name: "app-bin", Type: "deb"}
	for _, tt := range []struct {
		name string
		edit func(*attribution.Process)
		path string
		want Package
	}{
		{"host", func(*attribution.Process) {}, script, appBin},
		{"named in a directory that may not be the one now", func(p *attribution.Process) { p.Args[1], p.WorkingDirectory = "sync.py", dir }, "", Package{}},
		{"changed since the start", func(p *attribution.Process) { p.Start = time.Unix(1, 0) }, script, withoutVersion},
		{"start not known", func(p *attribution.Process) { p.Start = time.Time{} }, script, withoutVersion},
		{"container", func(p *attribution.Process) { p.HostRoot = false }, script, Package{}},
		{"executable of a container", func(p *attribution.Process) { p.ExecutableFile.Inode++ }, script, Package{}},
		{"executable deleted", func(p *attribution.Process) { p.Deleted = true }, script, Package{}},
	} {
		p := processOf(t, python)
		p.Args, p.Start = []string{"python3", script}, time.Now().Add(time.Hour)
		tt.edit(p)
		got := byDpkg(newFakeTool(t, ownedBy)).Identify(p).Script
		if got.Kind != ScriptFile || got.Path != tt.path || got.Package != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// So is that of the script that has started the process.
func TestPackageOfCaller(t *testing.T) {
	dir := t.TempDir()
	curl, script := filepath.Join(dir, "curl"), filepath.Join(dir, "boot.sh")
	writeTool(t, curl, "x")
	writeTool(t, script, "x")
	for _, tt := range []struct {
		name     string
		hostRoot bool
		want     Package
	}{{"host", true, appBin}, {"container", false, Package{}}} {
		p := processOf(t, curl)
		p.Start, p.HostRoot = time.Now().Add(time.Hour), tt.hostRoot
		p.Ancestors = []attribution.Ancestor{{PID: 1, Executable: "/usr/bin/bash", Args: []string{"bash", script}}}
		got := byDpkg(newFakeTool(t, ownedBy)).Identify(p).Software
		if got.Caller.Path != script || got.Generation != 1 || got.Caller.Package != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// What a tool does wrong is counted and said, and nothing is guessed.
func TestToolFailures(t *testing.T) {
	const text = "tool failed for 1 of the files (%s): packages or versions are left out of the log."
	showing := func(show string) string { return strings.Replace(ownedBy, "printf", show+"; : printf", 1) }
	nameOnly := Package{Name: "app-bin", Type: "deb"}
	tests := []struct {
		name, dpkg string
		want       Package
		why        string
	}{
		{"nobody's", "exit 1", Package{}, ""},
		{"damaged database", "exit 2", Package{}, "exit status 2"},
		{"killed", "kill -9 $$", Package{}, "signal: killed"},
		{"garbage", `echo "Some Words: $2"`, Package{}, "dpkg-query wrote what it never should"},
		{"other garbage", `echo garbage`, Package{}, ""},
		{"too much", "while echo 0123456789; do :; done", Package{}, "it wrote too much"},
		{"no version", showing("exit 1"), nameOnly, "exit status 1"},
		{"version that is none", showing("echo x"), nameOnly, "dpkg-query wrote what it never should"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := byDpkg(newFakeTool(t, tt.dpkg))
			if got := i.Identify(processOf(t, program(t))).Package; got != tt.want {
				t.Errorf("%+v", got)
			}
			want := ""
			if tt.why != "" {
				want = fmt.Sprintf(text, tt.why)
			}
			if got := strings.Join(i.Limits(), " "); got != want {
				t.Errorf("%q, not %q", got, want)
			}
		})
	}
}

func TestRPM(t *testing.T) {
	path := program(t)
	for _, tt := range []struct {
		script string
		want   Package
		limits int
	}{
		{`printf 'app\t2:1.0-1\n'`, Package{"app", "2:1.0-1", "rpm"}, 0},
		{`echo "file $5 is not owned by any package"; exit 1`, Package{}, 0},
		{`echo "error: cannot open its database" >&2; echo "file $5 is not owned by any package"; exit 1`, Package{}, 1},
		{`echo "error: rpmdb open failed"; exit 1`, Package{}, 1},
		{`echo garbage`, Package{}, 1},
	} {
		f := newFakeTool(t, tt.script)
		i := byRPM(f)
		if got := i.Identify(processOf(t, path)).Package; got != tt.want || len(i.Limits()) != tt.limits {
			t.Errorf("%s: %+v, %q", tt.script, got, i.Limits())
		}
		if got, want := f.questions(t), []string{"-q --queryformat " + rpmFormat + " -f " + path}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q", got)
		}
	}
}

// What one package manager does not know, the next is asked.
func TestTwoManagers(t *testing.T) {
	for _, first := range []string{"exit 1", "exit 2"} {
		d, r := newFakeTool(t, first), newFakeTool(t, `printf 'app\t1-1\n'`)
		i := &Identifier{packages: newPackages(nil, &dpkg{tool{path: d.path}}, &rpm{tool{path: r.path}})}
		if got := i.Identify(processOf(t, program(t))).Package; got != (Package{"app", "1-1", "rpm"}) {
			t.Errorf("%s: %+v", first, got)
		}
	}
}

// A path that could be taken for something else is not asked for.
func TestStrangePaths(t *testing.T) {
	dir := t.TempDir()
	for name, asked := range map[string]int{"%(id)": 0, "a\nb": 0, "a b: c": 2, "it's *?[x]": 2} {
		path := filepath.Join(dir, name)
		writeTool(t, path, "x")
		f := newFakeTool(t, `case $1 in --search) echo "app-bin: `+strings.ReplaceAll(path, "\n", " ")+`" ;; *) printf 'installed\t1\n' ;; esac`)
		byDpkg(f).Identify(processOf(t, path))
		if got := f.questions(t); len(got) != asked {
			t.Errorf("%q: asked %q", name, got)
		}
	}
}

// A tool that does not answer is killed with all that it has started, and is not
// asked for a while in the end.
func TestTimeouts(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := os.OpenFile(fifo, os.O_RDWR, 0) // so that nobody waits to open it
	if err != nil {
		t.Fatal(err)
	}
	// Both it and its child hold the FIFO, and wait for words that do not come.
	f := newFakeTool(t, fmt.Sprintf("exec 3<>'%s'\nsh -c 'read -r _ <&3' & read -r _ <&3", fifo))
	i := byDpkg(f)
	i.packages.patience = 20 * time.Millisecond
	for range maxTimeouts + 2 {
		if got := i.Identify(processOf(t, program(t))).Package; got != (Package{}) {
			t.Errorf("%+v", got)
		}
	}
	const want = "tool failed for 3 of the files (it took too long), and was not asked for 2 others then: packages or versions are left out of the log."
	if got := strings.Join(i.Limits(), " "); got != want {
		t.Errorf("%q, not %q", got, want)
	}
	// With our own end closed, there is an end only if nobody else holds it.
	reader, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	_ = alive.Close()
	_ = reader.SetReadDeadline(time.Now().Add(30 * time.Second))
	if n, err := reader.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("something is left of the tool: %d, %v", n, err)
	}
}

// A tool that took too long is asked again after a while, also for the files that it was
// not asked for then.
func TestAskedAgainAfterTimeouts(t *testing.T) {
	f := newFakeTool(t, ownedBy)
	d := &dpkg{tool{path: f.path}}
	i := &Identifier{packages: newPackages(nil, d)}
	p := processOf(t, program(t))
	for range maxTimeouts {
		d.note(errTimeout)
	}
	for range 2 {
		if got := i.Identify(p).Package; got != (Package{}) || len(f.questions(t)) > 0 || d.notAsked != 1 {
			t.Fatalf("%+v, asked %q, not asked %d", got, f.questions(t), d.notAsked)
		}
	}
	d.timedOut = d.timedOut.Add(-askAgain)
	if got := i.Identify(processOf(t, program(t))).Package; got != appBin {
		t.Errorf("another file: %+v", got)
	}
	if got := i.Identify(p).Package; got != (Package{}) {
		t.Errorf("asked again at once: %+v", got)
	}
	for _, q := range i.packages.owners {
		q.asked = q.asked.Add(-askAgain)
	}
	if got := i.Identify(p).Package; got != appBin || len(f.questions(t)) != 4 {
		t.Errorf("%+v, asked %q", got, f.questions(t))
	}
	d.note(errTimeout) // one more does not end it
	if d.isGivenUp() {
		t.Error("it was given up after one")
	}
}

// One that never answers is asked once in a while.
func TestGivenUpAgain(t *testing.T) {
	d := &tool{path: "x"}
	for range maxTimeouts {
		d.note(errTimeout)
	}
	d.timedOut = d.timedOut.Add(-askAgain)
	if d.isGivenUp() {
		t.Error("it is not asked again")
	}
	if d.note(errTimeout); !d.isGivenUp() {
		t.Error("it is asked at once")
	}
}

// Those that answer in between keep it going.
func TestTimeoutsInARow(t *testing.T) {
	d := &tool{path: "x"}
	for _, err := range []error{errTimeout, errTimeout, nil, errTimeout, errTimeout, errTooMuch, errTimeout} {
		d.note(err)
	}
	if d.isGivenUp() || d.failed != 6 {
		t.Errorf("%d failed", d.failed)
	}
}

// Who asks while the tool runs waits for its answer.
func TestAskedOnce(t *testing.T) {
	f := newFakeTool(t, ownedBy)
	i, p := byDpkg(f), processOf(t, program(t))
	var askers sync.WaitGroup
	for range 16 {
		askers.Go(func() {
			if got := i.Identify(p).Package; got != appBin {
				t.Errorf("%+v", got)
			}
		})
	}
	askers.Wait()
	if got := f.questions(t); len(got) != 2 {
		t.Errorf("it was asked %q", got)
	}
}

func TestOwnersAreBounded(t *testing.T) {
	p := newPackages(nil, &nobodys{})
	for n := range 3 * maxOwners {
		p.owner(hostFile{path: fmt.Sprint("/", n)})
	}
	if len(p.owners) != maxOwners {
		t.Errorf("%d files", len(p.owners))
	}
}

// nobodys is a package manager without packages.
type nobodys struct{}

func (nobodys) owner(context.Context, string) (Package, bool) { return Package{}, true }
func (nobodys) limits() []string                              { return nil }

// A package manager is one if there is a tool, and a database.
func TestManagersOf(t *testing.T) {
	for _, tt := range []struct {
		files string
		want  string
	}{
		{"", ""},
		{"usr/bin/dpkg-query", ""},
		{"var/lib/dpkg/status", ""},
		{"usr/bin/dpkg-query var/lib/dpkg/status usr/bin/rpm", "usr/bin/dpkg-query"},
		{"usr/local/bin/rpm var/lib/rpm/Packages", ""},
		{"bin/rpm var/lib/rpm/Packages", "bin/rpm"},
		{"usr/bin/rpm usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/bin/rpm"},
		{"usr/bin/rpm usr/lib/sysimage/rpm/Packages.db usr/bin/dpkg-query var/lib/dpkg/status", "usr/bin/dpkg-query usr/bin/rpm"},
	} {
		root := t.TempDir()
		for file := range strings.FieldsSeq(tt.files) {
			if err := os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o700); err != nil {
				t.Fatal(err)
			}
			writeTool(t, filepath.Join(root, file), "")
		}
		var got []string
		for _, m := range managersOf(root) {
			switch m := m.(type) {
			case *dpkg:
				got = append(got, m.path)
			case *rpm:
				got = append(got, m.path)
			}
		}
		if want := strings.Fields(tt.want); strings.ReplaceAll(strings.Join(got, " "), root+"/", "") != strings.Join(want, " ") {
			t.Errorf("%q: %q, not %q", tt.files, got, want)
		}
	}
}

// What the package manager of this machine says of a file of its own, and of
// one that is nobody's.
func TestRealPackage(t *testing.T) {
	managers := managersOf("/")
	if len(managers) == 0 {
		t.Fatal("no package manager: the tests need a Linux with dpkg or rpm")
	}
	name := "/usr/bin/rpm"
	if m, ok := managers[0].(*dpkg); ok {
		name = m.path
	}
	i := New(Options{})
	got := i.Identify(processOf(t, name)).Package
	if (got.Type != "deb" || got.Name != "dpkg") && (got.Type != "rpm" || got.Name != "rpm") || got.Version == "" {
		t.Errorf("%s: %+v", name, got)
	}
	if got := i.Identify(processOf(t, program(t))).Package; got != (Package{}) {
		t.Errorf("%+v", got)
	}
	// Where /bin is a link, the package may have it there.
	if got := i.Identify(processOf(t, "/bin/sh")).Package; got.Name == "" {
		t.Errorf("/bin/sh: %+v", got)
	}
	if got := New(Options{NoPackages: true}).Identify(processOf(t, name)).Package; got != (Package{}) {
		t.Errorf("%+v", got)
	}
	if limits := i.Limits(); len(limits) != 0 {
		t.Errorf("%q", limits)
	}
}

// BenchmarkIdentify is of an executable that is known, of each call of its own process, and
// of further ones of the same.
func BenchmarkIdentify(b *testing.B) {
	f, ok := (*mounts)(nil).lookAt("/bin/sh")
	if !ok {
		b.Fatal("no /bin/sh")
	}
	i := New(Options{})
	p := &attribution.Process{Executable: f.path, ExecutableFile: &f.File, HostRoot: true, Args: []string{"sh", "-c", "x"}}
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			i.identify(p)
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			i.Identify(p)
		}
	})
}

// BenchmarkAsk is of one that is not.
func BenchmarkAsk(b *testing.B) {
	f, ok := (*mounts)(nil).lookAt("/bin/sh")
	if !ok {
		b.Fatal("no /bin/sh")
	}
	for b.Loop() {
		New(Options{}).packages.owner(f)
	}
}
