package capture

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Threads that read are ahead of others, and one that reads a tap most.
func TestHurry(t *testing.T) {
	for _, test := range []struct {
		name  string
		hurry func()
		nice  int32
	}{{"a reader", hurry, readerNice}, {"a tap's", hurryMost, tapNice}} {
		got := make(chan *unix.SchedAttr)
		go func() { // keeps its thread, which ends with it
			test.hurry()
			a, _ := unix.SchedGetAttr(0, 0)
			got <- a
		}()
		if a := <-got; a == nil || a.Nice != test.nice || a.Policy != unix.SCHED_NORMAL {
			t.Errorf("%s: %+v, want nice %d", test.name, a, test.nice)
		}
	}
}

// A tap has its priority when it is started: the privilege that it takes is given up next.
func TestTapHasItsPriorityAtOnce(t *testing.T) {
	for range 100 {
		source := &idle{make(chan struct{})}
		before := hurried(t) // of tests before, which end meanwhile
		ended := TapSYNs(source, nil, func(netip.AddrPort, netip.AddrPort, time.Time) {})
		own := hurried(t)
		maps.DeleteFunc(own, func(thread string, _ bool) bool { return before[thread] })
		if len(own) != 1 {
			t.Errorf("%d threads more have the priority of a tap's", len(own))
		}
		close(source.over)
		if err := <-ended; err != io.EOF {
			t.Errorf("it ended by %v", err)
		}
		// The process's first thread does not end before the process (runtime.LockOSThread).
		delete(own, fmt.Sprintf("/proc/self/task/%d/stat", os.Getpid()))
		eventually(t, "its thread has ended", func() bool {
			still := hurried(t)
			maps.DeleteFunc(still, func(thread string, _ bool) bool { return !own[thread] })
			return len(still) == 0
		})
	}
}

// idle is a source without packets, until it is over.
type idle struct{ over chan struct{} }

func (s *idle) Next() (*Packet, error) {
	<-s.over
	return nil, io.EOF
}

func (s *idle) Close() error { return nil }

// hurried are our threads with the priority of a tap's.
func hurried(t *testing.T) map[string]bool {
	t.Helper()
	threads := make(map[string]bool)
	stats, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		const nice = 16 // of the fields behind the name, proc_pid_stat(5)
		if fields := strings.Fields(rest); len(fields) > nice && fields[nice] == "-20" {
			threads[name] = true
		}
	}
	return threads
}
