package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// softwareEntry is what an entry says of the caller's software.
type softwareEntry struct {
	Package softwarePackage
	Process struct{ Executable string }
	IMDS    struct {
		Deleted bool `json:"executable_deleted"`
		Script  struct {
			Kind, Name, Path string
			Package          softwarePackage
		}
	}
}

type softwarePackage struct{ Name, Version, Type string }

func softwareOf(t *testing.T, log string) (entries []softwareEntry) {
	t.Helper()
	lines := slices.Collect(strings.Lines(log))
	for i := range callsOf(t, log) {
		var e softwareEntry
		if err := json.Unmarshal([]byte(lines[1+i]), &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// packageOf asks the package manager of this machine.
func packageOf(t *testing.T, path string) softwarePackage {
	t.Helper()
	ask := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			t.Fatalf("%s %q: %v", name, args, err)
		}
		return strings.TrimSpace(string(out))
	}
	if _, err := os.Stat("/var/lib/dpkg/status"); err == nil {
		owner, _, _ := strings.Cut(ask("dpkg-query", "--search", path), ":")
		return softwarePackage{owner, ask("dpkg-query", "--show", "--showformat", "${Version}", owner), "deb"}
	}
	return softwarePackage{ask("rpm", "-q", "--qf", "%{NAME}", "-f", path), ask("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", "-f", path), "rpm"}
}

// executableOf is where a tool is, without links.
func executableOf(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(tool(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// callOnce runs a command that calls the service until it ends.
func callOnce(t *testing.T, n *namespace, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = plainEnvironment(), dir
	if err := n.start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// asUser has the program start as root, or as another user with the capabilities
// that docs/privileges.md gives to it.
func asUser(cmd *exec.Cmd, user uint32) *exec.Cmd {
	cmd.Dir = "/"
	if user != 0 {
		capabilities := []uintptr{unix.CAP_NET_RAW, unix.CAP_PERFMON, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_SYS_NICE}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}, AmbientCaps: capabilities}
	}
	return cmd
}

const anyURL = "http://169.254.169.254/latest/meta-data/hostname"

const pythonScript = `import urllib.request
urllib.request.urlopen('` + anyURL + `').read()
`

func TestLiveSoftware(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		flags    []string
		user     uint32
		packages bool
	}{
		{"root", nil, 0, true},
		{"nobody", nil, nobody, true},
		{"no packages", []string{"--no-packages"}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.service.follow(rules{delay: lifeTime})
			dir := t.TempDir()
			script := filepath.Join(dir, "sync.py")
			if err := os.WriteFile(script, []byte(pythonScript), 0o600); err != nil {
				t.Fatal(err)
			}
			p := launch(t, s.host, asUser(liveCommand(append([]string{"--own-namespace"}, test.flags...)...), test.user))
			p.awaitStart(t)
			callOnce(t, s.host, "/", tool(t, "curl"), "-s", "-o", "/dev/null", anyURL)
			callOnce(t, s.host, dir, pythonPath(t), script)
			entries := softwareOf(t, p.stop(t, os.Interrupt))
			if len(entries) != 2 {
				t.Fatalf("%d entries", len(entries))
			}
			var want softwarePackage
			if test.packages {
				want = packageOf(t, executableOf(t, "curl"))
			}
			if got := entries[0].Package; got != want {
				t.Errorf("package %+v, not %+v", got, want)
			}
			if got := entries[1].IMDS.Script; got.Kind != "file" || got.Name != script || got.Path != script || got.Package.Name != "" {
				t.Errorf("script %+v", got)
			}
			for _, complaint := range p.complaints() {
				if strings.Contains(complaint, "packages") {
					t.Error(complaint)
				}
			}
		})
	}
}

// mounted makes a thread on the site's host with mounts of its own.
func mounted(t *testing.T, s *site, mounts func() error) *namespace {
	t.Helper()
	return newThread(t, func() error {
		if err := enterNetwork(s.host.path); err != nil {
			return err
		}
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		return mounts()
	})
}

// owned is a file that the package of curl owns, wherever there is one. Any such
// file will do for an executable.
func owned(t *testing.T) string {
	t.Helper()
	list := []string{"rpm", "-ql", "curl"}
	if _, err := os.Stat("/var/lib/dpkg/status"); err == nil {
		list = []string{"dpkg-query", "--listfiles", "curl"}
	}
	out, err := exec.Command(list[0], list[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		info, err := os.Stat(name)
		if err == nil && info.Mode().IsRegular() && strings.HasPrefix(name, "/usr/share/") && strings.HasSuffix(filepath.Dir(name), "/curl") {
			return name
		}
	}
	t.Fatalf("curl has no file in a directory of its own: %s", out)
	return ""
}

// over mounts a file system with this one file where it is.
func over(name string, content []byte) func() error {
	return func() error {
		if err := unix.Mount("none", filepath.Dir(name), "tmpfs", 0, "mode=0755"); err != nil {
			return err
		}
		return os.WriteFile(name, content, 0o700)
	}
}

// A file that has the path of a package's file elsewhere, as in a container, is
// not the package's.
func TestLiveOtherFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime})
	name := owned(t)
	binary, err := os.ReadFile(executableOf(t, "curl"))
	if err != nil {
		t.Fatal(err)
	}
	p := s.host.watch(t)
	callOnce(t, mounted(t, s, over(name, binary)), "/", name, "-s", "-o", "/dev/null", anyURL)
	entries := softwareOf(t, p.stop(t, os.Interrupt))
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	if e := entries[0]; e.Process.Executable != name || e.Package.Name != "" {
		t.Errorf("%+v", e)
	}
}

