package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// Many calls of one process, several at once and each on a connection of its
// own: all are in the log.
func TestLiveLoad(t *testing.T) {
	t.Parallel()
	const load = 2000
	s := newSite(t)
	p := s.host.watch(t, "--max-entry-rate", "0")
	e := errand{service: service4, name: "load"}
	c := liveClient{"load", []string{buildGoClient(t)}, false}
	pids := runClient(t, s.host, c, append(e.environment(c), "LOAD="+strconv.Itoa(load)))
	var calls []made
	for _, access := range s.service.calls(t, 0, load) {
		calls = append(calls, made{access, c.name, pids[0]})
	}
	entries := entriesOf(t, p.stop(t, os.Interrupt))
	checkSeen(t, entries, calls)
	checkCallers(t, entries, calls, false)
}

// Many processes that make one call and end, several at once: none is taken
// for another.
func TestLiveManyShortLived(t *testing.T) {
	t.Parallel()
	const processes, together = 160, 8
	s := newSite(t)
	p := s.host.watch(t)
	pids := make([]int, processes)
	var running sync.WaitGroup
	for first := range together {
		running.Go(func() {
			for i := first; i < processes; i += together {
				pids[i] = s.runCurl(t, i)
			}
		})
	}
	running.Wait()
	var calls []made
	for _, access := range s.service.calls(t, 0, processes) {
		var i int
		if _, err := fmt.Sscanf(access.target, "/latest/meta-data/%d", &i); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, made{access, "curl", pids[i]})
	}
	entries := entriesOf(t, p.stop(t, os.Interrupt))
	checkSeen(t, entries, calls)
	checkCallers(t, entries, calls, false)
}

// runCurl has a process of its own make the call with the number, and returns
// its pid.
func (s *site) runCurl(t *testing.T, i int) (pid int) {
	cmd := exec.Command(tool(t, "curl"), "-s", "http://169.254.169.254/latest/meta-data/"+strconv.Itoa(i))
	cmd.Env = plainEnvironment()
	if err := s.host.start(cmd); err != nil {
		t.Error(err)
		return 0
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("curl: %v", err)
	}
	return cmd.Process.Pid
}
