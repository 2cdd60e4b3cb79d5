//go:build faults

package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Kills at random moments.

// kills are so many of them, and what they left.
type kills struct {
	outputs
	dir          string
	half         string // line, as the kill before has left it
	cut, damaged int
	empty        int // files of packets that were just made
	spoiled      map[string]int
}

// spoil leaves half a line and half a packet, as a crash of the machine can: a kill does
// not come while the kernel copies a few pages.
func (k *kills) spoil(t *testing.T) {
	t.Helper()
	for name, atLeast := range map[string]int64{k.log: 100, k.saved: 1000} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > atLeast {
			if err := os.Truncate(name, info.Size()-10); err != nil {
				t.Fatal(err)
			}
			k.spoiled[name]++
		}
	}
}

// look looks at what a kill has left.
func (k *kills) look(t *testing.T) {
	t.Helper()
	text := readFile(t, k.log)
	whole := strings.LastIndex(text, "\n") + 1
	// A start that was killed before its first line leaves it as it was.
	if half := text[whole:]; half != k.half {
		k.half = half
		k.cut += min(1, len(half))
	}
	checkWhole(t, text[:whole])
	if r := run("report", "--format", "json", k.state); r.status != 0 {
		t.Fatalf("the state cannot be read: %s", r.err)
	}
	switch r := run("-r", k.saved, "--endpoint", faultService.String()); {
	case r.status == 0:
	case r.status == 3:
		k.damaged++
	case readFile(t, k.saved) == "":
		k.empty++
	default:
		t.Fatalf("the saved packets: exit status %d: %s", r.status, r.err)
	}
}

// left are the files that were to replace others.
func (k *kills) left() []string {
	left, _ := filepath.Glob(filepath.Join(k.dir, ".*.[0-9]*"))
	return left
}

