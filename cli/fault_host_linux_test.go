//go:build faults

package cli_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Faults of the host: rights, /proc, disks, memory, signals. The rows that the tests log are
// those of the table in docs/faults.md.

// faultRow logs a row of the table.
func faultRow(t *testing.T, what string, p *liveProgram, counted string, made, reported, attributed int) {
	t.Helper()
	said := "nothing"
	if complaints := p.complaints(); len(complaints) > 0 {
		said = "`" + strings.TrimSpace(strings.ReplaceAll(strings.Join(complaints, ""), "imds-analyzer: ", "")) + "`"
	}
	t.Logf("\n| %s | %s | %s | %d, %d, %d |", what, strings.ReplaceAll(said, "\n", "` `"), counted, made, reported, attributed)
}

// checkRightOrUnknown makes sure that nobody but the caller is named for a call, and that
// the log says what works at its start. It returns how many callers are named.
func checkRightOrUnknown(t *testing.T, log string, pids []int) (named int) {
	t.Helper()
	entries := entriesOf(t, log)
	if len(entries) != len(pids) {
		t.Fatalf("%d calls are in the log, %d were made", len(entries), len(pids))
	}
	for i, e := range entries {
		switch {
		case e.Process.PID == 0 && (e.Process.Name != "" || e.Process.Executable != ""):
			t.Errorf("a process without pid is told: %+v", e.Process)
		case e.Process.PID == 0:
			if status := e.IMDS.Attribution.Status; status != "not_found" && status != "unavailable" {
				t.Errorf("nobody is named, and the status is %s", status)
			}
		case e.Process.PID != pids[i] || e.Process.Name != "" && e.Process.Name != "curl":
			t.Errorf("%d (%s) is named for a call of %d", e.Process.PID, e.Process.Name, pids[i])
		default:
			named++
		}
	}
	return named
}

// countNamed is how many of the entries have a process.
func countNamed(entries []liveEntry) (n int) {
	for _, e := range entries {
		if e.Process.PID != 0 {
			n++
		}
	}
	return n
}

// limitsOf is what a log says at its start that does not work.
func limitsOf(t *testing.T, log string) string {
	t.Helper()
	first, _, _ := strings.Cut(log, "\n")
	_, rest, ok := strings.Cut(first, `"limits":[`)
	if !ok {
		return "nothing"
	}
	limits, _, _ := strings.Cut(rest, "],")
	return "`limits`: " + strconv.Itoa(strings.Count(limits, `.",`)+1)
}

// Each capability alone is taken from root.
func TestFaultCapabilities(t *testing.T) {
	for _, c := range []struct {
		name   string
		number int
		ends   bool
		named  int // of two callers, root's and nobody's
	}{
		{"CAP_NET_RAW", unix.CAP_NET_RAW, true, 0},
		{"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN, false, 2},
		{"CAP_PERFMON", unix.CAP_PERFMON, false, 2},
		{"CAP_SYS_PTRACE", unix.CAP_SYS_PTRACE, false, 2},
		{"CAP_DAC_READ_SEARCH", unix.CAP_DAC_READ_SEARCH, false, 2},
		{"CAP_DAC_OVERRIDE", unix.CAP_DAC_OVERRIDE, false, 2},
		{"CAP_IPC_LOCK", unix.CAP_IPC_LOCK, false, 2},
		{"CAP_SYS_NICE", unix.CAP_SYS_NICE, false, 2},
		{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN, false, 2},
		{"CAP_SETPCAP", unix.CAP_SETPCAP, false, 2},
		{"CAP_SETUID", unix.CAP_SETUID, false, 2},
		{"CAP_KILL", unix.CAP_KILL, false, 2},
		{"CAP_SYS_RESOURCE", unix.CAP_SYS_RESOURCE, false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.service.follow(rules{delay: lifeTime})
			test := privileged{capabilities: []int{c.number}, without: true, mounts: withTracefs}
			p := launch(t, test.thread(t, s), liveCommand("--own-namespace", "--format", "json"))
			if c.ends {
				checkFailure(t, p, "permission", c.name)
				faultRow(t, "root without "+c.name, p, "ends with status 1", 0, 0, 0)
				return
			}
			p.awaitStart(t)
			pids := []int{s.curlAs(t, s.host, 0), s.curlAs(t, s.host, nobody)}
			log := p.stop(t, syscall.SIGTERM)
			named := checkRightOrUnknown(t, log, pids)
			if named != c.named {
				t.Errorf("%d callers are named, not %d", named, c.named)
			}
			if told := p.complaints(); (len(told) > 0) != (limitsOf(t, log) != "nothing") {
				t.Errorf("people were told %q, and the log says %s", told, limitsOf(t, log))
			}
			faultRow(t, "root without "+c.name, p, limitsOf(t, log), 2, 2, named)
		})
	}
}

