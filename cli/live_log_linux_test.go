package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The log of a service: rotated under load, on a disk that is full, after a kill.

// load has one process make so many calls, several at once, and returns them.
func (s *site) load(t *testing.T, n int) []made {
	t.Helper()
	e, c := errand{service: service4, name: "load"}, liveClient{"load", []string{buildGoClient(t)}, false}
	before := len(s.service.log.soFar())
	pids := runClient(t, s.host, c, append(e.environment(c), "LOAD="+strconv.Itoa(n)))
	var calls []made
	for _, access := range s.service.calls(t, before, n) {
		calls = append(calls, made{access, c.name, pids[0]})
	}
	return calls
}

// rotated returns what is in a log that was rotated, the oldest first, and in how many
// files.
func rotated(t *testing.T, name string) (log string, files int) {
	t.Helper()
	log = readFile(t, name)
	for files = 1; ; files++ {
		data, err := os.ReadFile(fmt.Sprintf("%s.%d", name, files))
		if errors.Is(err, fs.ErrNotExist) {
			return log, files
		}
		if err != nil {
			t.Fatal(err)
		}
		log = string(data) + log
	}
}

// checkWhole makes sure that a log has whole lines only.
func checkWhole(t *testing.T, log string) {
	t.Helper()
	if log != "" && !strings.HasSuffix(log, "\n") {
		t.Errorf("it ends in the middle of a line: %q", log[max(0, len(log)-100):])
	}
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no whole line: %.300q", line)
		}
	}
}

// Under load the log is rotated all the time, and each call is in it once.
func TestLiveRotation(t *testing.T) {
	t.Parallel()
	const size, load = 64 << 10, 2000
	s := newSite(t)
	log := filepath.Join(t.TempDir(), "log")
	p := s.host.watch(t, "-o", log, "--rotate-size", "64KiB", "--rotate-keep", "1000", "--max-entry-rate", "0")
	calls := s.load(t, load)
	p.stop(t, syscall.SIGTERM)
	text, files := rotated(t, log)
	if files < 10 {
		t.Errorf("%d files", files)
	}
	for n := range files - 1 {
		if info, err := os.Stat(fmt.Sprintf("%s.%d", log, n+1)); err != nil || info.Size() > size || info.Mode().Perm() != 0o600 {
			t.Errorf("file %d: %v, %v", n+1, info, err)
		}
	}
	checkSeen(t, entriesOf(t, text), calls)
}

// Others rotate the log all the time, and tell by SIGHUP.
func TestLiveRotationByOthers(t *testing.T) {
	t.Parallel()
	const load = 2000
	s := newSite(t)
	log := filepath.Join(t.TempDir(), "log")
	p := s.host.watch(t, "--max-entry-rate", "0", "-o", log)
	stop, stopped := make(chan struct{}), make(chan []string)
	go func() { stopped <- rotateAllTheTime(t, p, log, stop) }()
	calls := s.load(t, load)
	close(stop)
	moved := <-stopped
	p.stop(t, syscall.SIGTERM)
	var text strings.Builder
	for _, name := range append(moved, log) {
		checkWhole(t, readFile(t, name))
		text.WriteString(readFile(t, name))
	}
	if len(moved) < 3 {
		t.Errorf("it was rotated %d times only", len(moved))
	}
	checkSeen(t, entriesOf(t, text.String()), calls)
}

// rotateAllTheTime gives the log another name whenever there is a new one, and returns
// the names.
func rotateAllTheTime(t *testing.T, p *liveProgram, log string, stop <-chan struct{}) (names []string) {
	for {
		select {
		case <-stop:
			return names
		default:
		}
		name := fmt.Sprintf("%s-%d", log, len(names))
		if err := errors.Join(os.Rename(log, name), p.Process.Signal(syscall.SIGHUP)); err != nil {
			t.Error(err)
			return names
		}
		names = append(names, name)
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(log); err == nil {
				break
			} else if time.Now().After(end) {
				t.Errorf("there is no new log: %v", err)
				return names
			}
		}
	}
}

// A service manager's reload ends no capture, also where there is no file to open anew.
func TestLiveHangupWithoutFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, args := range map[string][]string{
		"state alone": {"--state", filepath.Join(t.TempDir(), "state"), "--format", "json"},
		"nothing":     {"--format", "json"},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.host.watch(t, args...)
			if err := p.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			calls := s.load(t, 3)
			checkSeen(t, entriesOf(t, p.stop(t, syscall.SIGTERM)), calls)
		})
	}
}

// Others have rotated the log, and left half a line in the new one: that is told there, and
// is no entry of the capture that is missing.
func TestLiveReopenWithHalfLine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	log, state := filepath.Join(dir, "log"), filepath.Join(dir, "state")
	p := s.host.watch(t, "-o", log, "--state", state)
	before := s.load(t, 3)
	eventually(t, "the last entry", func() bool { return strings.Count(readFile(t, log), "\n") == 1+len(before) })
	half := write(t, dir, "half", `{"half`)
	if err := errors.Join(os.Rename(log, log+".1"), os.Rename(half, log), p.Process.Signal(syscall.SIGHUP)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new log", func() bool { return p.holds(log) })
	after := s.load(t, 3)
	p.stop(t, syscall.SIGTERM)
	gap, rest, _ := strings.Cut(readFile(t, log), "\n")
	if !strings.Contains(gap, `"action":"capture-log-gap"`) || !strings.Contains(gap, `"entries_not_written":1`) {
		t.Errorf("the new log begins with %s", gap)
	}
	checkSeen(t, entriesOf(t, readFile(t, log+".1")+rest), append(before, after...))
	if strings.Contains(p.errors(), "Not written") || strings.Contains(readFile(t, state), "entries_not_written") {
		t.Errorf("said was %s, the state is %s", p.errors(), readFile(t, state))
	}
}

