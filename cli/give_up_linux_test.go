package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Started as root, what reads files is nobody before it has read a byte, in all threads:
// the input is a pipe to which nothing was written.
func TestReadingGivesUpRights(t *testing.T) {
	t.Parallel()
	const rootUser, nobodyUser, otherUser = "0\t0\t0\t0", "65534\t65534\t65534\t65534", "4711\t4711\t4711\t4711"
	dir, others := t.TempDir(), t.TempDir()
	if err := os.Chown(others, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	noWrite, othersNoWrite := closedDirectory(t, 0, 0o550), closedDirectory(t, 4711, 0o555)
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, test := range []struct {
		args    []string
		uids    string
		kept    []int
		seccomp int
	}{
		{[]string{"-r", "-"}, nobodyUser, nil, filtered},
		{[]string{"-r", in("pipe")}, nobodyUser, nil, filtered},
		{[]string{"-r", "-", "-o", in("log"), "-w", in("saved")}, nobodyUser, nil, filtered},
		{[]string{"-r", "-", "--no-seccomp"}, nobodyUser, nil, 0},
		{[]string{"-r", "-", "--enrich", tool(t, "true")}, nobodyUser, nil, filtered},
		{[]string{"-r", "-", "--enrich", tool(t, "true"), "--enrich-user", "root"}, rootUser, nil, filtered},
		{[]string{"-r", "-", "-o", in("rotated"), "--rotate-size", "1MiB"}, rootUser, []int{unix.CAP_DAC_OVERRIDE}, filtered},
		{[]string{"report", "-"}, nobodyUser, nil, filtered},
		{[]string{"report", in("pipe2")}, nobodyUser, nil, filtered},
		{[]string{"report", "-", "-o", in("report")}, rootUser, nil, filtered},
		{[]string{"report", "-", "-o", filepath.Join(others, "report")}, otherUser, nil, filtered},
		{[]string{"report", "-", "-o", filepath.Join(noWrite, "report")}, rootUser, []int{unix.CAP_DAC_OVERRIDE}, filtered},
		{[]string{"report", "-", "-o", filepath.Join(othersNoWrite, "report")}, rootUser, []int{unix.CAP_DAC_OVERRIDE}, filtered},
		{[]string{"report", "-", "-o", "/dev/null"}, nobodyUser, nil, filtered},
	} {
		t.Run(strings.Join(test.args[:min(len(test.args), 6)], " "), func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"pipe", "pipe2"} {
				_ = syscall.Mkfifo(in(name), 0o600) // it may be there
			}
			c, stdin, _, _ := fed(t, test.args...)
			defer func() {
				_ = c.Process.Kill()
				_ = c.Wait()
				_ = stdin.Close()
			}()
			set := setOf(test.kept)
			want := threadState{effective: set, permitted: set, noNew: true, seccomp: test.seccomp, uids: test.uids}
			eventually(t, fmt.Sprintf("%+v", want), func() bool {
				return !slices.ContainsFunc(threadStates(t, c.Process.Pid), func(s threadState) bool {
					s.groups = strings.TrimPrefix(s.groups, "65534") // nobody may be told to be in its own
					if s.uids != rootUser {                          // who has no use for it
						s.bounding = 0
					}
					return s != want
				})
			})
		})
	}
}

