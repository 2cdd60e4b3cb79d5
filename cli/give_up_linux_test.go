package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

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
			want := threadState{effective: set, permitted: set, bounding: set, noNew: true, seccomp: test.seccomp, uids: test.uids}
			eventually(t, fmt.Sprintf("%+v", want), func() bool {
				return !slices.ContainsFunc(threadStates(t, c.Process.Pid), func(s threadState) bool {
					s.groups = strings.TrimPrefix(s.groups, "65534") // nobody may be told to be in its own
					if s.uids != rootUser {                          // who has no use for it
						s.bounding = set
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

// More files than may be open are read all the same: the limit is raised and, where it
// must not be, it is said what is kept.
func TestMoreFilesThanMayBeOpen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		files        int
		limits, says string
	}{
		{100, "-Sn", ""},
		{10, "-n", "The rights of root to read files are kept"},
	} {
		dir := t.TempDir()
		for i := range test.files {
			write(t, dir, fmt.Sprint("boto", i), readFile(t, captureOf(t, "boto")))
		}
		host := newThread(t, func() error {
			return unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_RESOURCE, 0, 0, 0)
		})
		c := exec.Command(tool(t, "bash"), "-c", "ulimit "+test.limits+` 64; exec "$0" -r "$1"`, fmt.Sprintf("/proc/%d/exe", os.Getpid()), dir)
		c.Env = program(t).Env
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := host.start(c); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil || strings.Contains(said.String(), "kept") != (test.says != "") || !strings.Contains(said.String(), test.says) {
			t.Errorf("%v: %.500s", err, &said)
		}
		if got, want := len(callsOf(t, out.String())), len(truth(t, "boto")); got < want {
			t.Errorf("%d calls of %d", got, want)
		}
	}
}