// remountProc mounts /proc anew with options.
func remountProc(options string) func() error {
	return func() error {
		return errors.Join(withTracefs(), unix.Mount("proc", "/proc", "proc", 0, options))
	}
}

// strangeProc mounts the /proc of a container's pid namespace, in which a process lives.
func strangeProc() error {
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", "mount -t proc proc /proc && echo done && exec tail -f /dev/null")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL} // it ends with the thread
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := io.ReadFull(out, make([]byte, len("done"))); err != nil {
		return fmt.Errorf("mount another /proc: %w", err)
	}
	return withTracefs()
}

func withoutProc() error { return errors.Join(withTracefs(), unix.Unmount("/proc", unix.MNT_DETACH)) }

// Other kinds of /proc, in the place of the host's.
func TestFaultProc(t *testing.T) {
	for _, test := range []struct {
		privileged
		named int
		says  string
	}{
		{privileged{name: "`hidepid=2`", without: true, mounts: remountProc("hidepid=2")}, 2, ""},
		{privileged{name: "`hidepid=2`, without CAP_SYS_PTRACE", without: true, capabilities: []int{unix.CAP_SYS_PTRACE}, mounts: remountProc("hidepid=2")}, 2, "CAP_SYS_PTRACE"},
		{privileged{name: "`subset=pid`", without: true, mounts: remountProc("subset=pid")}, 2, ""},
		{privileged{name: "/proc of a container", without: true, mounts: strangeProc}, 0, "another pid namespace"},
		{privileged{name: "no /proc", without: true, mounts: withoutProc}, 0, "No process can be found without /proc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.service.follow(rules{delay: lifeTime})
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := liveCommand("--own-namespace", "--format", "json")
			cmd.Path = self // where /proc has it no more
			p := launch(t, test.thread(t, s), cmd)
			p.awaitStart(t)
			pids := []int{s.curlAs(t, s.host, 0), s.curlAs(t, s.host, nobody)}
			log := p.stop(t, syscall.SIGTERM)
			named := checkRightOrUnknown(t, log, pids)
			if named != test.named || !strings.Contains(p.errors(), test.says) || test.says != "" && !strings.Contains(log, test.says) {
				t.Errorf("%d callers are named, not %d: %s", named, test.named, p.errors())
			}
			faultRow(t, test.name, p, limitsOf(t, log), 2, 2, named)
		})
	}
}

