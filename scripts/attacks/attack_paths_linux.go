package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pathAttacks are those by whoever can write where root's program writes.
func pathAttacks() []attack {
	t := &trap{}
	return []attack{{name: "paths", about: "another user puts links, pipes, devices and directories in the place of all that is written, and fills the disk",
		outputs: t.lay, do: t.spring, check: t.sprung,
		atLeast: map[string]uint64{"swaps": 10_000, "runs": 20, "runs where a directory comes and goes": 20, answered: trapCalls}, leastHonest: 0.4}}
}

// trap is a disk with a directory that is the attacker's, in which the program writes, and
// one with canaries, to which his links lead.
type trap struct {
	disk, theirs, logs, canaries string
	// shared is a directory of root's in which all can write, as /tmp; what comes and goes is there.
	shared string
	// empty is a capture file without packets.
	empty  string
	before map[string]string
	faults []string
}

const (
	trapDisk    = 8 << 20          // bytes, and what the attacker fills
	trapTime    = 25 * time.Second // for how long he does
	trapCalls   = 2000             // made at once, for the log to be rotated
	trapPause   = 3 * time.Second  // between them
	hangupEvery = 20 * time.Millisecond
)

// emptyCapture is the head of a pcap file: version 2.4, a snaplen of 64 KiB, Ethernet
// (draft-ietf-opsawg-pcap, section 4).
const emptyCapture = "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00"

// written are the names of all that is written, in the directory of logs.
func written() []string {
	names := []string{"imds.log", "saved.pcapng", "state.json", "state.json.lock", "state.json.unreadable", "imds.prom", "report.html", "report.json"}
	for n := range 4 {
		names = append(names, fmt.Sprintf("imds.log.%d", n+1))
	}
	return names
}

// lay makes the trap, and returns the arguments of a program that writes into it.
func (t *trap) lay(directory string) ([]string, error) {
	t.disk = filepath.Join(directory, "disk")
	t.theirs, t.canaries = filepath.Join(t.disk, "theirs"), filepath.Join(t.disk, "canaries")
	t.logs, t.shared = filepath.Join(t.theirs, "logs"), filepath.Join(t.disk, "shared")
	t.empty = filepath.Join(t.disk, "empty.pcap")
	err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		os.Chmod(directory, 0o711), os.Mkdir(t.disk, 0o755),
		unix.Mount("disk", t.disk, "tmpfs", 0, fmt.Sprintf("mode=755,size=%d", trapDisk)),
		os.MkdirAll(t.logs, 0o777), os.Mkdir(t.canaries, 0o755), t.putCanaries(),
		os.Mkdir(t.shared, 0o755), os.Chmod(t.shared, 0o777|os.ModeSticky), os.WriteFile(t.empty, []byte(emptyCapture), 0o644),
	)
	for _, dir := range []string{t.theirs, t.logs} { // root may write there, also without the right to write everywhere
		err = errors.Join(err, os.Chown(dir, attackerUser, attackerUser), os.Chmod(dir, 0o777))
	}
	if err == nil {
		t.before, err = t.look()
	}
	return outputsIn(t.logs, "imds.log", "state.json"), err
}

func outputsIn(directory, log, state string) []string {
	in := func(name string) string { return filepath.Join(directory, name) }
	return []string{"-o", in(log), "--rotate-size", "64KiB", "--rotate-keep", "4", "-w", in("saved.pcapng"), "--state", in(state),
		"--metrics-textfile", in("imds.prom"), "--metrics-interval", "1s", "--max-entry-rate", "0", "--stats-interval", "1s"}
}

// openCanary is the one that may be linked, also where fs.protected_hardlinks is set: who
// may write a file may link it (proc_sys_fs(5)). The attacker does not write to it.
const openCanary = "open"

// putCanaries makes a file of each name that is written, as logs and others of root's may
// have the same.
func (t *trap) putCanaries() (err error) {
	for _, name := range append(written(), "canary", openCanary) {
		file := filepath.Join(t.canaries, name)
		err = errors.Join(err, os.WriteFile(file, []byte("canary "+name+"\n"), 0o640))
	}
	return errors.Join(err, os.Chmod(filepath.Join(t.canaries, openCanary), 0o666))
}

// look returns what the canaries are like: the directory, and each file of it.
func (t *trap) look() (seen map[string]string, err error) {
	seen = map[string]string{}
	err = filepath.WalkDir(t.canaries, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var stat unix.Stat_t
		if err := unix.Lstat(name, &stat); err != nil {
			return err
		}
		text := []byte{}
		if entry.Type().IsRegular() {
			if text, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		if entry.Name() == openCanary {
			stat.Nlink = 0 // the attacker's links to it are his
		}
		seen[name] = fmt.Sprintf("mode %o, owner %d:%d, %d links, %q", stat.Mode, stat.Uid, stat.Gid, stat.Nlink, text)
		return nil
	})
	return seen, err
}

