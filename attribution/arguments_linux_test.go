package attribution

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lockedProcess is a /proc with a process whose arguments cannot be read until it unlocks
// its memory.
func lockedProcess(t *testing.T) (p proc, unlock func()) {
	t.Helper()
	p = proc{root: t.TempDir(), boot: bootTime, memories: &memories{}}
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

func (p proc) argsOfSeven() []string {
	args, _ := (&look{proc: p, dir: unix.AT_FDCWD}).args(p.path(7)+"/", MaxArgsBytes)
	return args
}

func TestNobodyWaitsForLockedMemory(t *testing.T) {
	p, unlock := lockedProcess(t)
	for i := range maxLateArguments {
		if args := p.argsOfSeven(); args != nil || p.memories.late.Load() != int64(i)+1 {
			t.Fatalf("look %d: arguments %q, %d looks are late", i+1, args, p.memories.late.Load())
		}
	}
	for range 100 { // which take no time any more, or the test's
		if args := p.argsOfSeven(); args != nil {
			t.Fatalf("arguments %q, although too many looks are late", args)
		}
	}
	if late := p.memories.late.Load(); late != maxLateArguments {
		t.Fatalf("%d looks are late, and no more than %d are to be", late, maxLateArguments)
	}
	unlock()
	for deadline := time.Now().Add(10 * time.Second); p.memories.late.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("late looks do not end when the memory is unlocked")
		}
	}
	if args := p.argsOfSeven(); !slices.Equal(args, []string{"sh", "-c"}) {
		t.Errorf("arguments %q, after the memory was unlocked", args)
	}
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

// TestAnotherReaderTakesThePlace of one that looks at a process which keeps its memory's
// lock: the events that follow are used, and that one was lost is counted.
func TestAnotherReaderTakesThePlace(t *testing.T) {
	p, unlock := lockedProcess(t)
	tp := &tracepoint{facts: newFacts(p, "testdata/passwd"), ended: make(chan struct{}), tracker: newTracker(true)}
	next, left := make(chan struct{}), make(chan struct{})
	r := newReader(tp, func() int { close(next); return 0 })
	asked := 0
	r.relief.isStuck = func() bool { asked++; return asked > 1 } // at first it has not had its turn
	go func() {
		defer close(left)
		defer r.end()
		r.glance(&traceEvent{kind: execEvent, pid: 7, at: 1}, &Process{PID: 7, Name: "sh"})
		t.Error("the reader went on, although another has its place")
	}()
	<-next
	if tp.losses.Load() != 1 || tp.blinded.Load() == 0 || p.memories.late.Load() != 1 {
		t.Errorf("%d events are lost, %d looks are late, want one of each, and that it is known since when", tp.losses.Load(), p.memories.late.Load())
	}
	unlock()
	<-left
	select {
	case <-tp.ended:
		t.Error("the reader says that there is none any more")
	default:
	}
	if late := p.memories.late.Load(); late != 0 {
		t.Errorf("%d looks are late, after the only one has ended", late)
	}
	newReader(tp, nil).end()
	<-tp.ended
}

func TestAReaderThatReadsInTimeStays(t *testing.T) {
	p, unlock := lockedProcess(t)
	unlock()
	r := newReader(&tracepoint{facts: newFacts(p, "testdata/passwd")}, nil)
	for i := range 3 {
		got := r.glance(&traceEvent{kind: execEvent, pid: 7}, &Process{PID: 7, Name: "sh"})
		if !slices.Equal(got.process.Args, []string{"sh", "-c"}) || r.relief.waits.Load() {
			t.Errorf("glance %d: %+v", i+1, got.process)
		}
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
	if got := p.glance(told, false, make([]byte, lookBuffer)).process; got.Executable != executable || got.Deleted {
		t.Errorf("%q, removed: %v, want the name as it is", got.Executable, got.Deleted)
	}
	if err := os.Remove(executable); err != nil {
		t.Fatal(err)
	}
	if got := p.glance(told, false, make([]byte, lookBuffer)).process; got.Executable+removedMark != executable || !got.Deleted {
		t.Errorf("%q, removed: %v, want that it is removed", got.Executable, got.Deleted)
	}
}
