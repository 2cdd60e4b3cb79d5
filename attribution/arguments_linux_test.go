package attribution

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lockedProcess is a /proc with a process whose arguments cannot be read until it unlocks
// its memory.
func lockedProcess(t *testing.T) (p proc, unlock func()) {
	t.Helper()
	p = proc{root: t.TempDir(), boot: bootTime, memories: openMemories()}
	t.Cleanup(p.memories.close)
	name := p.path(7, "cmdline")
	if err := os.Mkdir(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(name, 0o644); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return p, func() {
		os.Remove(name)
		if err := errors.Join(held.Close(), os.WriteFile(name, []byte("sh\x00-c\x00"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// argsOfSeven are read by one of the memories' ways.
func (p proc) argsOfSeven(read func(fd int) string) []string {
	args, _ := (&look{proc: p, dir: unix.AT_FDCWD}).args(p.path(7)+"/", MaxArgsBytes, read)
	return args
}

func TestNobodyWaitsForLockedMemory(t *testing.T) {
	for _, test := range []struct {
		name string
		read func(*memories, int) string
		late func(*memories) int // how many looks are
		most int
	}{
		{"in a hurry", (*memories).hurriedArguments, func(m *memories) int { return memoryReaders - m.idle() }, memoryReaders},
		{"without hurry", (*memories).arguments, func(m *memories) int { return int(m.late.Load()) }, maxLateArguments},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, unlock := lockedProcess(t)
			read := func(fd int) string { return test.read(p.memories, fd) }
			for i := range test.most {
				if args, late := p.argsOfSeven(read), test.late(p.memories); args != nil || late != i+1 {
					t.Fatalf("look %d: arguments %q, %d looks are late", i+1, args, late)
				}
			}
			for range 100 { // which take no time any more, or the test's
				if args := p.argsOfSeven(read); args != nil {
					t.Fatalf("arguments %q, although all looks are late", args)
				}
			}
			unlock()
			eventually(t, "late looks end when the memory is unlocked", func() bool { return test.late(p.memories) == 0 })
			for range 2 * test.most {
				if args := p.argsOfSeven(read); !slices.Equal(args, []string{"sh", "-c"}) {
					t.Fatalf("arguments %q, after the memory was unlocked", args)
				}
			}
		})
	}
}

// Those without hurry are not held up by those in a hurry, nor the other way round.
func TestLateLooksAreCountedApart(t *testing.T) {
	p, unlock := lockedProcess(t)
	for range max(memoryReaders, maxLateArguments) {
		p.argsOfSeven(p.memories.hurriedArguments)
	}
	other := p.path(8, "cmdline")
	if err := errors.Join(os.Mkdir(filepath.Dir(other), 0o755), os.WriteFile(other, []byte("sh"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if args, _ := (&look{proc: p, dir: unix.AT_FDCWD}).args(filepath.Dir(other)+"/", MaxArgsBytes, p.memories.arguments); !slices.Equal(args, []string{"sh"}) {
		t.Errorf("arguments %q", args)
	}
	unlock()
}

func (m *memories) idle() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.free)
}

// TestManyReadAtOnce gives each what it asked for.
func TestManyReadAtOnce(t *testing.T) {
	p := proc{root: t.TempDir(), memories: openMemories()}
	t.Cleanup(p.memories.close)
	var reading sync.WaitGroup
	for pid := range memoryReaders {
		want := strconv.Itoa(pid)
		name := p.path(pid, "cmdline")
		if err := errors.Join(os.Mkdir(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(want), 0o644)); err != nil {
			t.Fatal(err)
		}
		reading.Go(func() {
			for range 50 {
				args, _ := (&look{proc: p, dir: unix.AT_FDCWD}).args(filepath.Dir(name)+"/", MaxArgsBytes, p.memories.hurriedArguments)
				if args != nil && !slices.Equal(args, []string{want}) { // none if the machine is busy
					t.Errorf("%d has arguments %q", pid, args)
				}
			}
		})
	}
	reading.Wait()
	eventually(t, "all threads have nothing to do", func() bool { return p.memories.idle() == memoryReaders })
}

// TestLateBeforeItBegan is a thread that has no processor until nobody waits any more.
func TestLateBeforeItBegan(t *testing.T) {
	var file [2]int
	if err := unix.Pipe2(file[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file[1])
	back := make(chan *memoryReader)
	r := newMemoryReader(func(r *memoryReader) {
		r.state.set(readerOver)
		back <- r
	})
	r.fd = file[0]
	r.state.set(readerLate)
	select {
	case <-back:
	case <-time.After(patience):
		t.Fatal("the thread never reads again")
	}
	if _, err := unix.Write(file[1], []byte("x")); err != unix.EPIPE {
		t.Errorf("what it was to read is open still: %v", err)
	}
}

// TestMemoriesClose has the threads end, also one that is late.
func TestMemoriesClose(t *testing.T) {
	p, unlock := lockedProcess(t)
	p.argsOfSeven(p.memories.hurriedArguments)
	p.memories.close()
	alive := func() (n int) {
		for _, thread := range p.memories.threads() {
			if unix.Tgkill(os.Getpid(), thread, 0) == nil {
				n++
			}
		}
		return n
	}
	eventually(t, "only the thread that is late is left", func() bool { return alive() == 1 })
	if args := p.argsOfSeven(p.memories.hurriedArguments); args != nil {
		t.Errorf("arguments %q, after all threads have ended", args)
	}
	unlock()
	eventually(t, "no thread is left", func() bool { return alive() == 0 })
}

func TestAFactIsReadWithoutLockedArguments(t *testing.T) {
	p, _ := lockedProcess(t)
	stat := "7 (sh) S 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0 0 0 0 0 0 0 0\n"
	if err := os.WriteFile(p.path(7, "stat"), []byte(stat), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := p.stat(7)
	if err != nil {
		t.Fatal(err)
	}
	process, ok := newFacts(p, "testdata/passwd").identity(7, s, MaxArgsBytes)
	if !ok || process.Name != "sh" || process.Args != nil {
		t.Errorf("identity: %+v, %v, want the name alone", process, ok)
	}
}

// TestTheReaderGoesOnWithoutLockedArguments of processes that keep their memory's lock: it
// uses what comes after, and nothing is lost.
func TestTheReaderGoesOnWithoutLockedArguments(t *testing.T) {
	p, unlock := lockedProcess(t)
	defer unlock()
	tp := &tracepoint{facts: newFacts(p, "testdata/passwd"), tracker: newTracker(true)}
	tp.tracker.add(traceEvent{kind: forkEvent, at: monotonic(), pid: 1, child: 7})
	r := newReader(tp)
	for i := range 3 * memoryReaders {
		e := r.take(traceEvent{kind: execEvent, pid: 7, at: monotonic(), file: "/bin/sh"})
		if e.read == nil || e.read.process.Name != "sh" || e.read.process.Args != nil {
			t.Fatalf("event %d: %+v, want the name alone", i+1, e.read)
		}
	}
	if tp.losses.Load() != 0 || tp.blinded.Load() != 0 {
		t.Errorf("%d events are lost, at %d, want none", tp.losses.Load(), tp.blinded.Load())
	}
}

func TestAGlanceReadsArguments(t *testing.T) {
	p, unlock := lockedProcess(t)
	unlock()
	got := p.glance(&Process{PID: 7, Name: "sh"}, true, make([]byte, lookBuffer))
	if !slices.Equal(got.process.Args, []string{"sh", "-c"}) {
		t.Errorf("%+v", got.process)
	}
}

// TestAGlanceSeesWhetherAFileIsRemoved or has a name as if it was.
func TestAGlanceSeesWhetherAFileIsRemoved(t *testing.T) {
	p := proc{root: t.TempDir(), boot: bootTime}
	executable := filepath.Join(t.TempDir(), "agent"+removedMark)
	err := errors.Join(os.Mkdir(p.path(7), 0o755), os.WriteFile(executable, nil, 0o755), os.Symlink(executable, p.path(7, "exe")))
	if err != nil {
		t.Fatal(err)
	}
	told := &Process{PID: 7, Name: "agent", Args: []string{"agent"}}
	if got := p.glance(told, false, make([]byte, lookBuffer)).process; got.Executable != executable || got.Deleted || !got.ExecutableFile.is(fileAt(unix.AT_FDCWD, executable)) {
		t.Errorf("%q, removed: %v, %+v, want the name as it is, and the file", got.Executable, got.Deleted, got.ExecutableFile)
	}
	if err := os.Remove(executable); err != nil {
		t.Fatal(err)
	}
	if got := p.glance(told, false, make([]byte, lookBuffer)).process; got.Executable+removedMark != executable || !got.Deleted {
		t.Errorf("%q, removed: %v, want that it is removed", got.Executable, got.Deleted)
	}
}