// spring has the attacker go on all the time, while calls are made, the log is rotated and
// opened anew, and the program is started and reports are made in the same place.
func (t *trap) spring(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, trapTime)
	defer cancel()
	var swaps bytes.Buffer
	attacker := asAttacker(context.Background(), roleSwapper, t.theirs, t.canaries, t.shared)
	attacker.Stdout = &swaps
	until, err := attacker.StdinPipe() // he ends when it does
	if err == nil {
		err = attacker.Start()
	}
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- t.goOn(ctx, s) }()
	failed := callNowAndThen(ctx)
	failed = errors.Join(failed, <-ended, until.Close(), attacker.Wait())
	n, err := strconv.ParseUint(strings.TrimSpace(swaps.String()), 10, 64)
	s.note("swaps", n)
	return errors.Join(failed, err)
}

// callNowAndThen makes calls, so that the log is long enough to be rotated.
func callNowAndThen(ctx context.Context) (err error) {
	for ctx.Err() == nil && err == nil {
		err = asAttacker(context.Background(), roleFlood, "paths", strconv.Itoa(trapCalls)).Run()
		_ = pause(ctx, trapPause)
	}
	return err
}

// goOn does what has names looked up, until the time is over.
func (t *trap) goOn(ctx context.Context, s *stage) error {
	hangups := make(chan struct{})
	go func() {
		defer close(hangups)
		_ = pace(ctx, 1<<30, int(time.Second/hangupEvery), func(int) error { return s.program.cmd.Process.Signal(syscall.SIGHUP) })
	}()
	defer func() { <-hangups }()
	truth := s.program.log
	for i := 0; ctx.Err() == nil; i++ {
		format := [...]string{"html", "json"}[i%2]
		commands := [][]string{
			append([]string{"--own-namespace", "--duration", "100ms"}, outputsIn(t.logs, "second.log", "second.json")...),
			{"report", "--format", format, "-o", filepath.Join(t.logs, "report."+format), truth},
		}
		for _, args := range commands {
			if err := t.try(ctx, s, args); err != nil {
				return err
			}
		}
		if err := t.tryWhatComesAndGoes(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// comings is how often in a row the program is started where a directory comes and goes: it
// ends at once, as there is nothing to read.
const comings = 5

// tryWhatComesAndGoes starts the program where the directory is there for moments only,
// with links to what is root's.
func (t *trap) tryWhatComesAndGoes(ctx context.Context, s *stage) error {
	directory := filepath.Join(t.shared, comesAndGoes)
	for range comings {
		for _, flag := range []string{"-o", "-w"} {
			if err := t.try(ctx, s, []string{"-r", t.empty, flag, filepath.Join(directory, comingLink)}); err != nil {
				return err
			}
			if ctx.Err() == nil { // else it was ended
				s.note("runs where a directory comes and goes", 1)
			}
		}
	}
	return nil
}

// try runs the program in the trap: it does what it is to do, or says in a line why not.
func (t *trap) try(ctx context.Context, s *stage, args []string) error {
	cmd := exec.CommandContext(ctx, s.program.cmd.Path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil && !errors.As(err, &exit):
		return err
	}
	s.note("runs", 1)
	status := cmd.ProcessState.ExitCode()
	if status != 0 {
		s.note("runs that gave up", 1)
	}
	if !endedWell(status, said) {
		t.faults = append(t.faults, fmt.Sprintf("%.40q ended with status %d: %s", args, status, tail(string(said))))
	}
	return nil
}

// endedWell reports whether a run of the program has done what it is to do, in part at
// least, or has said why not. One that crashes has said something before, too. Two files
// can be one for a moment, as the attacker has links go to and fro.
func endedWell(status int, said []byte) bool {
	for _, crash := range []string{"panic:", "fatal error:", "goroutine "} {
		if bytes.Contains(said, []byte(crash)) {
			return false
		}
	}
	return status == 0 || status == exitPartial || status == exitFailed && bytes.Contains(said, []byte("imds-analyzer: ")) ||
		status == exitUsage && bytes.Contains(said, []byte("is to be two things at once"))
}

// sprung is what has become of the canaries, and what the attacker has got.
func (t *trap) sprung(*verdict, []entry) []string {
	after, err := t.look()
	if err != nil {
		return append(t.faults, err.Error())
	}
	names := maps.Clone(t.before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if t.before[name] != after[name] {
			t.faults = append(t.faults, fmt.Sprintf("%s: it was %q and is %q", name, t.before[name], after[name]))
		}
	}
	err = errors.Join(filepath.WalkDir(t.theirs, t.lookAtTheirs), unix.Unmount(t.disk, unix.MNT_DETACH))
	if err != nil {
		t.faults = append(t.faults, err.Error())
	}
	return t.faults
}

// lookAtTheirs finds what the program has written to a file of the attacker's, and what of
// its own he can read. The metrics are for everybody.
func (t *trap) lookAtTheirs(name string, entry fs.DirEntry, err error) error {
	if err != nil || !entry.Type().IsRegular() || entry.Name() == ballast {
		return err
	}
	var stat unix.Stat_t
	if err := unix.Lstat(name, &stat); err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	switch {
	case err != nil:
		return err
	case stat.Uid == attackerUser && len(text) > 0:
		t.faults = append(t.faults, fmt.Sprintf("the attacker's file %s has %.80q", name, text))
	case stat.Uid != attackerUser && stat.Mode&0o077 != 0 && !bytes.HasPrefix(text, []byte("# HELP")) && !bytes.HasPrefix(text, []byte("canary ")) && len(text) > 0:
		t.faults = append(t.faults, fmt.Sprintf("%s has mode %o: %.80q", name, stat.Mode, text))
	}
	return nil
}
