//go:build faults

package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// stall has something happen while the program does not run, as on a machine whose
// processors are taken, or that was suspended.
func (f *fault) stall(t *testing.T, happen func()) {
	t.Helper()
	if err := f.program.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the program stands still", func() bool { return strings.Contains(f.stat(t), ") T ") })
	happen()
	if err := f.program.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// stat is what proc_pid_stat(5) has of the program.
func (f *fault) stat(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.program.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// flood has so many processes made, each of which ends at once.
func flood(t *testing.T, processes int) {
	t.Helper()
	script := fmt.Sprintf("import os\nfor i in range(%d):\n\tpid = os.fork()\n\tif pid == 0: os._exit(0)\n\tos.waitpid(pid, 0)", processes)
	if out, err := exec.Command(pythonPath(t), "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// reuse has another program run with a pid that was a caller's. The kernel gives out the
// one behind the last (ns_last_pid, Documentation/admin-guide/sysctl/kernel.rst).
func reuse(t *testing.T, pid int) {
	t.Helper()
	eventually(t, "another process with the pid", func() bool {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tool(t, "sleep"), "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if cmd.Process.Pid == pid {
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			return true
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return false
	})
}

// checkNames makes sure that no call is told to be of a program that did not call.
func (f *fault) checkNames(t *testing.T, names ...string) {
	t.Helper()
	for _, e := range f.entries {
		if e.Process.Name != "" && !slices.Contains(names, e.Process.Name) {
			t.Errorf("%+v is told to be of %+v", e.call, e.Process)
		}
	}
}

// Events find no room, in the rings of the tracepoints or in the socket of the proc
// connector, and the pids of callers are others' by the time that the program looks.
func TestFaultEventsLost(t *testing.T) {
	const processes = 8_000
	for _, way := range []string{"tracepoint", "sock_diag", "proc"} {
		t.Run(way, func(t *testing.T) {
			f := beginFault(t, fmt.Sprintf("%d processes while it stands still (SIGSTOP), `--attribution %s`", processes, way), "--attribution", way)
			f.call(t)
			f.logged(t)
			f.stall(t, func() {
				for range 5 {
					f.call(t)
				}
				flood(t, processes)
				f.call(t)
				reuse(t, f.calls[len(f.calls)-1].pid)
				reuse(t, f.calls[3].pid)
			})
			f.logged(t)
			for range 3 {
				f.call(t)
			}
			f.logged(t)
			f.end(t, 0)
			f.checkWhole(t, 6)
			f.checkNames(t, "curl")
			if way != "proc" && f.counts.Events == 0 {
				t.Error("no events were lost")
			}
			for _, e := range f.entries[len(f.entries)-3:] {
				if e.Process.Name != "curl" {
					t.Errorf("after it, %+v is told to be of %+v", e.call, e.Process)
				}
			}
			f.tell(t)
		})
	}
}

// What comes while the program stands still is in the log. Whichever is read first then,
// packets or the kernel's events, no call of it is taken for one that was not captured.
func TestFaultStall(t *testing.T) {
	for _, calls := range []int{200, 1000, 2500} {
		t.Run(strconv.Itoa(calls), func(t *testing.T) {
			f := beginFault(t, fmt.Sprintf("%d calls while it stands still (SIGSTOP), three times", calls))
			f.site.service.follow(rules{})
			for range 3 {
				f.stall(t, func() { f.load(t, calls) })
				f.call(t)
				f.logged(t)
			}
			f.end(t, 0)
			f.checkWhole(t, len(f.calls))
			if n := f.counts.WithoutPackets; n == nil || *n != 0 {
				t.Errorf("all calls are in the log, and counted is %+v", f.counts)
			}
			f.tell(t)
		})
	}
}

// A processor goes off and is back before the program looks at the list: its events are
// missing from then on.
func TestFaultProcessorBack(t *testing.T) {
	const processor = "/sys/devices/system/cpu/cpu1/online"
	turn := func(to string) {
		if err := os.WriteFile(processor, []byte(to), 0); err != nil {
			t.Errorf("this takes a second processor that can be switched off: %v", err)
		}
	}
	f := beginFault(t, "a processor goes off and comes back while it stands still (SIGSTOP)")
	f.call(t)
	f.logged(t)
	f.stall(t, func() {
		turn("0")
		turn("1")
	})
	eventually(t, "the word that a processor went", func() bool {
		_ = exec.Command(tool(t, "true")).Run() // which wakes who reads the events
		return len(f.program.complaints()) > 0
	})
	f.call(t)
	f.logged(t)
	f.end(t, 0)
	f.checkWhole(t, 1) // no SYN is told of at once
	f.checkSaid(t, "events on processes are not trusted any more")
	f.tell(t)
}

// More packets come while the program stands still than the kernel keeps.
func TestFaultPacketsLost(t *testing.T) {
	const calls = 15_000
	for _, on := range captureOn[:2] {
		t.Run(on[1], func(t *testing.T) {
			f := beginFault(t, fmt.Sprintf("%d calls while it stands still (SIGSTOP)", calls), on...)
			f.call(t)
			f.logged(t)
			f.site.service.follow(rules{})
			f.stall(t, func() { f.load(t, calls) })
			f.site.service.follow(rules{delay: lifeTime})
			f.call(t) // while it has much to read still
			f.logged(t)
			f.call(t)
			f.logged(t)
			last := f.calls[len(f.calls)-1]
			f.end(t, 3)
			if f.counts.Dropped == 0 {
				t.Error("no packets were dropped")
			}
			if !slices.ContainsFunc(f.entries, func(e liveEntry) bool { return e.call == last.call && e.Process.PID == last.pid }) {
				t.Errorf("the call after it is not attributed: %+v", last)
			}
			f.tell(t)
		})
	}
}

// Signals come all the time.
func TestFaultManySignals(t *testing.T) {
	f := beginFault(t, "signals without end (SIGURG, SIGWINCH, SIGCHLD) during 500 calls")
	stop, stopped := make(chan struct{}), make(chan struct{})
	sent := 0
	go func() {
		defer close(stopped)
		for ; ; sent++ {
			select {
			case <-stop:
				return
			default:
				_ = f.program.Process.Signal([]os.Signal{syscall.SIGURG, syscall.SIGWINCH, syscall.SIGCHLD}[sent%3])
			}
		}
	}()
	f.load(t, 500)
	close(stop)
	<-stopped
	if sent < 1000 {
		t.Errorf("%d signals only", sent)
	}
	f.end(t, 0)
	f.checkWhole(t, 0)
	f.checkSaid(t)
	f.tell(t)
}

// refusal is a system call that the kernel refuses the program: always, or with some
// arguments.
type refusal struct {
	number    uintptr
	arguments map[int]uint32
	with      syscall.Errno
}

// program is the filter that refuses it (seccomp(2)).
func (r refusal) program() []bpf.Instruction {
	const errno, allow, firstArgument, argumentSize = 0x00050000, 0x7fff0000, 16, 8
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(r.number), SkipTrue: 1},
		bpf.RetConstant{Val: allow},
	}
	for i, value := range r.arguments {
		program = append(program,
			bpf.LoadAbsolute{Off: firstArgument + argumentSize*uint32(i), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipTrue: 1},
			bpf.RetConstant{Val: allow})
	}
	return append(program, bpf.RetConstant{Val: errno | uint32(r.with)})
}

// install refuses it to the calling thread and what that starts.
func (r refusal) install() error {
	raw, err := bpf.Assemble(r.program())
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	filter := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return errno
	}
	return nil
}

