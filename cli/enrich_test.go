//go:build linux

package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// workshop is a folder for a command's script and what it leaves there. Every
// user may write to it, as commands are nobody's if the tests are root's.
type workshop struct{ dir, script string }

// newWorkshop makes a script for sh, in which DIR is the workshop.
func newWorkshop(t *testing.T, script string) workshop {
	t.Helper()
	dir := t.TempDir()
	w := workshop{dir, filepath.Join(dir, "command")}
	text := "#!/bin/sh\n" + strings.ReplaceAll(script, "DIR", dir)
	// A process that is started meanwhile would hold the file for writing, and it
	// could not be run.
	syscall.ForkLock.RLock()
	err := os.WriteFile(w.script, []byte(text), 0o700)
	syscall.ForkLock.RUnlock()
	if err := errors.Join(err, os.Chmod(w.script, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	return w
}

// fifo makes a FIFO in the workshop, and opens it for both ends. To read from it
// has a time limit.
func (w workshop) fifo(t *testing.T, name string) *os.File {
	t.Helper()
	path := filepath.Join(w.dir, name)
	err := unix.Mkfifo(path, 0o666)
	if err == nil {
		err = os.Chmod(path, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err == nil {
		err = file.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// lines are those of a file that a command has left.
func (w workshop) lines(t *testing.T, name string) []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(readFile(t, filepath.Join(w.dir, name)), "\n"), "\n")
}

// checkGone waits until the processes whose pids are in a file have ended. There
// are so many at least.
func (w workshop) checkGone(t *testing.T, name string, count int) {
	t.Helper()
	pids := w.lines(t, name)
	if len(pids) < count {
		t.Errorf("%d processes, not %d: %q", len(pids), count, pids)
	}
	for _, text := range pids {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		awaitGone(t, pid)
	}
}

// awaitGone waits until a process has ended, also if nobody has waited for it
// (pidfd_open(2)).
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, int(patience/time.Millisecond))
	for errors.Is(err, unix.EINTR) {
		n, err = unix.Poll(poll, int(patience/time.Millisecond))
	}
	if n != 1 || err != nil {
		t.Errorf("the process %d runs on: %v", pid, err)
	}
}

// enriched is a run over a capture with 9 calls, one of them v1.
const enriched, enrichedCalls = "proxy-haproxy-any", 9

// runEnriched runs the program over it.
func (w workshop) runEnriched(t *testing.T, args ...string) result {
	t.Helper()
	return succeeded(t, append([]string{"-r", captureOf(t, enriched), "--format", "json", "--enrich", w.script}, args...)...)
}

// labelled is what of an entry has to do with labels.
type labelled struct {
	URL     struct{ Original string }
	Process struct{ PID int }
	IMDS    struct {
		Version string
		Capture struct {
			Failed *int `json:"enrich_failed"`
		}
	}
	Labels map[string]string
}

// entriesWithLabels reads the entries of a log, and the number of those that its
// last line counts as failed.
func entriesWithLabels(t *testing.T, log string) (entries []labelled, failed int) {
	t.Helper()
	callsOf(t, log)
	for text := range strings.Lines(log) {
		var l labelled
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, l)
	}
	last := entries[len(entries)-1].IMDS.Capture.Failed
	if last == nil {
		t.Fatalf("the failures are not counted: %s", log)
	}
	return entries[1 : len(entries)-1], *last
}

// callLines are the lines of a log that are calls, in order.
func callLines(log string) (lines []string) {
	for text := range strings.Lines(log) {
		if strings.Contains(text, `"dataset":"imds.call"`) {
			lines = append(lines, text)
		}
	}
	slices.Sort(lines)
	return lines
}

// The command reads each line as it is without a command, and what it says is
// added to that. Nothing else changes.
func TestEnrichGolden(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, `tee DIR/line.$$ | sed 's/.*"status_code":\([0-9]*\).*"original":"\([^"]*\)",.*"source".*/{"answer":"\1","app\/target":"\2"}/'`)
	plain := succeeded(t, "-r", captureOf(t, enriched), "--format", "json")
	r := w.runEnriched(t)
	var read strings.Builder
	files, err := filepath.Glob(filepath.Join(w.dir, "line.*"))
	if err != nil || len(files) != enrichedCalls {
		t.Fatalf("%d commands, %v", len(files), err)
	}
	for _, file := range files {
		read.WriteString(readFile(t, file))
	}
	want := callLines(plain.out)
	if got := callLines(read.String()); !slices.Equal(got, want) {
		t.Errorf("the commands read\n%s\nnot\n%s", got, want)
	}
	labels := regexp.MustCompile(`,"labels":\{"answer":"200","app/target":"/latest/[^"]*"\}`)
	if n := len(labels.FindAllString(r.out, -1)); n != enrichedCalls {
		t.Errorf("%d entries have the labels: %s", n, r.out)
	}
	if got := callLines(labels.ReplaceAllString(r.out, "")); !slices.Equal(got, want) {
		t.Errorf("without labels the log is\n%s\nnot\n%s", got, want)
	}
	entries, failed := entriesWithLabels(t, r.out)
	for _, e := range entries {
		if e.Labels["app/target"] != e.URL.Original {
			t.Errorf("%s has the labels %q", e.URL.Original, e.Labels)
		}
	}
	if failed != 0 || r.err != goldenSummary {
		t.Errorf("%d failed: %s", failed, r.err)
	}
}

