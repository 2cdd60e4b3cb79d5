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
			checkPunctual(t, p)
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

// What is given up besides stands in the log. A program that the capture does not run
// cannot be run by who takes it over.
func TestLiveConfined(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		flags    []string
		confined string
		seccomp  int
	}{
		{[]string{"--no-packages"}, "no_core_dumps no_new_privs seccomp no_exec", filtered},
		{[]string{"--no-packages", "--enrich", tool(t, "true")}, "no_core_dumps no_new_privs seccomp", filtered},
		{[]string{"--no-packages", "--no-seccomp"}, "no_core_dumps no_new_privs", 0},
	} {
		t.Run(strings.Join(test.flags, " "), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t, test.flags...)
			for _, state := range threadStates(t, p.Process.Pid) {
				if state.seccomp != test.seccomp || !state.noNew {
					t.Errorf("%+v", state)
				}
			}
			checkUndumpable(t, p)
			first, _, _ := strings.Cut(p.stop(t, os.Interrupt), "\n")
			if confined := strings.Join(detailsOf(t, first).IMDS.Capture.Confined, " "); confined != test.confined {
				t.Errorf("the log tells %q, not %q", confined, test.confined)
			}
		})
	}
}

// checkPunctual makes sure that one thread alone may wake up late, the runtime's monitor.
func checkPunctual(t *testing.T, p *liveProgram) {
	t.Helper()
	const usual = 50_000 // ns, PR_SET_TIMERSLACK, prctl(2)
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	late := 0
	for _, thread := range threads {
		slack, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
		if ns, _ := strconv.Atoi(strings.TrimSpace(string(slack))); err == nil && ns > usual {
			late++
		}
	}
	if late != 1 {
		t.Errorf("%d of %d threads may be late", late, len(threads))
	}
}

// checkUndumpable makes sure that a crash of the program writes no memory.
func checkUndumpable(t *testing.T, p *liveProgram) {
	t.Helper()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if name, values, _ := strings.Cut(line, "size"); name == "Max core file " && strings.Join(strings.Fields(values), " ") != "0 0 bytes" {
			t.Errorf("core dumps are limited to %s", values)
		}
	}
}

// filtered is the mode of seccomp in which calls are filtered (proc_pid_status(5)).
const filtered = 2

// threadState is what a thread may do (proc_pid_status(5)).
type threadState struct {
	effective, permitted, bounding, inheritable, ambient uint64
	noNew                                                bool
	seccomp                                              int
	uids, groups                                         string
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
		switch name {
		case "NoNewPrivs":
			s.noNew = value == "1"
		case "Seccomp":
			s.seccomp, _ = strconv.Atoi(value)
		case "Uid":
			s.uids = value
		case "Groups":
			s.groups = strings.TrimSpace(value)
		}
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
	want := threadState{effective: set, permitted: set, noNew: true, seccomp: filtered, uids: "0\t0\t0\t0"}
	for _, state := range threadStates(t, p.Process.Pid) {
		if state.groups = ""; state != want {
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