// A container without the host's pids: its own /proc, or the host's mounted in its place.
// One process outside and one inside call. A number means another process there: whoever is
// named has to be the one that called, with its arguments.
func TestFaultPIDNamespace(t *testing.T) {
	for _, test := range []struct {
		name, mount string
		flags       []string
		named       int
		says        string
	}{
		{"a pid namespace of its own", "--mount-proc", nil, 1, "This is a pid namespace of its own"},
		{"the same, `--attribution sock_diag`", "--mount-proc", []string{"--attribution", "sock_diag"}, 1, "This is a pid namespace of its own"},
		{"a pid namespace of its own, with the host's /proc", "--mount", nil, 2, "with other numbers than the kernel tells of"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.service.follow(rules{delay: lifeTime})
			cue := filepath.Join(t.TempDir(), "cue")
			inside := fmt.Sprintf(`"$0" "$@" & until [ -e %s ]; do sleep 0.01; done; curl -s http://169.254.169.254/latest/meta-data/inside >/dev/null; wait`, cue)
			live := liveCommand()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"--pid", "--fork", "--kill-child", test.mount, "sh", "-c", inside, self, "--own-namespace", "--format", "json", "--count", "2"}, test.flags...)
			cmd := exec.Command(tool(t, "unshare"), args...)
			cmd.Env = append(live.Env, "no_proxy=*")
			p := launch(t, s.host, cmd)
			p.awaitStart(t)
			outside := s.curlAs(t, s.host, 0)
			if err := os.WriteFile(cue, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			log := p.finish(t, 0)
			entries := entriesOf(t, log)
			named := 0
			for _, e := range entries {
				last := e.target[strings.LastIndex(e.target, "/"):]
				if e.Process.PID == 0 {
					continue
				}
				named++
				if e.Process.Name != "curl" || !strings.Contains(strings.Join(e.Process.Args, " "), last) || last == "/hostname" && e.Process.PID != outside {
					t.Errorf("%+v is named for %s", e.Process, e.target)
				}
			}
			if len(entries) != 2 || named != test.named || !strings.Contains(p.errors(), test.says) || !strings.Contains(log, test.says) {
				t.Errorf("%d entries, %d callers named, not %d: %s", len(entries), named, test.named, p.errors())
			}
			faultRow(t, test.name, p, limitsOf(t, log), 2, len(entries), named)
		})
	}
}

// outputs are all files that a capture keeps, on one disk.
type outputs struct{ log, state, saved, metrics string }

func outputsIn(dir string) outputs {
	in := func(name string) string { return filepath.Join(dir, name) }
	return outputs{in("log"), in("state"), in("saved.pcapng"), in("metrics.prom")}
}

func (o *outputs) flags() []string {
	return []string{"--max-entry-rate", "0", "-o", o.log, "--state", o.state, "-w", o.saved, "--metrics-textfile", o.metrics, "--metrics-interval", "1s"}
}

// The disk of all outputs is full, or files may not grow, and that passes: the log and the
// state have all, what the file of packets lacks is counted, and all are whole.
func TestFaultDisk(t *testing.T) {
	const size = 1 << 20
	for _, test := range []struct {
		name, says string
		begin, end func(*testing.T, *site, *liveProgram, string)
	}{
		{"the disk is full", "no space left on device",
			func(t *testing.T, s *site, _ *liveProgram, dir string) {
				fill := func() error {
					err := os.WriteFile(filepath.Join(dir, "other"), make([]byte, size), 0o600)
					if !errors.Is(err, unix.ENOSPC) {
						return fmt.Errorf("the disk has room: %w", err)
					}
					return nil
				}
				if err := s.host.do(fill); err != nil {
					t.Fatal(err)
				}
			},
			func(t *testing.T, s *site, _ *liveProgram, dir string) {
				if err := s.host.do(func() error { return os.Remove(filepath.Join(dir, "other")) }); err != nil {
					t.Fatal(err)
				}
			}},
		{"files may not grow (RLIMIT_FSIZE)", "file too large",
			func(t *testing.T, _ *site, p *liveProgram, _ string) { limitFiles(t, p, 16) },
			func(t *testing.T, _ *site, p *liveProgram, _ string) { limitFiles(t, p, unix.RLIM_INFINITY) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			dir := s.host.smallDisk(t, strconv.Itoa(size))
			o := outputsIn(dir)
			p := s.host.watch(t, o.flags()...)
			calls := s.load(t, 20)
			test.begin(t, s, p, dir)
			calls = append(calls, s.load(t, 50)...)
			p.says(t, "cannot write to "+o.log)
			p.says(t, "packets cannot be saved to "+o.saved)
			p.says(t, "cannot write the metrics")
			test.end(t, s, p, dir)
			p.says(t, o.log+" is written again, no entry is missing from it")
			eventually(t, "packets are saved again", func() bool {
				calls = append(calls, s.load(t, 1)...)
				return strings.Contains(p.errors(), "packets are saved to "+o.saved+" again")
			})
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			p.finish(t, 3) // packets are missing
			if !strings.Contains(p.errors(), test.says) {
				t.Errorf("said was %s", p.errors())
			}
			log := s.host.read(t, o.log)
			entries := entriesOf(t, log)
			checkSeen(t, entries, calls)
			checkCallers(t, entries, calls, false)
			checkOutputs(t, s, o, len(calls))
			if !strings.Contains(log, `"packets_not_saved":`) {
				t.Error("the log counts no packets that are missing")
			}
			faultRow(t, test.name+", and is not any more", p, "`packets_not_saved`", len(calls), len(entries), countNamed(entries))
		})
	}
}