// A command that says nothing has not failed.
func TestEnrichWithNothing(t *testing.T) {
	t.Parallel()
	r := newWorkshop(t, "cat >/dev/null").runEnriched(t)
	entries, failed := entriesWithLabels(t, r.out)
	if len(entries) != enrichedCalls || failed != 0 || strings.Contains(r.out, "labels") || r.err != goldenSummary {
		t.Errorf("%d failed: %s", failed, r.err)
	}
}

// checkFailed makes sure that all calls of a run are there without labels, that
// they are counted, and that the first failure is told in one line.
func checkFailed(t *testing.T, r result, reason, says string) {
	t.Helper()
	entries, failed := entriesWithLabels(t, r.out)
	if len(entries) != enrichedCalls || failed != enrichedCalls || strings.Contains(r.out, `"labels"`) {
		t.Errorf("%d entries, %d failed: %s", len(entries), failed, r.out)
	}
	if want := fmt.Sprintf("\nNot enriched: %s (%d)\n", reason, enrichedCalls); !strings.Contains(r.err, want) {
		t.Errorf("there is no %q in %s", want, r.err)
	}
	said, summary, _ := strings.Cut(r.err, "\n")
	oneLine(t, said+"\n")
	if !strings.HasPrefix(said, "imds-analyzer: the command of --enrich: ") || !strings.Contains(said, says) || strings.Contains(summary, "imds-analyzer: ") {
		t.Errorf("it does not say %q, once: %s", says, r.err)
	}
}

func TestEnrichFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, script, reason, says string }{
		{"exit status", `echo '{"a":"b"}'; exit 3`, "the command failed", "exit status 3"},
		{"with a complaint", `printf 'no \033[31mway\nat all' >&2; exit 1`, "the command failed", "exit status 1: no \ufffd[31mway;"},
		{"killed", `kill -9 $$`, "the command failed", "killed"},
		{"not JSON", "echo web", "the command failed", "not one JSON object of texts"},
		{"huge", "exec yes", "the command failed", "larger than 64 KiB"},
		{"deep", `yes '{"a":' | head -n 9000`, "the command failed", "not one JSON object of texts"},
		{"a secret's complaint", "echo token=" + phrase + " >&2; exit 1", "the command failed", "token=REDACTED"},
		{"no such interpreter", "", "the command failed", "cannot be run: no such file"},
		{"holds its output", `mkfifo DIR/away.$$; setsid sh -c "echo >DIR/away.$$; read x <DIR/held" & read y <DIR/away.$$; echo '{}'`, "the command took too long", "holds its output"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t, tt.script)
			held := w.fifo(t, "held")
			if tt.script == "" {
				if err := os.WriteFile(w.script, []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			r := w.runEnriched(t, "--enrich-timeout", "1m")
			checkFailed(t, r, tt.reason, tt.says)
			harmless(t, "standard error", r.err)
			// What got away from its group ends now.
			if _, err := held.WriteString(strings.Repeat("\n", enrichedCalls)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The user's folders may not be open to the one that the command runs as.
func TestEnrichNotAllowed(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, "")
	if err := os.Chmod(w.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	checkFailed(t, w.runEnriched(t), "the command failed", "nobody may not run it: permission denied (or not enter its folder)")
}

// When its time is over, a command is ended with what it has started.
func TestEnrichTimeout(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, "echo $$ >>DIR/pids; sh -c 'echo $$ >>DIR/pids; read x <DIR/never'; exit")
	w.fifo(t, "never")
	open(t, w, "pids")
	r := w.runEnriched(t, "--enrich-timeout", "1s")
	checkFailed(t, r, "the command took too long", "more than 1s")
	w.checkGone(t, "pids", 2) // on a busy machine not all get that far
}

// open makes a file in the workshop that everybody may write to.
func open(t *testing.T, w workshop, name string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.WriteFile(path, nil, 0o666), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
}

// What a command leaves behind neither holds it up nor lives on.
func TestEnrichGrandchild(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, "sh -c 'read x <DIR/never' & echo $! >>DIR/pids; echo '{\"a\":\"b\"}'")
	w.fifo(t, "never")
	open(t, w, "pids")
	entries, failed := entriesWithLabels(t, w.runEnriched(t, "--enrich-timeout", "1m").out)
	for _, e := range entries {
		if e.Labels["a"] != "b" {
			t.Errorf("%+v", e)
		}
	}
	if failed != 0 {
		t.Errorf("%d failed", failed)
	}
	w.checkGone(t, "pids", enrichedCalls)
}

// Four commands run at once: none of them ends before four have begun. There are
// no more than that.
func TestEnrichAtOnce(t *testing.T) {
	t.Parallel()
	const atOnce = 4
	w := newWorkshop(t, `mkdir DIR/run.$$; echo >DIR/here; read x <DIR/go; set -- DIR/run.*; rmdir DIR/run.$$; echo "{\"running\":\"$#\"}"`)
	here, release := w.fifo(t, "here"), w.fifo(t, "go")
	arrived := make(chan error, 1)
	go func() {
		for range atOnce {
			if _, err := here.Read(make([]byte, 1)); err != nil {
				arrived <- err
				return
			}
		}
		_, err := release.WriteString(strings.Repeat("\n", enrichedCalls))
		arrived <- err
	}()
	entries, failed := entriesWithLabels(t, w.runEnriched(t, "--enrich-timeout", "1m").out)
	if err := <-arrived; err != nil || failed != 0 {
		t.Fatalf("%d failed, %v", failed, err)
	}
	most := 0
	for _, e := range entries {
		n, err := strconv.Atoi(e.Labels["running"])
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if most == 0 || most > atOnce {
		t.Errorf("%d ran at once", most)
	}
}

// The command runs for what is logged, and not for what is only counted.
func TestEnrichWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flags []string
		want  int
	}{{[]string{"--only", "v1"}, 1}, {[]string{"--count", "3"}, 3}} {
		w := newWorkshop(t, `echo x >>DIR/runs; echo '{"a":"b"}'`)
		open(t, w, "runs")
		r := succeeded(t, append(tt.flags, "-r", captureOf(t, enriched), "--format", "json", "--enrich", w.script)...)
		if runs := len(w.lines(t, "runs")); runs != tt.want {
			t.Errorf("%q: it ran %d times", tt.flags, runs)
		}
		if n := strings.Count(r.out, `"labels":{"a":"b"}`); n != tt.want || len(callsOf(t, r.out)) != tt.want {
			t.Errorf("%q: %d entries have labels: %s", tt.flags, n, r.out)
		}
	}
}

// Text lines are as they are without a command.
func TestEnrichText(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, `echo '{"a":"b"}'`)
	r := succeeded(t, "-r", captureOf(t, enriched), "--format", "text", "--enrich", w.script)
	got, want := strings.Split(undated(r.out), "\n"), strings.Split(goldenText, "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || r.err != goldenSummary {
		t.Errorf("%s\n%s", r.out, r.err)
	}
}

// A command can say secrets, and they come out nowhere.
func TestEnrichSecrets(t *testing.T) {
	t.Parallel()
	for name, secret := range shaped {
		for _, script := range []string{
			`echo '{"a":"SECRET","b":"curl -H X-aws-ec2-metadata-token:SECRET"}'`,
			`echo '{"SECRET":"a"}'`,
			`echo 'it is SECRET' >&2; echo SECRET; exit 1`,
		} {
			w := newWorkshop(t, strings.ReplaceAll(script, "SECRET", secret))
			r := w.runEnriched(t, "--count", "1")
			for _, out := range []string{r.out, r.err} {
				if strings.Contains(out, strings.TrimRight(secret, "=")) {
					t.Errorf("%s of %s: %s", name, script, out)
				}
			}
			if !strings.Contains(r.out+r.err, "REDACTED") && !strings.Contains(r.err, "the name of a label") {
				t.Errorf("%s of %s: it was not told: %s %s", name, script, r.out, r.err)
			}
		}
	}
}