// A program that was updated while it runs is not of the version that is there
// now.
func TestLiveReplacedExecutable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime})
	name := owned(t)
	want := packageOf(t, name)
	want.Version = ""
	binary, err := os.ReadFile(executableOf(t, "curl"))
	if err != nil {
		t.Fatal(err)
	}
	n := mounted(t, s, over(name, binary))
	p := n.watch(t)
	cmd := exec.Command(name, "-s", "-o", "/dev/null", "-K", "-") // waits for its input
	cmd.Env = plainEnvironment()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.start(cmd); err != nil {
		t.Fatal(err)
	}
	err = n.do(func() error {
		if err := os.WriteFile(name+".new", binary, 0o700); err != nil {
			return err
		}
		return os.Rename(name+".new", name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(stdin, "url = "+anyURL+"\n"); err != nil {
		t.Fatal(err)
	}
	_ = stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	entries := softwareOf(t, p.stop(t, os.Interrupt))
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	if e := entries[0]; !e.IMDS.Deleted || e.Process.Executable != name || e.Package != want {
		t.Errorf("%+v, not %+v", e, want)
	}
}

// witness writes down what a tool is started with, and answers nothing.
const witness = `#!/bin/sh
{
	grep -E '^(Cap|NoNewPrivs|Uid)' /proc/$$/status
	echo "nice: $(cut -d' ' -f19 /proc/$$/stat)"
	cat /proc/$$/autogroup
	ls -l /proc/$$/fd
	env
	echo end
} >'%s'
exit 1
`

// The package manager's tools are started with nothing of what the capture has:
// no privileges, files, priority or environment.
func TestLiveToolsHaveNothing(t *testing.T) {
	t.Parallel()
	for _, user := range []uint32{0, nobody} {
		t.Run(fmt.Sprintf("user %d", user), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.service.follow(rules{delay: lifeTime})
			n, seen := withWitness(t, s)
			cmd := asUser(liveCommand("--own-namespace", "-w", "/dev/null"), user)
			cmd.Env = append(cmd.Env, "SECRET="+standInSecret)
			p := launch(t, n, cmd)
			p.awaitStart(t)
			callOnce(t, n, "/", tool(t, "curl"), "-s", "-o", "/dev/null", anyURL)
			p.stop(t, os.Interrupt)
			state, err := os.ReadFile(seen)
			if err != nil {
				t.Fatal(err)
			}
			checkHasNothing(t, string(state), user)
		})
	}
}

// withWitness makes a thread on the site's host where the tool of the package
// manager is the witness, which writes to the file seen.
func withWitness(t *testing.T, s *site) (n *namespace, seen string) {
	t.Helper()
	dir := t.TempDir()
	for _, open := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(open, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	script, seen := filepath.Join(dir, "tool"), filepath.Join(dir, "seen")
	if err := os.WriteFile(script, fmt.Appendf(nil, witness, seen), 0o755); err != nil {
		t.Fatal(err)
	}
	n = mounted(t, s, func() error {
		for _, name := range []string{"/usr/bin/dpkg-query", "/usr/bin/rpm"} {
			if _, err := os.Stat(name); err != nil {
				continue
			}
			if err := unix.Mount(script, name, "", unix.MS_BIND, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return n, seen
}

func checkHasNothing(t *testing.T, state string, user uint32) {
	t.Helper()
	const none = "0000000000000000"
	for _, want := range []string{
		"CapInh:\t" + none, "CapPrm:\t" + none, "CapEff:\t" + none, "CapAmb:\t" + none, "NoNewPrivs:\t1", "nice: 0",
		fmt.Sprintf("Uid:\t%d\t", user), "LC_ALL=C", "\nend\n",
	} {
		if !strings.Contains(state, want) {
			t.Errorf("there is no %q in\n%s", want, state)
		}
	}
	for _, not := range []string{"socket:", "anon_inode", "event", "SECRET", "nice -20"} {
		if strings.Contains(state, not) {
			t.Errorf("there is %q in\n%s", not, state)
		}
	}
}
