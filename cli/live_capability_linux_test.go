package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is the user who has no files and, but for these tests, no processes.
const nobody = 65534

// What of a process has been told.
const (
	notFound     = "not found"
	noExecutable = "without executable"
	whole        = "whole"
)

// privileged is how the program is started, and what it does with that: this
// is the table of docs/privileges.md.
type privileged struct {
	name string
	user int
	// capabilities are those that it starts with. Root has all of them that
	// are not taken away, which is what they are if without is set.
	capabilities []int
	without      bool
	mounts       func() error // what else is different, in a mount namespace of its own

	methods string
	// roots and own are calls by processes of root, with all capabilities, and
	// of nobody.
	roots, own string
	kept       []int
	said       []string // words in each line that it complains with
}

// inDocker is what docker leaves to root.
var inDocker = []int{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID,
	unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_RAW, unix.CAP_SYS_CHROOT, unix.CAP_MKNOD, unix.CAP_AUDIT_WRITE, unix.CAP_SETFCAP,
}

func privileges() []privileged {
	const (
		raw, ptrace, search, perfmon, admin, nice = unix.CAP_NET_RAW, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_PERFMON, unix.CAP_SYS_ADMIN, unix.CAP_SYS_NICE
		all, later                                = "tracepoint sock_diag proc", "sock_diag proc"
		noTrace, slow, noLinks, unseen            = "tracepoint for connections cannot be used", "CAP_SYS_NICE", "without their executables", "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
		noEvents                                  = "proc connector cannot be used" // in a network namespace of the test's
	)
	both := []int{search, ptrace}
	return []privileged{
		{"root", 0, nil, true, withoutTracefs, all, whole, whole, both, nil},
		{"root, processes hidden", 0, nil, true, hidingProcesses, all, whole, whole, both, nil},
		{"root without IPC_LOCK", 0, []int{unix.CAP_IPC_LOCK}, true, withoutTracefs, all, whole, whole, both, nil},
		{"root without SYS_NICE", 0, []int{nice}, true, withoutTracefs, all, whole, whole, both, []string{slow}},
		{"root without SYS_ADMIN", 0, []int{admin}, true, withoutTracefs, later, whole, whole, both, []string{"mount -t tracefs", noEvents}},
		{"root without SYS_ADMIN, tracefs mounted", 0, []int{admin}, true, withTracefs, all, whole, whole, both, nil},
		{"root without SYS_ADMIN and PERFMON", 0, []int{admin, perfmon}, true, withTracefs, later, whole, whole, both, []string{"CAP_PERFMON", noEvents}},
		{"root in a container", 0, inDocker, false, withTracefs, later, notFound, notFound, inDocker, []string{noTrace, unseen, noEvents}},
		{"nobody, to capture", nobody, []int{raw}, false, withTracefs, later, notFound, whole, nil, []string{"or with CAP_DAC_READ_SEARCH", unseen, noEvents}},
		{"nobody, to trace", nobody, []int{raw, perfmon, search}, false, withTracefs, all, noExecutable, whole, []int{search}, []string{slow, noLinks, unseen}},
		{"nobody, to search", nobody, []int{raw, search, ptrace}, false, withTracefs, later, whole, whole, both, []string{"CAP_PERFMON", noEvents}},
		{"nobody, as a service", nobody, []int{raw, perfmon, search, ptrace, nice}, false, withTracefs, all, whole, whole, both, nil},
		{"nobody, before Linux 5.8", nobody, []int{raw, admin, search, ptrace, nice}, false, withoutTracefs, all, whole, whole, both, nil},
		{"nobody, processes hidden", nobody, []int{raw, perfmon, search, ptrace, nice}, false, hidingProcesses, all, whole, whole, both, nil},
	}
}

func TestLiveCapabilities(t *testing.T) {
	t.Parallel()
	for _, test := range privileges() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.service.follow(rules{delay: 4 * lifeTime}) // sixteen of these run beside each other
			p := test.watch(t, s)
			test.checkThreads(t, p)
			roots, own := s.curlAs(t, s.host, 0), s.curlAs(t, s.host, nobody)
			log := p.stop(t, os.Interrupt)
			entries := entriesOf(t, log)
			if len(entries) != 2 {
				t.Fatalf("%d entries", len(entries))
			}
			checkTold(t, "root's process", entries[0], roots, test.roots)
			checkTold(t, "nobody's process", entries[1], own, test.own)
			test.checkSaid(t, p)
			first, _, _ := strings.Cut(log, "\n")
			if methods := strings.Join(detailsOf(t, first).IMDS.Capture.Methods, " "); methods != test.methods {
				t.Errorf("it uses %s, not %s", methods, test.methods)
			}
		})
	}
}

