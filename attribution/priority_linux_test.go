package attribution

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The threads that read the kernel's events, and arguments for their reader, come before
// others, and in real time where that is asked for.
func TestReaderRunsFirst(t *testing.T) {
	r := openTraced(t, "127.0.0.1:80")
	reader := r.witness.(*tracepoint)
	if reader.slow != nil {
		t.Fatal(reader.slow)
	}
	if len(reader.threads) != 1+memoryReaders {
		t.Errorf("%d threads have priority", len(reader.threads))
	}
	for _, thread := range reader.threads {
		if a := schedulingOf(t, thread); a.Policy != unix.SCHED_NORMAL || a.Nice != traceNice {
			t.Errorf("at first: %+v", a)
		}
	}
	if err := r.RunFirst(); err != nil {
		t.Fatal(err)
	}
	for _, thread := range reader.threads {
		if a := schedulingOf(t, thread); a.Policy != unix.SCHED_FIFO || a.Flags&unix.SCHED_FLAG_RESET_ON_FORK == 0 {
			t.Errorf("in real time: %+v", a)
		}
	}
}

func schedulingOf(t *testing.T, thread int) *unix.SchedAttr {
	t.Helper()
	a, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNothingToRunFirst(t *testing.T) {
	r := newResolver(nil, nil)
	defer r.Close()
	if err := r.RunFirst(); err == nil || !strings.Contains(err.Error(), "tracepoint") {
		t.Errorf("%v", err)
	}
	if err := NewOffline().RunFirst(); err != nil {
		t.Error(err)
	}
}

func TestRefusedSaysWhatHelps(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{unix.EPERM, "operation not permitted; try this"},
		{unix.EACCES, "permission denied; try this"},
		{unix.ENOENT, "no such file or directory"},
	} {
		err := refused(test.err, "try this")
		if err.Error() != test.want || !errors.Is(err, test.err) {
			t.Errorf("%q, not %q", err, test.want)
		}
	}
	if refused(nil, "try this") != nil {
		t.Error("what succeeds is refused")
	}
	if got := slowLimit(refused(fs.ErrPermission, "try this")); !strings.Contains(got, "normal priority") || !strings.HasSuffix(got, "; try this.") {
		t.Errorf("%q", got)
	}
}
