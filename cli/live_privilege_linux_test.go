package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is in use still is kept, in each thread and each set, and the rest is
// gone for good. The capture goes on with that.
func TestLivePrivilegesAreDropped(t *testing.T) {
	t.Parallel()
	const ptrace, readSearch, admin, nice = unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_ADMIN, unix.CAP_SYS_NICE
	for _, test := range []struct {
		flags []string
		kept  []int
	}{
		{nil, []int{readSearch, ptrace}},
		{[]string{"-i", hostInterface, "-i", "lo"}, []int{readSearch, ptrace}},
		{[]string{"--attribution", "tracepoint"}, []int{ptrace}},
		{[]string{"--attribution", "sock_diag,proc"}, []int{readSearch, ptrace, admin}},
		{[]string{"--attribution", "proc"}, []int{readSearch, ptrace}},
		{[]string{"--realtime"}, []int{readSearch, ptrace, nice}},
	} {
		t.Run(strings.Join(append([]string{"flags"}, test.flags...), " "), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t, append(test.flags, "-w", filepath.Join(t.TempDir(), "saved.pcapng"))...)
			checkDropped(t, p, test.kept)
			calls := s.visits(t, curlOf(t))
			checkDropped(t, p, test.kept) // threads that were started since, too
			log := p.stop(t, os.Interrupt)
			check(t, log, calls)
			checkKept(t, log, test.kept)
			checkUptime(t, log)
			if complaints := p.complaints(); len(complaints) != 0 {
				t.Errorf("%q", complaints)
			}
		})
	}
}

// Reading a file needs no privilege, and gives none up: it may have to wait for
// one that only root may read.
func TestPrivilegesOfFilesStay(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	cmd := liveCommand("-r", "-")
	cmd.Stdin = reader
	p := launch(t, newNamespace(t), cmd)
	p.out.wait(t, "the start", func(lines []string) bool { return len(lines) > 0 })
	own := threadStates(t, os.Getpid())[0]
	for _, state := range threadStates(t, p.Process.Pid) {
		if state != own {
			t.Errorf("%+v, not %+v", state, own)
		}
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// threadState is what a thread may do (proc_pid_status(5)).
type threadState struct {
	effective, permitted, bounding, inheritable, ambient uint64
	noNew                                                bool
}

// threadStates are those of all threads of a process.
func threadStates(t *testing.T, pid int) (states []threadState) {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		// A thread can end meanwhile.
		if text, err := os.ReadFile(path); err == nil {
			states = append(states, parseThreadState(t, string(text)))
		}
	}
	if len(states) == 0 {
		t.Fatalf("process %d has no threads", pid)
	}
	return states
}

func parseThreadState(t *testing.T, status string) (s threadState) {
	t.Helper()
	fields := map[string]*uint64{
		"CapEff": &s.effective, "CapPrm": &s.permitted, "CapBnd": &s.bounding, "CapInh": &s.inheritable, "CapAmb": &s.ambient,
	}
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if set := fields[name]; set != nil {
			var err error
			if *set, err = strconv.ParseUint(value, 16, 64); err != nil {
				t.Fatal(err)
			}
		}
		s.noNew = s.noNew || name == "NoNewPrivs" && value == "1"
	}
	return s
}

// setOf is a set of capabilities as the kernel writes it.
func setOf(capabilities []int) (set uint64) {
	for _, c := range capabilities {
		set |= 1 << c
	}
	return set
}

// checkDropped makes sure that the program has these capabilities only.
func checkDropped(t *testing.T, p *liveProgram, kept []int) {
	t.Helper()
	set := setOf(kept)
	want := threadState{effective: set, permitted: set, bounding: set, noNew: true}
	for _, state := range threadStates(t, p.Process.Pid) {
		if state != want {
			t.Fatalf("%+v, not %+v", state, want)
		}
	}
}

// checkKept makes sure that the log tells the capabilities.
func checkKept(t *testing.T, log string, kept []int) {
	t.Helper()
	first, _, _ := strings.Cut(log, "\n")
	names := map[string]int{
		"CAP_DAC_READ_SEARCH": unix.CAP_DAC_READ_SEARCH, "CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE,
		"CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN, "CAP_SYS_NICE": unix.CAP_SYS_NICE,
		"CAP_KILL": unix.CAP_KILL, "CAP_SETGID": unix.CAP_SETGID, "CAP_SETUID": unix.CAP_SETUID,
	}
	var told []int
	for _, name := range detailsOf(t, first).IMDS.Capture.Capabilities {
		told = append(told, names[name])
	}
	if setOf(told) != setOf(kept) {
		t.Errorf("the log tells %v, not %v", told, kept)
	}
}
