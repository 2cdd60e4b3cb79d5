package cli

import (
	"context"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imds-analyzer/output"
)

// aCommand is a command whose script that is, of the tests' own user.
func aCommand(t *testing.T, script string) *command {
	t.Helper()
	name := filepath.Join(t.TempDir(), "command")
	// A process that is started meanwhile would hold the file for writing, and it
	// could not be run.
	syscall.ForkLock.RLock()
	err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	return &command{path: name, timeout: time.Minute}
}

// What does not read what it is given, however much that is, is no failure.
func TestCommandDoesNotRead(t *testing.T) {
	line := []byte(strings.Repeat("x", 1<<20) + "\n") // more than a pipe takes
	for _, script := range []string{`echo '{"a":"b"}'`, `exec <&-; echo '{"a":"b"}'`, `read x; echo '{"a":"b"}'`} {
		labels, err := aCommand(t, script).ask(t.Context(), line)
		if err != nil || labels["a"] != "b" {
			t.Errorf("%s: %q, %v", script, labels, err)
		}
	}
}

func TestCommandsLimits(t *testing.T) {
	for _, tt := range []struct {
		script string
		want   error
	}{
		{`while echo xxxxxxxxxxxxxxxx; do :; done`, errTooLarge},
		{`trap '' PIPE; while echo xxxxxxxxxxxxxxxx; do :; done 2>&-`, errTooLarge},
	} {
		if labels, err := aCommand(t, tt.script).ask(t.Context(), nil); !errors.Is(err, tt.want) || labels != nil {
			t.Errorf("%s: %q, %v", tt.script, labels, err)
		}
	}
	// What is said besides is passed over.
	chatty := `i=0; while [ $i -lt 9999 ]; do echo xxxxxxxxxxxxxxxx >&2; i=$((i + 1)); done; echo '{"a":"b"}'`
	if labels, err := aCommand(t, chatty).ask(t.Context(), nil); err != nil || labels["a"] != "b" {
		t.Errorf("%q, %v", labels, err)
	}
}

// What was left behind is the reason although time is over, too, while it holds
// the output.
func TestCommandLeavesBehind(t *testing.T) {
	ended, held := aFIFO(t), aFIFO(t)
	c := aCommand(t, `setsid sh -c 'while kill -0 $0; do :; done; echo >`+ended.Name()+`; read x <`+held.Name()+`' $$ 2>/dev/null &
		until [ "$(ps -o sid= -p $!)" -eq $! ]; do :; done; echo '{}'`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, _ = ended.Read(make([]byte, 1))
		cancel()
	}()
	if _, err := c.ask(ctx, nil); !errors.Is(err, errTookLong) || !strings.Contains(err.Error(), "holds its output") {
		t.Errorf("%v", err)
	}
	if _, err := held.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
}

