//go:build soak

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// figures are what a process holds at a time.
type figures struct {
	at                           time.Duration // since the start
	resident                     float64       // bytes
	descriptors, threads, mapped int
}

// figuresOf reads them from /proc (proc_pid_status(5), proc_pid_maps(5)).
func figuresOf(t *testing.T, pid int, at time.Duration) figures {
	t.Helper()
	f := figures{at: at}
	for line := range strings.Lines(readFile(t, fmt.Sprintf("/proc/%d/status", pid))) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			f.resident = float64(kib) * 1024
		}
		_, _ = fmt.Sscanf(line, "Threads: %d", &f.threads)
	}
	links, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	f.descriptors = len(links)
	f.mapped = strings.Count(readFile(t, fmt.Sprintf("/proc/%d/maps", pid)), "\n")
	return f
}

// measure looks at the program all the time.
func (s *soak) measure(t *testing.T) {
	for s.goesOn(2 * time.Second) {
		s.figures = append(s.figures, figuresOf(t, s.program.Process.Pid, time.Since(s.began)))
	}
}

// settled are the figures of the last two thirds, after the warm-up.
func (s *soak) settled() []figures { return s.figures[len(s.figures)/3:] }

// growth is by how much a figure grows over the time in which it was taken, by the line with the
// least squares, and slope by how much within an hour.
func growth(list []figures, of func(figures) float64) (all, hourly float64) {
	var x, y, xx, xy float64
	n := float64(len(list))
	for _, f := range list {
		hours := f.at.Hours()
		x, y, xx, xy = x+hours, y+of(f), xx+hours*hours, xy+hours*of(f)
	}
	hourly = (n*xy - x*y) / (n*xx - x*x)
	return hourly * (list[len(list)-1].at - list[0].at).Hours(), hourly
}

// most is the largest of a figure.
func most(list []figures, of func(figures) int) (largest int) {
	for _, f := range list {
		largest = max(largest, of(f))
	}
	return largest
}

func resident(f figures) float64 { return f.resident }
func threads(f figures) int      { return f.threads }

// What may be more at the end than after the warm-up. The heap's size goes up and down with each
// collection, by some MiB; threads are started when one waits for the kernel and stay.
const (
	maxMoreThreads    = 8
	maxMoreMappings   = 16
	maxMoreGoroutines = 8
)

// What resident memory may grow by after the warm-up. The heap is larger or smaller by some MiB, as
// the last collections left it, however long the run is: unevenness. What is kept of each call
// grows with the time: at 40 calls a second, 144,000 an hour, 4 MiB an hour are 29 bytes a call, less
// than the addresses of its connection take. maxGrowth is for all runs: it is reached after two and a half
// hours, and of a day, with sixteen hours after the warm-up, it is 1 MiB an hour.
const (
	unevenness   = 6 << 20
	hourlyGrowth = 4 << 20
	maxGrowth    = 16 << 20
)

// allowedGrowth is by how much resident memory may grow in a time.
func allowedGrowth(d time.Duration) float64 {
	return min(maxGrowth, unevenness+hourlyGrowth*d.Hours())
}

// checkFigures makes sure that nothing grows after the warm-up, and that what was opened for networks
// that came and went is closed.
func (s *soak) checkFigures(t *testing.T) {
	settled := s.settled()
	if len(settled) < 2 {
		t.Fatalf("the run was too short: the program was measured %d times, and growth takes two after the warm-up", len(s.figures))
	}
	first, last := settled[0], settled[len(settled)-1]
	if all, hourly := growth(settled, resident); all > allowedGrowth(last.at-first.at) {
		t.Errorf("resident memory has grown by %.1f MiB in %v, that is %.1f MiB an hour", all/(1<<20), (last.at - first.at).Round(time.Second), hourly/(1<<20))
	}
	if more := s.moreDescriptors(t); len(more) > 0 {
		t.Errorf("more descriptors than at the beginning: %v", more)
	}
	if n := most(settled, threads); n > first.threads+maxMoreThreads {
		t.Errorf("%d threads, and %d after the warm-up", n, first.threads)
	}
	if last.mapped > first.mapped+maxMoreMappings {
		t.Errorf("%d mappings, and %d after the warm-up", last.mapped, first.mapped)
	}
}

// moreDescriptors waits until the program has no more descriptors of any kind than at the
// beginning, and returns of which it has. Those that lead to where others live on this machine are not counted.
func (s *soak) moreDescriptors(t *testing.T) (more map[string]int) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); _, _ = unix.Poll(nil, 100) {
		more = map[string]int{}
		for kind, n := range s.descriptorKinds(t, s.program.Process.Pid) {
			if n > s.kindsAtFirst[kind] {
				more[kind] = n - s.kindsAtFirst[kind]
			}
		}
		if len(more) == 0 {
			break
		}
	}
	return more
}

// goroutinesOfNetwork are those for each network namespace that is captured: one for the packets, two until the
// first source is replaced, one that looks for new connections, and two that wait for the end of its last process.
const goroutinesOfNetwork = 5

// checkGoroutines makes sure that the twin has no more than one that has just started, but for what
// other namespaces take that are on this machine now.
func (s *soak) checkGoroutines(t *testing.T) {
	s.goroutines, s.networks = goroutines(t, s.twin)
	allowed := s.atFirst + maxMoreGoroutines + goroutinesOfNetwork*max(0, s.networks-s.networksBefore)
	if s.goroutines > allowed {
		t.Errorf("%d goroutines at the end, and %d at the beginning: %d would do", s.goroutines, s.atFirst, allowed)
	}
}

// goroutines ends a program with SIGQUIT, by which Go's runtime tells of each. It captures in so many networks.
func goroutines(t *testing.T, p *liveProgram) (sum, networks int) {
	t.Helper()
	networks = networksOf(p.Process.Pid)
	if err := p.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	p.ended.all(t, "the end by SIGQUIT")
	for _, line := range p.err.soFar() {
		if strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:\n") {
			sum++
		}
	}
	if sum == 0 {
		t.Fatalf("no goroutines are told: %.500s", p.errors())
	}
	return sum, networks
}

// leftovers are the files in the directory of the log and what is beside it that have no name
// that they ought to have.
func (s *soak) leftovers(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"*", ".*", "log/*", "log/.*"} {
		found, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			switch filepath.Base(name) {
			case "log", "kept", "state", "state.lock", "imds.prom", "saved.pcapng", "imds.log", "imds.log.first", "twin", ".", "..":
			default:
				names = append(names, name)
			}
		}
	}
	return names
}