// The environment is clean, and blanks set the arguments apart.
func TestEnrichSurroundings(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, `tty >/dev/null && exit 1
printf '{"dir":"%s","environment":"%s","arguments":"%s"}' "$(pwd)" "$(tr '\0' ' ' </proc/$$/environ)" "$#: $*"`)
	r := succeeded(t, "-r", captureOf(t, enriched), "--format", "json", "--count", "1", "--enrich", " "+w.script+"  a 'b $HOME\t*")
	entries, _ := entriesWithLabels(t, r.out)
	want := map[string]string{
		"dir": "/", "arguments": "4: a 'b $HOME *",
		"environment": "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C ",
	}
	for name, value := range want {
		if entries[0].Labels[name] != value {
			t.Errorf("%s is %q, not %q: %s", name, entries[0].Labels[name], value, r.err)
		}
	}
}

// When the log cannot be written any more, no command is waited for.
func TestEnrichOutputFull(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, "read x <DIR/never")
	w.fifo(t, "never")
	r := run("-r", captureOf(t, enriched), "-o", "/dev/full", "--enrich", w.script, "--enrich-timeout", "24h")
	said, _, _ := strings.Cut(r.err, "\n")
	oneLine(t, said+"\n")
	if r.status != 1 || !strings.Contains(said, "no space left") {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
}

// After a signal commands have some seconds left. Then the rest is logged as it is.
func TestEnrichSignal(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, "echo >DIR/here; read x <DIR/never")
	here := w.fifo(t, "here")
	w.fifo(t, "never")
	var out, said bytes.Buffer
	c := program(t, "-r", captureOf(t, enriched), "--format", "json", "--enrich", w.script, "--enrich-timeout", "24h")
	c.Stdout, c.Stderr = &out, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	entries, failed := entriesWithLabels(t, out.String())
	if len(entries) != enrichedCalls || failed != enrichedCalls || !strings.Contains(said.String(), "Not enriched: the program was ended first (9)\n") {
		t.Errorf("%d entries, %d failed: %s", len(entries), failed, &said)
	}
}

// A signal that comes twice within a moment, as from timeout(1), is one: nothing is lost for
// it. After that the second ends the program at once.
func TestSignalTwice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		after  time.Duration
		killed bool
	}{
		{"within a moment", 50 * time.Millisecond, false},
		{"later", time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t, "echo >DIR/here; read x <DIR/never") // for which the end waits
			here := w.fifo(t, "here")
			w.fifo(t, "never")
			var out bytes.Buffer
			c := program(t, "-r", captureOf(t, enriched), "--format", "json", "--enrich", w.script, "--enrich-timeout", "24h")
			c.Stdout = &out
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := here.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := c.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				time.Sleep(test.after)
			}
			err := c.Wait()
			if killed := c.ProcessState.ExitCode() < 0; killed != test.killed {
				t.Fatalf("it ended with %v", err)
			}
			if test.killed {
				return
			}
			if entries, _ := entriesWithLabels(t, out.String()); len(entries) != enrichedCalls {
				t.Errorf("%d entries", len(entries))
			}
		})
	}
}

func TestEnrichUsage(t *testing.T) {
	t.Parallel()
	file, dir := captureOf(t, enriched), t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"no command", []string{"--enrich", ""}, "needs a command"},
		{"blanks", []string{"--enrich", " \t"}, "needs a command"},
		{"missing", []string{"--enrich", dir + "/missing x"}, dir + "/missing\": no such file"},
		{"missing in PATH", []string{"--enrich", "no-such-command"}, "no-such-command"},
		{"not executable", []string{"--enrich", plain}, "permission denied"},
		{"directory", []string{"--enrich", dir}, "is a directory"},
		{"escapes", []string{"--enrich", "\x1b[31m"}, "31m"},
		{"secret", []string{"--enrich", "TOKEN=" + phrase + " sh"}, "TOKEN=REDACTED"},
		{"unknown user", []string{"--enrich", "sh", "--enrich-user", "no-such-user"}, "no-such-user"},
		{"unknown uid", []string{"--enrich", "sh", "--enrich-user", "4294967294"}, "4294967294"},
		{"no user", []string{"--enrich", "sh", "--enrich-user", ""}, "--enrich-user"},
		{"user without a command", []string{"--enrich-user", "root"}, "--enrich"},
		{"time without a command", []string{"--enrich-timeout", "1s"}, "--enrich"},
		{"no time", []string{"--enrich", "sh", "--enrich-timeout", "0"}, "more than 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(append(tt.args, "-r", file)...)
			if r.status != 2 || r.out != "" || !strings.Contains(r.err, tt.says) {
				t.Errorf("exit status %d: %s%.200q", r.status, r.err, r.out)
			}
			oneLine(t, r.err)
		})
	}
}