func limitFiles(t *testing.T, p *liveProgram, size uint64) {
	t.Helper()
	if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
}

// checkOutputs makes sure that what a capture has kept besides its log can be read, and that
// the saved packets say that some are missing.
func checkOutputs(t *testing.T, s *site, o outputs, calls int) {
	t.Helper()
	state := write(t, t.TempDir(), "state", s.host.read(t, o.state))
	if got := reportOn(t, state); got.Calls.V1 != uint64(calls) {
		t.Errorf("the state has %d calls of %d", got.Calls.V1, calls)
	}
	saved := write(t, t.TempDir(), "saved.pcapng", s.host.read(t, o.saved))
	if r := run("-r", saved); r.status != 3 || !strings.Contains(r.err, "packets were dropped") {
		t.Errorf("the saved packets: exit status %d: %s", r.status, r.err)
	}
	if text := s.host.read(t, o.metrics); !strings.Contains(text, "imds_analyzer_up 0\n") {
		t.Errorf("the metrics: %.200s", text)
	}
}

// The log is deleted, and with it its directory: it is made anew as soon as it can be.
func TestFaultLogDeleted(t *testing.T) {
	s := newSite(t)
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	p := s.host.watch(t, "--max-entry-rate", "0", "-o", log)
	before := s.load(t, 5)
	eventually(t, "the last entry", func() bool { return strings.Count(readFile(t, log), "\n") == 1+len(before) })
	deleted := readFile(t, log)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	meanwhile := s.load(t, 5)
	p.says(t, "cannot write to "+log)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p.says(t, log+" is written again, no entry is missing from it")
	calls := append(append(before, meanwhile...), s.load(t, 5)...)
	p.stop(t, syscall.SIGTERM)
	entries := entriesOf(t, deleted+readFile(t, log))
	checkSeen(t, entries, calls)
	checkCallers(t, entries, calls, false)
	faultRow(t, "the log's directory is deleted, and made again", p, "nothing", len(calls), len(entries), countNamed(entries))
}