// Files that only root may reach are read, and outputs are written beside them, as ever.
func TestNobodyReadsWhatWasOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // that nobody else may enter
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	inputs := filepath.Join(dir, "inputs")
	if err := os.Mkdir(inputs, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{"b": "boto", "a": "npm-http"} {
		if err := os.Chmod(write(t, inputs, name, readFile(t, captureOf(t, from))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, inputs, "notes", "none\n")
	log, saved, made := filepath.Join(dir, "log"), filepath.Join(dir, "saved"), filepath.Join(dir, "made")
	write(t, dir, "saved", strings.Repeat("longer than what takes its place", 10<<10))
	for _, args := range [][]string{
		{"-r", inputs, "-o", log, "-w", saved, "--format", "json"},
		{"report", "-o", made, log, inputs},
	} {
		want := run(replaced(t, args, dir)...)
		var out, said bytes.Buffer
		c := program(t, args...)
		c.Stdout, c.Stderr = &out, &said
		_ = c.Run()
		if c.ProcessState.ExitCode() != want.status || out.String() != want.out && args[0] == "report" {
			t.Errorf("%q: %s, not %d: %s", args, c.ProcessState, want.status, &said)
		}
	}
	for _, name := range []string{log, saved, made} {
		if got, want := strings.Count(readFile(t, name), "\n"), strings.Count(readFile(t, name+".as-it-was"), "\n"); got != want || want == 0 {
			t.Errorf("%s has %d lines, not %d", name, got, want)
		}
	}
}

// replaced has other names for what is written.
func replaced(t *testing.T, args []string, dir string) (others []string) {
	t.Helper()
	for _, arg := range args {
		if filepath.Dir(arg) == dir && filepath.Base(arg) != "inputs" && filepath.Base(arg) != "log" || arg == filepath.Join(dir, "log") && args[0] == "-r" {
			arg += ".as-it-was"
		}
		others = append(others, arg)
	}
	return others
}

// inheritsNothing has a shell close what it does not need: libpcap opens without O_CLOEXEC, so
// that what this process starts inherits all that its tests capture with just then, of which
// there were 59 descriptors at a time.
const inheritsNothing = `for f in /proc/$$/fd/*; do n=${f##*/}; [ $n -lt 3 ] || eval "exec $n>&-"; done; `

// More files than may be open are read all the same: the limit is raised and, where it
// must not be, it is said what is kept.
func TestMoreFilesThanMayBeOpen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		files        int
		limits, says string
	}{
		{100, "-Sn", ""},
		{10, "-n", "The process stays uid 0, with CAP_DAC_READ_SEARCH: not so many files can be open at once (ulimit -n)"},
	} {
		dir := t.TempDir()
		for i := range test.files {
			write(t, dir, fmt.Sprint("boto", i), readFile(t, captureOf(t, "boto")))
		}
		host := newThread(t, func() error {
			return unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_RESOURCE, 0, 0, 0)
		})
		c := exec.Command(tool(t, "bash"), "-c", inheritsNothing+"ulimit "+test.limits+` 64; exec "$0" -r "$1"`, fmt.Sprintf("/proc/%d/exe", os.Getpid()), dir)
		c.Env = program(t).Env
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := host.start(c); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil || strings.Contains(said.String(), "stays uid 0") != (test.says != "") || !strings.Contains(said.String(), test.says) {
			t.Errorf("%v: %.500s", err, &said)
		}
		if got, want := len(callsOf(t, out.String())), len(truth(t, "boto")); got < want {
			t.Errorf("%d calls of %d", got, want)
		}
	}
}