// age has them be as old as those that are taken for abandoned.
func (k *kills) age(t *testing.T) (files int) {
	t.Helper()
	for _, name := range k.left() {
		if err := os.Chtimes(name, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return len(k.left())
}

// await waits for a random part of the time.
func await(atMost time.Duration) {
	_, _ = unix.Poll(nil, rand.IntN(int(atMost.Milliseconds())))
}

// Killed hundreds of times: while it writes much at once, as after a stall, while it writes
// call by call, and while it starts. What was written is whole but for the last line, and
// the next start goes on.
func TestFaultKills(t *testing.T) {
	const times = 200
	f := newFault(t, fmt.Sprintf("killed %d times while it starts and writes", times))
	f.site.service.follow(rules{})
	dir := t.TempDir()
	k := &kills{outputs: outputsIn(dir), dir: dir, spoiled: make(map[string]int)}
	flags := f.arguments(append(k.flags()[2:], "--rotate-size", "1MiB", "--rotate-keep", "1000", "--own-namespace")...)
	for i := range times {
		f.program = launch(t, f.site.host, liveCommand(flags...))
		switch {
		case i%4 == 0:
			f.program.awaitStart(t)
			f.stall(t, func() { f.load(t, 40) })
			await(60 * time.Millisecond)
		case i%4 == 1:
			f.program.awaitStart(t)
			program, killed := f.program, make(chan struct{})
			go func() {
				defer close(killed)
				await(120 * time.Millisecond)
				_ = program.Process.Kill()
			}()
			f.load(t, 40)
			<-killed
		default:
			await(200 * time.Millisecond)
		}
		_ = f.program.Process.Kill()
		f.program.ended.all(t, "the program")
		if i%20 == 1 {
			k.spoil(t)
		}
		k.look(t)
	}
	f.killed = true
	if k.cut < k.spoiled[k.log] || k.damaged < k.spoiled[k.saved] || k.spoiled[k.log] == 0 || k.spoiled[k.saved] == 0 {
		t.Errorf("%d half lines, %d half packets, and %v were made", k.cut, k.damaged, k.spoiled)
	}
	left := k.age(t)
	f.program = f.site.host.watch(t, flags...)
	f.load(t, 10)
	f.program.stop(t, syscall.SIGTERM)
	if still := k.left(); len(still) > 0 {
		t.Errorf("files are left behind: %q", still)
	}
	text, _ := rotated(t, k.log)
	checkWhole(t, text)
	f.check(t, text)
	if gaps := strings.Count(text, `"capture-log-gap"`); gaps != k.cut {
		t.Errorf("%d half lines, %d gaps", k.cut, gaps)
	}
	if len(f.entries) < times/2 || f.attributed() < len(f.entries)*9/10 {
		t.Errorf("%d calls are in the log, %d attributed", len(f.entries), f.attributed())
	}
	t.Logf("\n| %s | nothing | %d half lines, each a `capture-log-gap`, and %d half packets, all but %d and %d made by cutting; %d files beside were removed | %d, %d, %d |",
		f.what, k.cut, k.damaged, k.cut-k.spoiled[k.log], k.damaged-k.spoiled[k.saved], left, len(f.calls), len(f.entries), f.attributed())
}

// Killed while the disk is full: what did not fit is half a line and half a packet, and is
// cut off when there is room again.
func TestFaultKilledOnFullDisk(t *testing.T) {
	const size, times = 1 << 20, 10
	f := newFault(t, fmt.Sprintf("killed %d times while the disk is full", times))
	dir := f.site.host.smallDisk(t, fmt.Sprint(size))
	log, other := filepath.Join(dir, "log"), filepath.Join(dir, "other")
	flags := f.arguments("-o", log)
	cut := 0
	for range times {
		f.program = f.site.host.watch(t, flags...)
		// Room for some entries, not for a page more.
		fill := func() error { _ = os.WriteFile(other, make([]byte, size), 0o600); return nil }
		if err := f.site.host.do(fill); err != nil {
			t.Fatal(err)
		}
		f.load(t, 20)
		f.program.says(t, "cannot write to "+log)
		_ = f.program.Process.Kill()
		f.program.ended.all(t, "the program")
		if !strings.HasSuffix(f.site.host.read(t, log), "\n") {
			cut++
		}
		if err := f.site.host.do(func() error { return os.Remove(other) }); err != nil {
			t.Fatal(err)
		}
	}
	f.killed = true
	f.program = f.site.host.watch(t, flags...)
	f.load(t, 10)
	f.program.stop(t, syscall.SIGTERM)
	text := f.site.host.read(t, log)
	checkWhole(t, text)
	f.check(t, text)
	if gaps := strings.Count(text, `"capture-log-gap"`); gaps != cut {
		t.Errorf("%d half lines, %d gaps", cut, gaps)
	}
	t.Logf("\n| %s | `cannot write to …` | %d half lines, each a `capture-log-gap` | %d, %d, %d |", f.what, cut, len(f.calls), len(f.entries), f.attributed())
}

// A report that is killed while it replaces the one before leaves that, or its own, whole.
func TestFaultKilledReports(t *testing.T) {
	const times = 200
	f := beginFault(t, fmt.Sprintf("a report killed %d times while it is written (`report -o`)", times))
	f.site.service.follow(rules{})
	f.load(t, 2000)
	f.logged(t)
	f.end(t, 0)
	dir := t.TempDir()
	k := &kills{dir: dir}
	log, to := write(t, t.TempDir(), "log", strings.Join(f.program.out.soFar(), "")), filepath.Join(dir, "report")
	succeeded(t, "report", "--format", "json", "-o", to, log)
	first, replaced, most := readFile(t, to), 0, 0
	for i := range times {
		cmd := liveCommand("report", "--format", []string{"json", "html"}[i%2], "-o", to, log)
		p := launch(t, f.site.host, cmd)
		await(250 * time.Millisecond)
		_ = p.Process.Kill()
		p.ended.all(t, "the report")
		text := strings.TrimSpace(readFile(t, to))
		if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
			if !strings.HasSuffix(text, "</html>") {
				t.Fatalf("half a report: %.100q … %.100q", text, text[max(0, len(text)-100):])
			}
		}
		if text != strings.TrimSpace(first) {
			replaced++
		}
		most = max(most, len(k.left()))
	}
	k.age(t)
	succeeded(t, "report", "--format", "json", "-o", to, log)
	if still := k.left(); len(still) > 0 {
		t.Errorf("files are left behind: %q", still)
	}
	t.Logf("\n| %s | nothing | the report before, or the new one (%d times); %d files beside were removed | |", f.what, replaced, most)
}