// memoryGroup makes a control group with a limit of memory (version 1), and returns its
// directory.
func memoryGroup(t *testing.T, limit int) string {
	t.Helper()
	dir, err := os.MkdirTemp("/sys/fs/cgroup/memory", "imds-analyzer-fault-")
	if err != nil {
		t.Fatalf("this takes a memory controller of version 1: %v", err)
	}
	t.Cleanup(func() { eventually(t, "the end of "+dir, func() bool { return os.Remove(dir) == nil }) })
	if err := os.WriteFile(filepath.Join(dir, "memory.limit_in_bytes"), []byte(strconv.Itoa(limit)), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inGroup has the command run in a control group.
func inGroup(t *testing.T, dir string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := `echo $$ >` + dir + `/cgroup.procs && exec "$0" "$@"`
	in := exec.Command("sh", append([]string{"-c", script, self}, cmd.Args[1:]...)...)
	in.Env = cmd.Env
	return in
}

// There is little memory, and none: either all is as always, or the kernel ends the program,
// and the next start says what is missing.
func TestFaultMemory(t *testing.T) {
	const load = 2000
	for _, mib := range []int{96, 64} {
		t.Run(strconv.Itoa(mib), func(t *testing.T) {
			s := newSite(t)
			log := filepath.Join(t.TempDir(), "log")
			group := memoryGroup(t, mib<<20)
			p := launch(t, s.host, inGroup(t, group, liveCommand("--own-namespace", "--max-entry-rate", "0", "-o", log)))
			p.awaitStart(t)
			calls := s.load(t, load)
			p.stop(t, syscall.SIGTERM)
			entries := entriesOf(t, readFile(t, log))
			checkSeen(t, entries, calls)
			checkCallers(t, entries, calls, false)
			peak := strings.TrimSpace(readFile(t, filepath.Join(group, "memory.max_usage_in_bytes")))
			faultRow(t, fmt.Sprintf("a limit of memory of %d MiB", mib), p, "nothing; at most "+peak+" bytes", load, len(entries), countNamed(entries))
		})
	}
}

// The kernel ends the program for want of memory.
func TestFaultOutOfMemory(t *testing.T) {
	f := newFault(t, "the kernel ends it for want of memory, and it is started again")
	log := filepath.Join(t.TempDir(), "log")
	group := memoryGroup(t, 96<<20)
	killed := launch(t, f.site.host, inGroup(t, group, liveCommand(f.arguments("--own-namespace", "-o", log)...)))
	killed.awaitStart(t)
	f.load(t, 20)
	eventually(t, "the last entry", func() bool { return strings.Count(readFile(t, log), "\n") == 1+len(f.calls) })
	// It is the first to go (proc_pid_oom_score_adj(5)) when another in the group takes all.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", killed.Process.Pid), []byte("1000"), 0); err != nil {
		t.Fatal(err)
	}
	hog := exec.Command("sh", "-c", "echo $$ >"+group+"/cgroup.procs && head -c 200m /dev/zero | tail")
	_ = hog.Run() // is killed, too
	if ended := killed.ended.all(t, "the program"); ended[0] != -1 {
		t.Errorf("exit status %d", ended[0])
	}
	f.load(t, 5) // nobody captures them
	f.killed = true
	f.program = f.site.host.watch(t, f.arguments("-o", log)...)
	f.load(t, 20)
	f.program.stop(t, syscall.SIGTERM)
	text := readFile(t, log)
	checkWhole(t, text)
	f.check(t, text)
	if starts := strings.Count(text, `"capture-started"`); starts != 2 || strings.Count(text, `"capture-stopped"`) != 1 || len(f.entries) != 40 || f.attributed() != 40 {
		t.Errorf("the log has %d starts, and %d calls, %d attributed", starts, len(f.entries), f.attributed())
	}
	f.tell(t)
}

// Signals besides those that end it: what is captured goes on, or people are told.
func TestFaultSignals(t *testing.T) {
	t.Run("stopped and continued", func(t *testing.T) {
		s := newSite(t)
		log := filepath.Join(t.TempDir(), "log")
		p := s.host.watch(t, "--max-entry-rate", "0", "-o", log)
		calls := s.load(t, 10)
		for _, signal := range []os.Signal{syscall.SIGSTOP, syscall.SIGTSTP} {
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			calls = append(calls, s.load(t, 100)...)
			if err := p.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
		for _, signal := range []os.Signal{syscall.SIGPIPE, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGXFSZ} {
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
		calls = append(calls, s.load(t, 10)...)
		p.stop(t, syscall.SIGTERM)
		entries := entriesOf(t, readFile(t, log))
		checkSeen(t, entries, calls)
		checkCallers(t, entries, calls, false)
		faultRow(t, "SIGSTOP, SIGTSTP, SIGCONT, SIGPIPE, SIGXFSZ", p, "nothing", len(calls), len(entries), countNamed(entries))
	})
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String()+" twice", func(t *testing.T) {
			s := newSite(t)
			log := filepath.Join(t.TempDir(), "log")
			p := s.host.watch(t, "--max-entry-rate", "0", "-o", log)
			s.load(t, 50)
			for range 2 {
				_ = p.Process.Signal(signal) // the second may come behind its end
			}
			if ended := p.ended.all(t, "the program"); ended[0] != 0 && ended[0] != -1 {
				t.Errorf("exit status %d: %s", ended[0], p.errors())
			}
			text := readFile(t, log)
			if i := strings.LastIndex(text, "\n"); i >= 0 {
				checkWhole(t, text[:i+1])
			}
		})
	}
	t.Run("SIGQUIT", func(t *testing.T) {
		s := newSite(t)
		p := s.host.watch(t, "--format", "json")
		s.connect(t, service4).get(t, credentialPaths+"role")
		if err := p.Process.Signal(syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		p.finish(t, 2) // with the stacks of goroutines, and no secrets
		if !strings.Contains(p.errors(), "SIGQUIT") {
			t.Errorf("said was %.300s", p.errors())
		}
	})
}