// Root in a container sees into processes that have no more capabilities than
// it has. That must not end with the dropping of privileges.
func TestLiveContainersRoot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime})
	inside := (&privileged{capabilities: inDocker, mounts: withTracefs}).thread(t, s)
	p := inside.watch(t)
	pid := s.curlAs(t, inside, 0)
	entries := entriesOf(t, p.stop(t, os.Interrupt))
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	checkTold(t, "the process in the container", entries[0], pid, whole)
}

// watch starts the program on the site's host.
func (test *privileged) watch(t *testing.T, s *site) *liveProgram {
	t.Helper()
	cmd := liveCommand("--own-namespace")
	if test.user != 0 {
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(test.user), Gid: uint32(test.user)}}
		for _, c := range test.capabilities {
			cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, uintptr(c))
		}
	}
	p := launch(t, test.thread(t, s), cmd)
	p.awaitStart(t)
	return p
}

// thread makes a thread on the site's host whose children are root with these
// capabilities, or may become another user with them.
func (test *privileged) thread(t *testing.T, s *site) *namespace {
	t.Helper()
	return newThread(t, func() error {
		if err := enterNetwork(s.host.path); err != nil {
			return err
		}
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := test.mounts(); err != nil || test.user != 0 {
			return err
		}
		return test.bound()
	})
}

// bound takes from what children of this thread can have.
func (test *privileged) bound() error {
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if slices.Contains(test.capabilities, c) != test.without {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("drop the capability %d: %w", c, err)
		}
	}
	return nil
}

func enterNetwork(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
}

// tracefsDirs are where a tracefs can be mounted.
var tracefsDirs = []string{"/sys/kernel/tracing", "/sys/kernel/debug"}

func withoutTracefs() error {
	for _, dir := range tracefsDirs {
		for unix.Unmount(dir, unix.MNT_DETACH) == nil { // until none is there
		}
	}
	return nil
}

// withTracefs mounts a tracefs, if there is none in its place yet.
func withTracefs() error {
	if err := unix.Mount("tracefs", tracefsDirs[0], "tracefs", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		return err
	}
	return nil
}

// hidingProcesses mounts a /proc that shows users nothing of others.
func hidingProcesses() error {
	return errors.Join(withTracefs(), unix.Mount("proc", "/proc", "proc", 0, "hidepid=2"))
}

// curlAs runs curl as the user in a namespace, until it has the answer, and
// returns its pid.
func (s *site) curlAs(t *testing.T, n *namespace, user uint32) int {
	t.Helper()
	before := len(s.service.log.soFar())
	cmd := exec.Command(tool(t, "curl"), "-s", "http://169.254.169.254/latest/meta-data/hostname")
	cmd.Env, cmd.Dir = plainEnvironment(), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	if err := n.start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	s.service.calls(t, before, 1)
	return cmd.Process.Pid
}

// checkTold makes sure that as much of a process was told as there was to be.
func checkTold(t *testing.T, whose string, e liveEntry, pid int, want string) {
	t.Helper()
	got := whole
	switch {
	case e.Process.PID == 0:
		got = notFound
	case e.Process.PID != pid:
		t.Errorf("%s %d is told as %d", whose, pid, e.Process.PID)
	case e.Process.Executable == "" && e.Process.WorkingDirectory == "":
		got = noExecutable
	}
	if got != want {
		t.Errorf("%s is told %s, not %s: %+v", whose, got, want, e.liveDetails)
	}
}

// checkThreads makes sure that it has kept what is in use.
func (test *privileged) checkThreads(t *testing.T, p *liveProgram) {
	t.Helper()
	set := setOf(test.kept)
	for _, state := range threadStates(t, p.Process.Pid) {
		if state.effective != set || state.permitted != set || state.ambient != 0 || state.inheritable != 0 || !state.noNew {
			t.Fatalf("%+v, not %x", state, set)
		}
	}
}

// checkSaid makes sure that what does not work is said, each in one line.
func (test *privileged) checkSaid(t *testing.T, p *liveProgram) {
	t.Helper()
	complaints := p.complaints()
	if len(complaints) != len(test.said) {
		t.Fatalf("%q, not %q", complaints, test.said)
	}
	for i, words := range test.said {
		if !strings.Contains(complaints[i], words) {
			t.Errorf("there is no %q in %q", words, complaints[i])
		}
	}
}