// aFIFO makes one, open for both ends.
func aFIFO(t *testing.T) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// Nothing but the standard streams is open in a command, even if it is not
// marked to be closed.
func TestCommandInheritsNoFile(t *testing.T) {
	fd, err := unix.Open(os.DevNull, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := hideEach(); err != nil {
		t.Fatal(err)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags != unix.FD_CLOEXEC {
		t.Errorf("its flags are %d, %v", flags, err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	script := `[ ! -e /proc/$$/fd/` + strconv.Itoa(fd) + ` ] && echo '{"a":"b"}'`
	if labels, err := aCommand(t, script).ask(t.Context(), nil); err != nil || labels["a"] != "b" {
		t.Errorf("%q, %v", labels, err)
	}
}

// entries collects what comes back from an enricher, by the reason.
type entries struct {
	mu      sync.Mutex
	reasons map[output.NotEnriched]int
	said    []string
}

func (c *entries) enricher(ctx context.Context, command *command, patient bool) *enricher {
	c.reasons = map[output.NotEnriched]int{}
	n := newEnricher(ctx, command, patient)
	n.done = func(e *output.Entry, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case err != nil:
			c.reasons[reasonOf(err)]++
		default:
			c.reasons[output.NotEnriched(e.Labels["a"])]++
		}
	}
	n.say = func(err error) { c.said = append(c.said, err.Error()) }
	return n
}

// A capture is not held up: what there is no room for goes on at once. A file
// waits for room.
func TestEnricherIsFull(t *testing.T) {
	const more = 5
	command := aCommand(t, `echo '{"a":"b"}'`)
	var live entries
	n := live.enricher(t.Context(), command, false)
	for range maxEnrichWaiting + more {
		n.add(output.Entry{})
	}
	if live.reasons[output.TooMany] != more || len(live.said) != 1 {
		t.Errorf("%v, %q", live.reasons, live.said)
	}
	n.start()
	n.finish()
	if live.reasons["b"] != maxEnrichWaiting {
		t.Errorf("%v", live.reasons)
	}
	var files entries
	n = files.enricher(t.Context(), command, true)
	n.start()
	for range maxEnrichWaiting + more {
		n.add(output.Entry{})
	}
	n.finish()
	if files.reasons["b"] != maxEnrichWaiting+more {
		t.Errorf("%v", files.reasons)
	}
}

// Once it has given up, commands that run are ended and no others are started.
func TestEnricherGivesUp(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	started, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer started.Close()
	var all entries
	// It blocks in opening what is never written to.
	n := all.enricher(t.Context(), aCommand(t, `mkfifo "$0.never"; echo x >`+fifo+`; read x <"$0.never"`), false)
	const count = 20
	for range count {
		n.add(output.Entry{})
	}
	n.start()
	if _, err := started.Read(make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	n.giveUp()
	n.finish()
	if all.reasons[output.EndedFirst] != count || len(all.said) != 0 {
		t.Errorf("%v, %q", all.reasons, all.said)
	}
}

func TestOwnCalls(t *testing.T) {
	self := os.Getpid()
	var child, grandchild, other output.Entry
	child.Process.Parent.PID = self
	grandchild.IMDS.Ancestors = []output.Relative{{PID: self + 1}, {PID: self}}
	other.Process.PID, other.IMDS.Ancestors = self, []output.Relative{{PID: self + 1}}
	n := newEnricher(t.Context(), nil, false)
	if !n.isOwn(&child) || !n.isOwn(&grandchild) || n.isOwn(&other) {
		t.Error(n.isOwn(&child), n.isOwn(&grandchild), n.isOwn(&other))
	}
}

// The processes that a capture file tells of ran elsewhere, or earlier: one of them with our pid
// is none of ours. Of pid 1, as we have in a container, most descend.
func TestOwnCallsOfFiles(t *testing.T) {
	var child output.Entry
	child.Process.Parent.PID = os.Getpid()
	for patient, want := range map[bool]output.NotEnriched{false: output.CommandsOwn, true: "b"} {
		var all entries
		n := all.enricher(t.Context(), aCommand(t, `echo '{"a":"b"}'`), patient)
		n.add(child)
		n.start()
		n.finish()
		if all.reasons[want] != 1 {
			t.Errorf("of files %v: %v, %q", patient, all.reasons, all.said)
		}
	}
}

// A /proc can have other numbers for processes than the kernel tells us.
func TestOwnPID(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"other": "4711", "broken": "self"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"other": 4711, "broken": os.Getpid(), "none": os.Getpid()} {
		if pid := ownPID(filepath.Join(dir, name)); pid != want {
			t.Errorf("%s: %d, want %d", name, pid, want)
		}
	}
}

func TestLookUp(t *testing.T) {
	root, err := lookUp("root")
	if err != nil || root.uid != 0 || root.gid != 0 || !slices.Contains(root.groups, 0) {
		t.Errorf("%+v, %v", root, err)
	}
	if byNumber, err := lookUp("0"); err != nil || byNumber.name != "root" {
		t.Errorf("%+v, %v", byNumber, err)
	}
	if byDefault, err := lookUp(""); err != nil || byDefault.name != nobody || byDefault.uid == 0 {
		t.Errorf("%+v, %v", byDefault, err)
	}
	for _, name := range []string{"no-such-user", "4294967294", "-1", "root:root"} {
		if a, err := lookUp(name); err == nil {
			t.Errorf("%s is %+v", name, a)
		}
	}
	if _, err := accountOf(&user.User{Username: "x", Uid: "1", Gid: "S-1-5-32"}); err == nil {
		t.Error("that is no gid")
	}
}