// smallDisk mounts a disk of the size on a directory, which only what runs in the
// namespace sees.
func (n *namespace) smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	err := n.do(func() error {
		return errors.Join(
			unix.Unshare(unix.CLONE_NEWNS),
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("disk", dir, "tmpfs", 0, "size="+size),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// read reads a file as it is in the namespace.
func (n *namespace) read(t *testing.T, name string) (text string) {
	t.Helper()
	err := n.do(func() error {
		data, err := os.ReadFile(name)
		text = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// says waits for a line on standard error.
func (p *liveProgram) says(t *testing.T, words string) {
	t.Helper()
	p.err.wait(t, words, func(lines []string) bool {
		return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, words) })
	})
}

// The disk is full, and has room again: nothing is missing.
func TestLiveDiskFullAndBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := s.host.smallDisk(t, "64k")
	log := filepath.Join(dir, "log")
	p := s.host.watch(t, "--max-entry-rate", "0", "-o", log)
	calls := s.load(t, 500)
	p.says(t, "no space left on device")
	checkWhole(t, s.host.read(t, log))
	if err := s.host.do(func() error { return unix.Mount("", dir, "", unix.MS_REMOUNT, "size=64m") }); err != nil {
		t.Fatal(err)
	}
	p.says(t, log+" is written again, no entry is missing from it") // without another call
	calls = append(calls, s.load(t, 10)...)
	p.stop(t, syscall.SIGTERM)
	checkSeen(t, entriesOf(t, s.host.read(t, log)), calls)
	if said := p.errors(); strings.Contains(said, "Not written") || strings.Count(said, "no space left") != 1 {
		t.Errorf("said was %s", said)
	}
}

// The disk is full when the capture begins, and has room again before it ends: the log and
// the state have all.
func TestLiveDiskFullAtFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := s.host.smallDisk(t, "1m")
	full := func() error { return os.WriteFile(filepath.Join(dir, "other"), make([]byte, 1<<20), 0o600) }
	if err := s.host.do(full); err != nil {
		t.Fatal(err)
	}
	log, state := filepath.Join(dir, "log"), filepath.Join(dir, "state")
	p := s.host.watch(t, "-o", log, "--state", state)
	p.says(t, "cannot save the state")
	p.says(t, "cannot write to "+log)
	calls := s.load(t, 20)
	if err := s.host.do(func() error { return os.Remove(filepath.Join(dir, "other")) }); err != nil {
		t.Fatal(err)
	}
	p.says(t, log+" is written again, no entry is missing from it")
	p.stop(t, syscall.SIGTERM)
	checkSeen(t, entriesOf(t, s.host.read(t, log)), calls)
	copied := write(t, t.TempDir(), "state", s.host.read(t, state))
	if got := reportOn(t, copied); got.Calls.V1 != uint64(len(calls)) {
		t.Errorf("the state has %d calls of %d", got.Calls.V1, len(calls))
	}
}

// The disk stays full: the capture ends well, and everybody is told what is missing.
func TestLiveDiskFull(t *testing.T) {
	t.Parallel()
	const load = 500
	s := newSite(t)
	log := filepath.Join(s.host.smallDisk(t, "64k"), "log")
	state := filepath.Join(t.TempDir(), "state")
	p := s.host.watch(t, "--max-entry-rate", "0", "-o", log, "--state", state)
	calls := s.load(t, load)
	p.says(t, "no space left on device")
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.finish(t, 3)
	text := s.host.read(t, log)
	checkWhole(t, text)
	lines := strings.Count(text, "\n")
	// Those of the start and the end besides the calls.
	if want := fmt.Sprintf("Not written: %d entries of the log", load+2-lines); lines < 10 || !strings.Contains(p.errors(), want) {
		t.Errorf("%d lines are there, and there is no %q: %s", lines, want, p.errors())
	}
	if got := reportOn(t, state); got.Calls.V1 != load {
		t.Errorf("the state has %d calls of %d", got.Calls.V1, len(calls))
	}
}

// A capture that was killed has left behind half a line, and the next one goes on.
func TestLiveKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := filepath.Join(t.TempDir(), "log")
	killed := s.host.watch(t, "-o", log)
	before := s.load(t, 100)
	eventually(t, "the last entry", func() bool { return strings.Count(readFile(t, log), "\n") == 1+len(before) })
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed.finish(t, -1)
	whole := readFile(t, log)
	if err := os.WriteFile(log, []byte(whole+whole[:100]), 0o600); err != nil {
		t.Fatal(err)
	}
	p := s.host.watch(t, "-o", log)
	after := s.load(t, 10)
	p.stop(t, syscall.SIGTERM)
	text, kept := strings.CutPrefix(readFile(t, log), whole)
	checkWhole(t, text)
	if gap, rest, _ := strings.Cut(text, "\n"); !kept || !strings.Contains(gap, `"action":"capture-log-gap"`) || !strings.Contains(gap, `"entries_not_written":1,`) {
		t.Errorf("behind what was there (%v) comes %s", kept, gap)
	} else {
		checkSeen(t, entriesOf(t, rest), after)
	}
	if r := run("report", "--format", "json", log); !strings.Contains(r.out, `"entries_not_written"`) || !strings.Contains(r.out, fmt.Sprintf(`"v1": %d,`, 110)) {
		t.Errorf("the report: %.600s", r.out)
	}
}
