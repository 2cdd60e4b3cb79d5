package cli_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// With --realtime one thread, the one that reads the kernel's events, comes
// before all others, although the privilege that it takes was not to be used
// before others were dropped. Without it, none does.
func TestLiveRealTime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		without []int
		flags   []string
		threads int
		said    []string
	}{
		{"by default", nil, nil, 0, nil},
		// The reader of the kernel's events, and six that read processes' arguments for it.
		{"asked for", nil, []string{"--realtime"}, 1 + 6, nil},
		{"with a /proc alone", nil, []string{"--realtime", "--attribution", "proc"}, 0, []string{"--realtime has no effect: there is no reader"}},
		{"without the privilege", []int{unix.CAP_SYS_NICE}, []string{"--realtime"}, 0, []string{"normal priority", "--realtime has no effect: operation not permitted; run as root"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			start := &privileged{capabilities: test.without, without: true, mounts: withTracefs, said: test.said}
			p := start.thread(t, s).watch(t, test.flags...)
			if got := realTimeThreads(t, p.Process.Pid); got != test.threads {
				t.Errorf("%d threads run in real time, not %d", got, test.threads)
			}
			calls := s.visits(t, curlOf(t))
			check(t, p.stop(t, os.Interrupt), calls)
			start.checkSaid(t, p)
		})
	}
}

// realTimeThreads counts the threads of a process that have the policy
// SCHED_FIFO, which is the 41st field of proc_pid_stat(5).
func realTimeThreads(t *testing.T, pid int) (n int) {
	t.Helper()
	paths, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/stat")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(line), ") ")
		if fields := strings.Fields(rest); fields[41-3] == strconv.Itoa(unix.SCHED_FIFO) {
			n++
		}
	}
	return n
}
