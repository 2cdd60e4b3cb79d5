package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Containers come, call and go, and nothing of them is left.
func TestLiveChurn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result")
	s, _ := newTestSite(t, direct, "-ways", "proc", "-churn", "4", "-json", file)
	s.binary = fakeProgram(t, strings.Replace(waits, "STATUS", "0", 1), started)
	if err := s.churns(); err != nil {
		t.Fatal(err)
	}
	var all []churned
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil || len(all) != 1 || len(all[0].Run.Rows) != 3 {
		t.Fatalf("%v, %s", err, text)
	}
	c := all[0]
	if before := c.Before; before.Threads != 1 || c.After.Interfaces != 5 || before.RSS == 0 || before.Interfaces != 5 || before.Files["file"] == 0 || len(c.After.more(before)) > 0 {
		t.Errorf("before there were %v, and then %v", before, c.After)
	}
	host, bridge, tasks := c.Run.Rows[0].Calls, c.Run.Rows[1].Calls, c.Run.Rows[2].Calls
	if host == 0 || host%hostCalls != 0 || bridge+tasks != warmUp+4 || bridge != tasks {
		t.Errorf("there were %d calls on the host, and %d and %d in containers", host, bridge, tasks)
	}
}

// Guests call the service, as what is recorded.
func TestLiveGuests(t *testing.T) {
	s, service := newTestSite(t, guests)
	m := newChurnMade()
	for i := range 4 {
		calls, err := s.guest(i)
		if err != nil {
			t.Fatal(err)
		}
		m.clients = append(m.clients, calls...)
	}
	calls := service.calls(t)
	for _, c := range m.clients {
		checkCalls(t, "get", c, calls, 1)
	}
	if len(calls) != 4 || len(s.running) != 0 || len(s.cgroups.made) != 0 {
		t.Errorf("there were %d calls; %d containers and %q are left", len(calls), len(s.running), s.cgroups.made)
	}
}

// What is held is counted, and what goes is not.
func TestHoldingsOf(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h, err := holdingsOf(cmd.Process.Pid)
	if err != nil || h.Threads != 1 || h.Files["pipe"] == 0 {
		t.Errorf("%v, %v", h, err)
	}
	check(t, in.Close())
	check(t, cmd.Wait())
	if _, err := holdingsOf(cmd.Process.Pid); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it has ended, and there is no error but %v", err)
	}
}
