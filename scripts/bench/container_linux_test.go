package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"imds-analyzer/scripts/testbed"
)

// whoAmI tells the client's number, its pids on the host and in its container,
// and its network namespace. The shell itself opens what it reads from.
const whoAmI = `read -r pid rest <PROC/self/stat
echo "$0 $pid $$ $(readlink /proc/$$/ns/net)" >>OUT
grep -q ":/CGROUP\$" PROC/$pid/cgroup`

// What runs in a container has the pids that the truth has, and is in the
// container's cgroup and network.
func TestLiveContainers(t *testing.T) {
	for name, networks := range map[string]int{bridged: bridgedContainers, routed: len(podSizes), own: len(taskCables)} {
		t.Run(name, func(t *testing.T) {
			s, _ := newTestSite(t, name)
			seen := make(map[string]bool)
			for _, place := range s.places {
				seen[networkOf(t, s, place)] = true
			}
			if len(seen) != networks {
				t.Errorf("there are %d networks, not %d: %v", len(seen), networks, seen)
			}
		})
	}
}

func networkOf(t *testing.T, s *site, place *launcher) string {
	t.Helper()
	out := filepath.Join(s.dir, place.container.id)
	script := strings.NewReplacer("PROC", place.proc, "OUT", out, "CGROUP", place.cgroup).Replace(whoAmI)
	said, err := place.run(launch{atOnce: 1, first: 7, count: 1, users: "0", command: []string{"sh", "-c", script, "@"}, within: clientsWithin})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var number, host, inside int
	var network string
	if _, err := fmt.Sscan(string(content), &number, &host, &inside, &network); err != nil {
		t.Fatalf("%v: %q", err, content)
	}
	if want := fmt.Sprintf("7 %d %d 0\n", host, inside); string(said) != want || host == inside {
		t.Errorf("the launcher says %q, and the client %q", said, content)
	}
	return network
}

// A container ends with all its processes, and nothing of it is left.
func TestLiveContainerEnds(t *testing.T) {
	s, _ := newTestSite(t, bridged)
	place := s.places[0]
	end, err := place.sleepers(3, files)
	if err != nil {
		t.Fatal(err)
	}
	groups := append([]string(nil), s.cgroups.made...)
	if len(groups) < len(s.places) {
		t.Errorf("the cgroups are %q", groups)
	}
	for _, dir := range groups {
		signalAll(t, filepath.Join(dir, procsFile), syscall.SIGSTOP) // they do not end by themselves
	}
	ended := make(chan error)
	go func() { ended <- end() }()
	check(t, s.close())
	if <-ended == nil {
		t.Error("processes of a container outlive it")
	}
	if left := processesOf(t, s.path); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
	for _, dir := range groups {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	}
}

// signalAll sends a signal to the processes that a file lists.
func signalAll(t *testing.T, procs string, signal syscall.Signal) {
	t.Helper()
	text, err := os.ReadFile(procs)
	check(t, err)
	for line := range strings.Lines(string(text)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		check(t, err)
		check(t, syscall.Kill(pid, signal))
	}
}

// A container that cannot be leaves nothing either.
func TestLiveContainerFails(t *testing.T) {
	s, _ := newTestSite(t, direct)
	c := container{"none", newID(32), "docker/" + newID(32)}
	host := s.host.Namespace
	for name, start := range map[string]func() error{
		"no such program": func() error { _, err := newRunning(host, c, "/none", "/none", s.dir); return err },
		"no such cgroup":  func() error { _, err := newRunning(host, c, s.path, "/none", s.dir); return err },
		"no such network": func() error {
			_, err := newRunning(&testbed.Namespace{Path: "/none"}, c, s.path, "/none", s.dir)
			return err
		},
	} {
		if err := start(); err == nil {
			t.Errorf("%s, and nobody says so", name)
		}
	}
}

// When a run is interrupted, what is in its cgroups ends, and no more are made.
func TestLiveCgroupsClose(t *testing.T) {
	groups, err := newCgroups()
	if err != nil {
		t.Fatal(err)
	}
	path := "bench-test/" + newID(8)
	procs, err := groups.add(path)
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	if again, err := groups.add(path); err != nil || again != procs || len(groups.made) != 2 {
		t.Errorf("the cgroups are %q, %v", groups.made, err)
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	check(t, os.WriteFile(procs, []byte(fmt.Sprint(cmd.Process.Pid)), 0))
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	check(t, groups.close())
	if <-ended == nil {
		t.Error("its process was not killed")
	}
	if _, err := os.Stat(filepath.Join(groups.root, "bench-test")); err == nil {
		t.Error("there is a cgroup left")
	}
	if _, err := groups.add(path); err == nil {
		t.Error("there is a new cgroup")
	}
}

func TestRemoveCgroupGivesUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := removeCgroup(dir, time.Now()); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("it says %v", err)
	}
}
