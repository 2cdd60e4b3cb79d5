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
	maxGrowth         = 4 << 20
	maxMoreThreads    = 8
	maxMoreMappings   = 16
	maxMoreGoroutines = 8
)

// checkFigures makes sure that nothing grows after the warm-up, and that what was opened for networks
// that came and went is closed.
func (s *soak) checkFigures(t *testing.T) {
	settled := s.settled()
	first, last := settled[0], settled[len(settled)-1]
	if all, hourly := growth(settled, resident); all > maxGrowth {
		t.Errorf("resident memory grows by %.1f MiB in an hour", hourly/(1<<20))
	}
	if more := s.moreDescriptors(); len(more) > 0 {
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
// beginning, and returns of which it has.
func (s *soak) moreDescriptors() (more map[string]int) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); _, _ = unix.Poll(nil, 100) {
		more = map[string]int{}
		for kind, n := range descriptorKinds(s.program.Process.Pid) {
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

// descriptorKinds are how many descriptors of each kind a process has: files by name, others by
// what they are (proc_pid_fd(5)).
func descriptorKinds(pid int) map[string]int {
	kinds := map[string]int{}
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, name := range names {
		if target, err := os.Readlink(name); err == nil {
			kind, _, _ := strings.Cut(target, ":[")
			kinds[kind]++
		}
	}
	return kinds
}

// goroutines ends a program with SIGQUIT, by which Go's runtime tells of each.
func goroutines(t *testing.T, p *liveProgram) (sum int) {
	t.Helper()
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
	return sum
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