// beginRefused starts the program on the host, where the kernel refuses it that.
func beginRefused(t *testing.T, what string, refused ...refusal) *fault {
	t.Helper()
	f := newFault(t, what)
	f.program = launch(t, refusing(t, f.site, refused...), liveCommand(f.arguments("--own-namespace")...))
	return f
}

// refusing is a thread on the host, to whose children the kernel refuses that.
func refusing(t *testing.T, s *site, refused ...refusal) *namespace {
	t.Helper()
	return newThread(t, func() error {
		if err := enterNetwork(s.host.path); err != nil {
			return err
		}
		for _, r := range refused {
			if err := r.install(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Arguments of socket(2).
func socketOf(family, protocol uint32, with syscall.Errno) refusal {
	return refusal{unix.SYS_SOCKET, map[int]uint32{0: family, 2: protocol}, with}
}

// What the kernel does not have, or not for us, is said, and calls are attributed in
// another way.
func TestFaultRefused(t *testing.T) {
	const trace, slower, connector = "tracepoint for connections cannot be used", "sock_diag does not work", "proc connector cannot be used"
	eventRing := uint32(256<<10 + os.Getpagesize()) // of up to 16 processors
	noTrace := refusal{unix.SYS_PERF_EVENT_OPEN, nil, syscall.EACCES}
	noDiag := socketOf(unix.AF_NETLINK, unix.NETLINK_SOCK_DIAG, syscall.EPROTONOSUPPORT)
	noConnector := socketOf(unix.AF_NETLINK, unix.NETLINK_CONNECTOR, syscall.EPROTONOSUPPORT)
	for _, test := range []struct {
		what    string
		refused []refusal
		said    []string
	}{
		{"perf_event_open refused (perf_event_paranoid)", []refusal{noTrace}, []string{trace}},
		{"no perf events in the kernel", []refusal{{unix.SYS_PERF_EVENT_OPEN, nil, syscall.ENOSYS}}, []string{trace}},
		{"no more descriptors for perf events", []refusal{{unix.SYS_PERF_EVENT_OPEN, nil, syscall.EMFILE}}, []string{trace}},
		{"no memory for the ring of events (mmap: ENOMEM)", []refusal{{unix.SYS_MMAP, map[int]uint32{1: eventRing}, syscall.ENOMEM}}, []string{trace}},
		{"events may not lock memory (mmap: EPERM)", []refusal{{unix.SYS_MMAP, map[int]uint32{1: eventRing}, syscall.EPERM}}, []string{trace}},
		{"no sock_diag", []refusal{noDiag}, []string{slower}},
		{"no proc connector", []refusal{noConnector}, nil},
		{"no perf events, no proc connector", []refusal{noTrace, noConnector}, []string{trace, connector}},
		{"no perf events, no sock_diag", []refusal{noTrace, noDiag}, []string{trace, slower}},
		{"no perf events, no sock_diag, no proc connector", []refusal{noTrace, noDiag, noConnector}, []string{trace, slower}},
		{"no pidfd_open", []refusal{{unix.SYS_PIDFD_OPEN, nil, syscall.ENOSYS}}, nil},
		{"no sched_setattr", []refusal{{unix.SYS_SCHED_SETATTR, nil, syscall.EPERM}}, []string{"read at normal priority"}},
		{"no namespaces to enter", []refusal{{unix.SYS_SETNS, nil, syscall.EPERM}}, nil},
		{"no filter of system calls", []refusal{{unix.SYS_SECCOMP, nil, syscall.ENOSYS}}, []string{"All system calls stay allowed"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			f := beginRefused(t, test.what, test.refused...)
			f.callTwice(t)
			f.checkSaid(t, test.said...)
			f.tell(t)
		})
	}
}

// Netlink has no room: neither sock_diag nor the look at routes and interfaces gets an
// answer, from the start.
func TestFaultNetlinkBusy(t *testing.T) {
	for _, test := range []struct {
		what string
		with syscall.Errno
		call uintptr
	}{
		{"netlink takes no requests (sendto: ENOBUFS)", syscall.ENOBUFS, unix.SYS_SENDTO},
		{"netlink's answers find no room (recvmsg: ENOBUFS)", syscall.ENOBUFS, unix.SYS_RECVMSG},
	} {
		for _, way := range []string{"tracepoint,sock_diag,proc", "sock_diag,proc"} {
			t.Run(test.what+" "+way, func(t *testing.T) {
				f := newFault(t, test.what+", `--attribution "+way+"`")
				f.program = launch(t, refusing(t, f.site, refusal{test.call, nil, test.with}), liveCommand(f.arguments("--own-namespace", "--attribution", way)...))
				f.callTwice(t)
				f.tell(t)
			})
		}
	}
}

// hiddenTracefs has empty file systems where a tracefs can be.
func hiddenTracefs() error {
	var errs []error
	for _, dir := range tracefsDirs {
		errs = append(errs, unix.Mount("empty", dir, "tmpfs", 0, ""))
	}
	return errors.Join(errs...)
}

// Where there is no tracefs to be seen the program mounts one for itself, if it may.
func TestFaultTracefsHidden(t *testing.T) {
	for _, test := range []struct {
		what    string
		without []int
		said    []string
	}{
		{"tracefs is hidden by an empty file system", nil, nil},
		{"the same, without CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, []string{"tracepoint for connections cannot be used", "proc connector cannot be used"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			f := newFault(t, test.what)
			host := privileged{capabilities: test.without, without: true, mounts: hiddenTracefs}
			f.program = launch(t, host.thread(t, f.site), liveCommand(f.arguments("--own-namespace")...))
			f.callTwice(t)
			f.checkSaid(t, test.said...)
			f.tell(t)
		})
	}
}

// A user who may trace, and not lock memory for it, for which there is an allowance, or
// have few threads.
func TestFaultUsersLimits(t *testing.T) {
	const user = 64123 // who runs nothing else
	for _, test := range []struct {
		limit string
		said  []string // in lines; nil if it does not start
	}{
		{"--memlock=0:0", []string{}},
		{"--nproc=1:1", nil},
		{"--nproc=64:64", []string{}},
	} {
		t.Run(test.limit, func(t *testing.T) {
			f := newFault(t, "a user with CAP_PERFMON, `"+test.limit+"`")
			own, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := liveCommand()
			cmd.Path, cmd.Dir = tool(t, "prlimit"), "/"
			cmd.Args = append([]string{"prlimit", test.limit, own, "--own-namespace"}, f.arguments()...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user},
				AmbientCaps: []uintptr{unix.CAP_NET_RAW, unix.CAP_PERFMON, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_SYS_NICE}}
			host := privileged{mounts: withTracefs, without: true}
			f.program = launch(t, host.thread(t, f.site), cmd)
			if test.said == nil {
				f.program.finish(t, 2)
				t.Logf("\n| %s | `%.60s`, exit status 2 | no log | 0, 0, 0 |", f.what, strings.TrimSpace(f.program.errors()))
				return
			}
			f.callTwice(t)
			f.checkSaid(t, test.said...)
			f.tell(t)
		})
	}
}

// Without packets there is nothing to do: that is said in a line.
func TestFaultNoCapture(t *testing.T) {
	packets := func(with syscall.Errno) refusal {
		return refusal{unix.SYS_SOCKET, map[int]uint32{0: unix.AF_PACKET}, with}
	}
	for _, test := range []struct {
		what    string
		refused refusal
		said    string
	}{
		{"packet sockets refused (EPERM)", packets(syscall.EPERM), "no permission"},
		{"no packet sockets in the kernel (EAFNOSUPPORT)", packets(syscall.EAFNOSUPPORT), "Address family not supported"},
		{"no memory for packet sockets (ENOMEM)", packets(syscall.ENOMEM), "annot allocate memory"},
		{"no room for what packet sockets read (recvfrom: ENOBUFS)", refusal{unix.SYS_RECVFROM, nil, syscall.ENOBUFS}, "No buffer space"},
		{"too many files of the machine for packet sockets (ENFILE)", packets(syscall.ENFILE), "oo many open files in system"},
	} {
		t.Run(test.what, func(t *testing.T) {
			f := beginRefused(t, test.what, test.refused)
			f.program.finish(t, 1)
			f.said = f.program.complaints()
			f.checkSaid(t, test.said)
			t.Logf("\n| %s | `%s`, exit status 1 | no log | 0, 0, 0 |", test.what, strings.TrimSpace(strings.Join(f.said, "")))
		})
	}
}

// limited starts the program with a limit of prlimit(1).
func limited(t *testing.T, limit, where string) *fault {
	t.Helper()
	f := newFault(t, "`"+limit+" "+where+"`")
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := liveCommand()
	cmd.Path = tool(t, "prlimit")
	cmd.Args = append([]string{"prlimit", limit, own, where}, f.arguments()...)
	f.program = launch(t, f.site.host, cmd)
	return f
}

// With little of what limits count the program captures all the same, or says why not.
func TestFaultLimits(t *testing.T) {
	for _, limit := range []string{
		"--nofile=8:8", "--nofile=12:12", "--nofile=16:16", "--nofile=20:20", "--nofile=24:24", "--nofile=28:28", "--nofile=32:32",
		"--nofile=40:40", "--nofile=64:64",
		"--memlock=0:0", "--core=0:0", "--stack=65536:65536", "--sigpending=0:0", "--msgqueue=0:0",
	} {
		for _, where := range []string{"--own-namespace", "--own-namespace=false"} {
			t.Run(limit+" "+where, func(t *testing.T) { testLimit(t, limit, where) })
		}
	}
}

// testLimit is one run of that, in one network namespace or all.
func testLimit(t *testing.T, limit, where string) {
	f := limited(t, limit, where)
	started := false
	f.program.err.until(func(lines []string, whole bool) bool {
		started = slices.ContainsFunc(lines, isStart)
		return started || whole
	})
	if !started {
		f.program.finish(t, 1)
		if f.said = f.program.complaints(); len(f.said) != 1 || len(f.program.err.soFar()) != 1 {
			t.Errorf("not one line: %.2000s", f.program.errors())
		}
		t.Logf("\n| %s | `%s`, exit status 1 | no log | 0, 0, 0 |", f.what, strings.TrimSpace(strings.Join(f.said, "")))
		return
	}
	f.call(t)
	f.call(t)
	f.logged(t)
	f.end(t, 0)
	f.checkWhole(t, 2)
	told := strings.Contains(strings.Join(f.said, ""), "callers may stay unknown")
	if !told && f.attributed() < len(f.calls) {
		t.Errorf("%d of %d are attributed, and told is %q", f.attributed(), len(f.calls), f.said)
	}
	f.tell(t)
}