// closedDirectory is a directory of a user's with a mode.
func closedDirectory(t *testing.T, owner int, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chown(dir, owner, owner), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Root writes a report where it has always written: also where only root's capabilities
// let it, as in a /root that has no w bit, and in another user's directory. The report is
// root's, and takes the place of an earlier one, whosever that is.
func TestRootWritesReportAnywhere(t *testing.T) {
	t.Parallel()
	log := write(t, t.TempDir(), "log", logOf(t, "boto"))
	for _, test := range []struct {
		owner int
		mode  os.FileMode
	}{
		{0, 0o755}, {0, 0o550}, {0, 0o555}, {0, 0o000}, {0, 0o777 | os.ModeSticky},
		{4711, 0o755}, {4711, 0o550}, {4711, 0o555}, {4711, 0o300}, {4711, 0o777 | os.ModeSticky}, {65534, 0o755},
	} {
		dir := closedDirectory(t, test.owner, test.mode)
		name := filepath.Join(dir, "report")
		for _, owner := range []int{test.owner, -1} { // of the earlier one
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if owner >= 0 {
				if err := os.Chown(write(t, dir, "report", "an earlier one"), owner, owner); err != nil {
					t.Fatal(err)
				}
			}
			if said, err := program(t, "report", "-o", name, log).CombinedOutput(); err != nil || len(said) > 0 {
				t.Errorf("%+v: %v: %s", test, err, said)
			}
			checkReportOfRoot(t, name)
		}
	}
}

// checkReportOfRoot makes sure that there is a report, of root, and nothing else.
func checkReportOfRoot(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 || !strings.Contains(readFile(t, name), "IMDSv1") {
		t.Errorf("%s: %+v, %v", name, info, err)
	}
	if beside, err := os.ReadDir(filepath.Dir(name)); err != nil || len(beside) != 1 {
		t.Errorf("there is %v, %v", beside, err)
	}
}

// Where root may not become another user, as in a container, or reads without all files
// open, it reads and writes what it did before, and says what it has kept.
func TestRootThatStaysRoot(t *testing.T) {
	t.Parallel()
	users := []uintptr{unix.CAP_SETUID, unix.CAP_SETGID}
	for _, test := range []struct {
		lacks []uintptr
		limit string
		write bool
		says  string
	}{
		{users, "-Sn", false, "The process stays uid 0, without capabilities: become nobody: operation not permitted; run it as another user, or with CAP_SETUID and CAP_SETGID."},
		{users[:1], "-Sn", false, "The process stays uid 0, without capabilities: become nobody: operation not permitted; run it as another user, or with CAP_SETUID and CAP_SETGID."},
		{users, "-Sn", true, "The process stays uid 0, with CAP_DAC_OVERRIDE: become the user 4711: operation not permitted; run it as another user, or with CAP_SETUID and CAP_SETGID."},
		{[]uintptr{unix.CAP_SYS_RESOURCE}, "-n", false, "The process stays uid 0, with CAP_DAC_READ_SEARCH: not so many files"},
		{[]uintptr{unix.CAP_SYS_RESOURCE}, "-n", true, "The process stays uid 0, with CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: not so many files"},
		{[]uintptr{unix.CAP_SYS_RESOURCE, unix.CAP_DAC_READ_SEARCH}, "-n", false, "The process stays uid 0, with CAP_DAC_OVERRIDE: not so many files"},
	} {
		inputs, others := closedDirectory(t, 4711, 0o700), closedDirectory(t, 4711, 0o755)
		name := filepath.Join(others, "report")
		for i := range 3 {
			if err := os.Chown(write(t, inputs, fmt.Sprint("log", i), logOf(t, "boto")), 4711, 4711); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{"report", inputs}
		if test.write {
			args = append(args, "-o", name)
		}
		host := newThread(t, func() (err error) {
			for _, lacks := range test.lacks {
				err = errors.Join(err, unix.Prctl(unix.PR_CAPBSET_DROP, lacks, 0, 0, 0))
			}
			return err
		})
		c := exec.Command(tool(t, "bash"), append([]string{"-c", inheritsNothing + "ulimit " + test.limit + ` 64; exec "$0" "$@"`, fmt.Sprintf("/proc/%d/exe", os.Getpid())}, args...)...)
		c.Env = program(t).Env
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := host.start(c); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil || strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), test.says) {
			t.Errorf("%+v: %v: %s", test, err, &said)
		}
		if test.write {
			checkReportOfRoot(t, name)
		} else if !strings.Contains(out.String(), "IMDSv1") {
			t.Errorf("%+v: %.300s", test, &out)
		}
	}
}

// The command of --enrich is its user's also where what reads stays root.
func TestCommandStaysItsUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 3 {
		write(t, dir, fmt.Sprint("boto", i), readFile(t, captureOf(t, "boto")))
	}
	const command = `/bin/sh -c printf${IFS}'{"uid":"%s"}'${IFS}$(id${IFS}-u)`
	host := newThread(t, func() error { return unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_RESOURCE, 0, 0, 0) })
	c := exec.Command(tool(t, "bash"), "-c", inheritsNothing+`ulimit -n 64; exec "$0" -r "$1" --enrich "$2"`, fmt.Sprintf("/proc/%d/exe", os.Getpid()), dir, command)
	c.Env = program(t).Env
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := host.start(c); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil || !strings.Contains(out.String(), `"uid":"65534"`) || strings.Contains(out.String(), `"uid":"0"`) {
		t.Errorf("%v: %s%.600s", err, &said, &out)
	}
}

// What is named is read, also if it lies in a directory that is named, too, in any order:
// what a directory holds is read if it is a file, and what is named whatever it is.
func TestNamedInNamedDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sub, pipe := filepath.Join(dir, "sub"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.Mkdir(sub, 0o700), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "boto", readFile(t, captureOf(t, "boto")))
	inner := readFile(t, captureOf(t, "npm-http"))
	write(t, sub, "npm", inner)
	want := len(truth(t, "boto")) + len(truth(t, "npm-http"))
	for _, names := range [][]string{{sub, dir}, {dir, sub}, {dir, pipe}, {pipe, dir}} {
		c := program(t, "-r", names[0], "-r", names[1], "--format", "json")
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		written := make(chan struct{})
		go func() {
			defer close(written)
			if slices.Contains(names, pipe) {
				_ = os.WriteFile(pipe, []byte(inner), 0) // waits for a reader
			}
		}()
		_ = c.Run()
		if unread, err := unix.Open(pipe, unix.O_RDONLY|unix.O_NONBLOCK, 0); err == nil { // lets go who waits still
			_ = unix.Close(unread)
		}
		<-written
		if got := len(callsOf(t, out.String())); got != want {
			t.Errorf("%v: %d calls, not %d: %.300s", names, got, want, &said)
		}
	}
}

// A list of instances in a directory that is read is no input of its own, also by another
// name, which root finds when it may not look any more.
func TestInventoryByAnotherName(t *testing.T) {
	t.Parallel()
	dir, names := closedDirectory(t, 0, 0o700), closedDirectory(t, 0, 0o700)
	write(t, dir, "log", logOf(t, "boto"))
	link := filepath.Join(names, "link")
	for _, name := range []string{"list", ".list"} {
		if err := os.Symlink(write(t, dir, name, "["+web1+"]"), link); err != nil {
			t.Fatal(err)
		}
		said, err := program(t, "report", "--inventory", link, dir).CombinedOutput()
		if err != nil || strings.Contains(string(said), "passed over") {
			t.Errorf("%s: %v: %.300s", name, err, said)
		}
		if err := errors.Join(os.Remove(link), os.Remove(filepath.Join(dir, name))); err != nil {
			t.Fatal(err)
		}
	}
}

// Where no report can be written that is said before anything is read: nothing is ever
// written to the input.
func TestReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	c, _, out, said := fed(t, "report", "-o", "/proc/report", "-")
	stop := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer stop.Stop()
	_, _ = io.ReadAll(out) // ends with it
	if err := c.Wait(); c.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), "cannot write the report: no file can be made in /proc: ") {
		t.Errorf("%v: %s", err, said)
	}
}

// A run that fails leaves nothing beside the report that it has not written.
func TestFailedReportLeavesNothing(t *testing.T) {
	t.Parallel()
	dir, inputs := t.TempDir(), t.TempDir()
	write(t, inputs, "notes", "none\n")
	c := program(t, "report", "-o", filepath.Join(dir, "report"), inputs)
	said, _ := c.CombinedOutput()
	left, err := os.ReadDir(dir)
	if c.ProcessState.ExitCode() != 1 || err != nil || len(left) != 0 {
		t.Errorf("%s, %s: left is %v, %v", c.ProcessState, said, left, err)
	}
}
