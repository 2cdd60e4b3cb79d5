package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pretenceAttacks are by processes that pretend to be others. What is told of each of
// their calls is held against what is so, in all ways of finding processes.
func pretenceAttacks() []attack {
	return []attack{
		pretence{name: "argv", about: "callers that write other arguments and names over theirs", kinds: []string{kindRewrite, kindRewriteLate}, args: rewritten, names: []string{honestName}}.attack(),
		pretence{name: "exec-after-connect", about: "callers that run another program before they send", kinds: []string{kindExec}, may: mayBeOther}.attack(),
		pretence{name: "passed-sockets", about: "callers that have a child, or another process, send for them", kinds: []string{kindPass, kindRights}, may: mayBeOther, family: true}.attack(),
		pretence{name: "user-agents", about: "callers with the User-Agents of honest programs and old libraries", kinds: []string{kindAgent}, start: startAgent, may: mayBeShell, then: reportAgents}.attack(),
		pretence{name: "memfd", about: "callers that run what has no file, or a file that is removed, replaced or named as if it was", kinds: []string{kindPlain}, start: startWithoutFile, may: mayHaveNoFile, deleted: isGone}.attack(),
		pretence{name: "own-root", about: "callers with mounts of their own: another /usr/bin/env, passwd and package database", kinds: []string{kindOwnRoot}, start: startInOwnRoot, may: mayBeEnv, then: noneOfHost}.attack(),
		pretence{name: "cgroup-names", about: "callers in cgroups that a user, a service or a container has named after containers and pods of others", kinds: []string{kindPlain}, before: layCgroups, start: startInPlace, then: placesTrue}.attack(),
		pretence{name: "pid-reuse", about: "callers that end at once, and another process with the pid of each", kinds: []string{kindHit}, finish: reusePID, args: noOthers, brief: true, did: map[string]uint64{"reused": pretences / 2}}.attack(),
		pretence{name: "locked-memory", about: "callers whose arguments cannot be read, as they keep their memory's lock", kinds: []string{kindPlain}, start: startLocked, args: noOthers}.attack(),
	}
}

// pretences is how many calls are made of each kind.
const pretences = 25

// pretenceTime is a few seconds for each of 50 calls: a process can take that long to end
// where three captures look at all of /proc and the processors have others to run.
const pretenceTime = 3 * time.Minute

// pretence is an attack of that kind.
type pretence struct {
	name, about string
	kinds       []string
	// before makes ready what callers find, and returns what is to be done in the end; may
	// be nil.
	before func(s *stage, directory string) (after func(), err error)
	// start returns a caller that was not started yet; nil for this program in the
	// kind's role, as the attackers' user.
	start func(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error)
	// finish is what is done once the caller has ended; may be nil.
	finish func(ctx context.Context, s *stage, directory string, watching []onlooker, m made) error
	// brief: callers end before sock_diag and proc can be sure to find any.
	brief bool
	// did is what the attack must have done, beside its calls.
	did map[string]uint64
	// args says which arguments may be told besides those of the caller's start; may be nil.
	args func(told []string, m made) bool
	// names may be told besides that of the caller's file.
	names []string
	// deleted says whether the executable that is told is one that has no file; nil for never.
	deleted func(executable string) bool
	// may says which executables may be told besides the caller's own.
	may func(directory, executable string) bool
	// family: a child that the caller tells of may be told, too.
	family bool
	// then looks at the whole log.
	then func(s *stage, log string, lines []toldCall) []string
}

// toldCall is what is looked at of the line of a call.
type toldCall struct {
	URL struct {
		Original string `json:"original"`
	} `json:"url"`
	IMDS struct {
		ExecutableElsewhere bool `json:"executable_elsewhere"`
		ExecutableDeleted   bool `json:"executable_deleted"`
		Attribution         struct {
			Status string `json:"status"`
			Method string `json:"method"`
		} `json:"attribution"`
		Script toldScript `json:"script"`
	} `json:"imds"`
	Process struct {
		PID        int      `json:"pid"`
		Name       string   `json:"name"`
		Executable string   `json:"executable"`
		Args       []string `json:"args"`
	} `json:"process"`
	User struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	Package struct {
		Name string `json:"name"`
	} `json:"package"`
	Container struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"container"`
	Kubernetes struct {
		Pod struct {
			UID string `json:"uid"`
		} `json:"pod"`
	} `json:"kubernetes"`
}

// toldScript is what is told of a script.
type toldScript struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Package struct {
		Name string `json:"name"`
	} `json:"package"`
}

// made is a call of an attacker.
type made struct {
	path, executable string
	args             []string
	pid              int
	children         string // what the caller has said of them: their pids
}

func (p pretence) attack() attack {
	var faults []string
	return attack{
		name: p.name, about: p.about, atLeast: p.atLeast(), bound: pretenceTime,
		do: func(ctx context.Context, s *stage) (err error) {
			faults, err = p.play(ctx, s)
			return err
		},
		check: func(*verdict, []entry) []string { return faults },
	}
}

// atLeast: what nobody is found for says nothing of anybody. The default way knows nearly
// all callers, sock_diag half of them, and proc some of those that stay for a while.
func (p pretence) atLeast() map[string]uint64 {
	calls := uint64(pretences * len(p.kinds))
	least := map[string]uint64{"callers": calls, answered: calls, "default knows": calls * 9 / 10}
	if !p.brief {
		least["sock_diag knows"], least["proc knows"] = calls/2, 1
	}
	maps.Copy(least, p.did)
	return least
}

// play makes the calls, and looks at what the program and the onlookers tell of them.
func (p pretence) play(ctx context.Context, s *stage) (faults []string, err error) {
	watching := []onlooker{{way: "default", log: s.program.log}}
	for _, way := range []string{"sock_diag", "proc"} {
		o, err := startOnlooker(ctx, s, way)
		if err != nil {
			return nil, err
		}
		defer o.stop()
		watching = append(watching, o)
	}
	directory, err := os.MkdirTemp("", "pretence-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	if err := errors.Join(os.Chmod(directory, 0o777), copyProgram(filepath.Join(directory, "caller")), copyProgram(filepath.Join(directory, otherProgram))); err != nil {
		return nil, err
	}
	if p.before != nil {
		after, err := p.before(s, directory)
		if err != nil {
			return nil, err
		}
		defer after()
	}
	calls, err := p.call(ctx, s, directory, watching)
	if err != nil {
		return nil, err
	}
	for _, o := range watching {
		faults = append(faults, p.judge(s, o, calls, directory)...)
	}
	return faults, nil
}

// otherProgram is the name of a program that makes no call by itself.
const otherProgram = "bait"

func copyProgram(to string) error {
	text, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}

// call makes the calls, one after the other.
func (p pretence) call(ctx context.Context, s *stage, directory string, watching []onlooker) (calls []made, err error) {
	for i := range pretences * len(p.kinds) {
		kind := p.kinds[i%len(p.kinds)]
		m := made{path: fmt.Sprintf("/pretence/%s/%d", kind, i), executable: filepath.Join(directory, "caller")}
		start := p.start
		if start == nil {
			start = startKind
		}
		cmd, err := start(ctx, directory, kind, m.path, i)
		if err != nil {
			return nil, err
		}
		var said strings.Builder
		cmd.Stdout = &said
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		m.pid, m.args = cmd.Process.Pid, cmd.Args
		if err := cmd.Wait(); err != nil {
			return nil, fmt.Errorf("caller of %s: %w", m.path, err)
		}
		m.children = said.String()
		s.note("callers", 1)
		calls = append(calls, m)
		if p.finish != nil {
			if err := p.finish(ctx, s, directory, watching, m); err != nil {
				return nil, err
			}
		}
	}
	return calls, nil
}

// startKind is the attackers' program in the role of that kind.
func startKind(ctx context.Context, directory, kind, path string, _ int) (*exec.Cmd, error) {
	cmd := asAttacker(ctx, rolePretend, kind, path, directory)
	cmd.Path = filepath.Join(directory, "caller")
	return cmd, nil
}

// judge holds what was told against what is so. That something is not known is no fault.
func (p pretence) judge(s *stage, o onlooker, calls []made, directory string) (faults []string) {
	lines, err := o.await(calls)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", o.way, err)}
	}
	byPath := make(map[string][]toldCall)
	for _, line := range lines {
		byPath[line.URL.Original] = append(byPath[line.URL.Original], line)
	}
	for _, m := range calls {
		of := byPath[m.path]
		if len(of) != 1 {
			faults = append(faults, fmt.Sprintf("%s: %d lines of %s", o.way, len(of), m.path))
			continue
		}
		if wrong := p.wrong(of[0], m, directory); wrong != "" {
			faults = append(faults, fmt.Sprintf("%s: %s by pid %d: %s (%+v)", o.way, m.path, m.pid, wrong, of[0].Process))
		}
		if of[0].Process.PID != 0 {
			s.note(o.way+" knows", 1)
		}
	}
	if p.then != nil {
		faults = append(faults, p.then(s, o.log, lines)...)
	}
	return faults[:min(len(faults), maxMissing)]
}

// wrong says what is not so in a line.
func (p pretence) wrong(t toldCall, m made, directory string) string {
	switch {
	case t.Process.PID == 0:
		return ""
	case t.Process.PID != m.pid && !(p.family && slices.Contains(strings.Fields(m.children), strconv.Itoa(t.Process.PID))):
		return "it is another process"
	case t.User.ID != "" && t.User.ID != strconv.Itoa(attackerUser):
		return "it is another user, " + t.User.ID
	case t.Process.Executable != "" && t.Process.Executable != m.executable && (p.may == nil || !p.may(directory, t.Process.Executable)):
		return "it has another executable"
	case p.names != nil && t.Process.Name != "" && t.Process.Name != filepath.Base(m.executable) && !slices.Contains(p.names, t.Process.Name):
		return "it has another name"
	case p.args != nil && t.Process.Args != nil && !slices.Equal(t.Process.Args, m.args) && !p.args(t.Process.Args, m):
		return "it has other arguments"
	case t.Process.Executable != "" && t.IMDS.ExecutableDeleted != (p.deleted != nil && p.deleted(t.Process.Executable)):
		return fmt.Sprintf("that its file is gone is told as %v", t.IMDS.ExecutableDeleted)
	}
	return ""
}

// noOthers: no arguments may be told but those of the caller's start.
func noOthers([]string, made) bool { return false }

// rewritten: each byte is that of the start, or that which was written over it, as what is
// told may have been read while it was written.
func rewritten(told []string, m made) bool {
	is, was := strings.Join(told, "\x00"), strings.Join(m.args, "\x00")
	written, text := []byte(was), []byte(honestText)
	for at, arg := range argPlaces(m.args) {
		text = text[copy(written[at:at+len(arg)], text):]
	}
	if len(is) > len(was) || strings.Trim(string(written[len(is):]), "\x00") != "" && len(is) != len(was) {
		return false
	}
	for i := range is {
		if is[i] != was[i] && is[i] != written[i] {
			return false
		}
	}
	return true
}

// argPlaces are the arguments, and where each begins.
func argPlaces(args []string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		at := 0
		for _, arg := range args {
			if !yield(at, arg) {
				return
			}
			at += len(arg) + 1
		}
	}
}

// isGone: no file that runs has the name.
func isGone(executable string) bool {
	return strings.HasPrefix(executable, "/memfd:") || strings.HasPrefix(filepath.Base(executable), "gone")
}

func mayBeOther(directory, executable string) bool {
	return executable == filepath.Join(directory, otherProgram)
}

func mayHaveNoFile(directory, executable string) bool {
	return strings.HasPrefix(executable, "/memfd:") || strings.HasPrefix(executable, directory+"/gone") || strings.HasPrefix(executable, directory+"/is (deleted)")
}

// mayBeEnv: it is what the caller has by that name.
func mayBeEnv(_, executable string) bool { return executable == hostProgram }

// onlooker is the program with one way of finding processes only.
type onlooker struct {
	way, log string
	cmd      *exec.Cmd
}

func startOnlooker(ctx context.Context, s *stage, way string) (onlooker, error) {
	o := onlooker{way: way, log: filepath.Join(s.directory, way+".log")}
	o.cmd = exec.CommandContext(ctx, s.program.cmd.Path, "--attribution", way, "--own-namespace", "-o", o.log)
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := o.cmd.Start(); err != nil {
		return o, err
	}
	if err := awaitCapture(ctx, o.log, nil); err != nil {
		o.stop()
		return o, fmt.Errorf("--attribution %s: %w", way, err)
	}
	return o, nil
}

func (o onlooker) stop() {
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}

// lineWithin is how long a line may take that is about a call which has ended.
const lineWithin = 30 * time.Second

// await returns the lines once there is one for each call.
func (o onlooker) await(calls []made) (lines []toldCall, err error) {
	for deadline := time.Now().Add(lineWithin); ; time.Sleep(50 * time.Millisecond) {
		if lines, err = readLines[toldCall](o.log); err != nil {
			return nil, err
		}
		seen := make(map[string]bool)
		for _, line := range lines {
			seen[line.URL.Original] = true
		}
		missing := slices.IndexFunc(calls, func(m made) bool { return !seen[m.path] })
		if missing < 0 || time.Now().After(deadline) {
			return lines, nil
		}
	}
}

// hostProgram is a program of the host, with a package.
const hostProgram = "/usr/bin/env"

// startInOwnRoot is a caller that has mounted itself over hostProgram, and files of its
// own over the lists of users and packages, in namespaces that any user can make.
func startInOwnRoot(ctx context.Context, directory, kind, path string, _ int) (*exec.Cmd, error) {
	passwd := filepath.Join(directory, "passwd")
	if err := os.WriteFile(passwd, []byte("honest:x:"+strconv.Itoa(attackerUser)+":0::/:/bin/sh\n"), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(directory, "caller"), rolePretend, kind, path, directory)
	cmd.Stderr = os.Stderr
	own := []syscall.SysProcIDMap{{ContainerID: 0, HostID: attackerUser, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: own, GidMappings: own,
		Credential: &syscall.Credential{NoSetGroups: true}, Pdeathsig: syscall.SIGKILL,
	}
	return cmd, nil
}

// noneOfHost: neither the user's name nor the package is that of the files that the
// caller has mounted. The executable's path is what it is to the caller, and is told as
// none of the host's, also by the report, which nothing excuses that is meant for the
// host's.
func noneOfHost(s *stage, log string, lines []toldCall) (faults []string) {
	for _, t := range lines {
		if !strings.HasPrefix(t.URL.Original, "/pretence/") || t.Process.PID == 0 {
			continue
		}
		if t.Package.Name != "" || t.User.Name != "" {
			faults = append(faults, fmt.Sprintf("%s: user %q, package %q", filepath.Base(log), t.User.Name, t.Package.Name))
		}
		if t.Process.Executable == hostProgram && !t.IMDS.ExecutableElsewhere {
			faults = append(faults, fmt.Sprintf("%s: %s is told as the host's", filepath.Base(log), hostProgram))
		}
	}
	programs, err := reportedIn(s, log, hostProgram)
	if err != nil {
		return append(faults, err.Error())
	}
	for _, p := range programs {
		if p.Executable == hostProgram && (p.Ignored || !p.Elsewhere) {
			faults = append(faults, fmt.Sprintf("%s: %s is excused as the host's, or may be", filepath.Base(log), p.Name))
		}
	}
	return faults
}

// startWithoutFile is a caller whose executable has no name, or a misleading one.
func startWithoutFile(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error) {
	cmd, err := startKind(ctx, directory, kind, path, i)
	if err != nil {
		return nil, err
	}
	switch i % 4 {
	case 0:
		cmd.Args[2] = kindMemory
	case 1:
		cmd.Args[2] = kindRemove
		cmd.Path = filepath.Join(directory, "gone"+strconv.Itoa(i))
		return cmd, own(cmd.Path)
	case 2:
		cmd.Path = filepath.Join(directory, "is (deleted)")
		return cmd, own(cmd.Path)
	}
	return cmd, nil
}

func own(name string) error {
	_ = os.Remove(name)
	return errors.Join(copyProgram(name), os.Chown(name, attackerUser, attackerUser))
}

// reusePID has another program run with the pid of a caller that has ended, until the call
// is told. It is a pid of the whole machine: those of a namespace of the callers' own would
// be others to the program, and would not come again. What starts meanwhile takes the next ones.
func reusePID(ctx context.Context, s *stage, directory string, watching []onlooker, m made) error {
	const attempts = 20
	for range attempts {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(m.pid-1)), 0); err != nil {
			return err
		}
		cmd := asAttacker(ctx, rolePretend, kindWait)
		cmd.Path = filepath.Join(directory, otherProgram)
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		same, told := cmd.Process.Pid == m.pid, error(nil)
		if same {
			s.note("reused", 1)
			told = awaitTold(watching, m) // for as long as processes are looked for
		}
		_ = in.Close()
		if err := errors.Join(told, cmd.Wait()); err != nil || same {
			return err
		}
	}
	return nil
}

// awaitTold returns once all tell of a call, or could have.
func awaitTold(watching []onlooker, m made) (err error) {
	for _, o := range watching {
		_, failed := o.await([]made{m})
		err = errors.Join(err, failed)
	}
	return err
}

// startLocked is a caller that keeps its own lock.
func startLocked(ctx context.Context, directory, _, path string, i int) (*exec.Cmd, error) {
	return startKind(ctx, directory, kindLockedCall, path, i)
}

// shell is a program of the host that can connect, and has no library within it.
const shell = "/bin/bash"

// startAgent is a caller with another's User-Agent, each third a shell.
func startAgent(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error) {
	cmd, err := startKind(ctx, directory, kind, path, i)
	if err == nil && i%3 == 2 {
		cmd.Path = shell
		cmd.Args = []string{shell, "-c", `exec 3<>/dev/tcp/` + service4 + `/80 && printf '%s' "$0" >&3 && read -r line <&3`, requestFor(path, agentFor(path))}
	}
	return cmd, err
}

func mayBeShell(_, executable string) bool { return isShell(executable) }

func isShell(executable string) bool { return filepath.Base(executable) == filepath.Base(shell) }

// reportAgents holds the report against what is so: the honest clients' program has no
// part in what the attackers say in their User-Agents, no pattern for a program's name
// excuses theirs, and a program of the host is no other.
// Where no process is known, there is nothing but the User-Agent.
func reportAgents(s *stage, log string, lines []toldCall) (faults []string) {
	if !slices.ContainsFunc(lines, func(t toldCall) bool { return strings.HasSuffix(t.Process.Executable, "/caller") }) {
		return nil
	}
	honest, err := os.Readlink(self)
	if err != nil {
		return []string{err.Error()}
	}
	programs, err := reportedIn(s, log, pretendedAgents[0])
	if err != nil {
		return []string{err.Error()}
	}
	for _, p := range programs {
		attacker := strings.HasSuffix(p.Executable, "/caller")
		switch {
		case attacker && p.Ignored:
			faults = append(faults, "a User-Agent has excused a program")
		case isShell(p.Executable) && len(p.Packages) > 0 && strings.HasPrefix(p.Software.Name, "A"): // Amazon or AWS
			faults = append(faults, "a User-Agent has made a shell "+p.Software.Name)
		case p.Executable == honest && strings.Contains(strings.Join(p.UserAgents, " "), "SDK"):
			faults = append(faults, "the honest program has an attacker's User-Agent")
		}
	}
	if !slices.ContainsFunc(programs, func(p reported) bool { return strings.HasSuffix(p.Executable, "/caller") }) {
		faults = append(faults, "the report does not know the attackers' program")
	}
	return faults
}

// reportedIn are the programs of a report on the log that ignores the pattern.
func reportedIn(s *stage, log, ignore string) ([]reported, error) {
	out, err := exec.Command(s.program.cmd.Path, "report", "--format", "json", "--ignore", ignore, log).Output()
	if status := (*exec.ExitError)(nil); err != nil && !errors.As(err, &status) {
		return nil, err
	}
	var report struct {
		Programs []reported `json:"programs"`
	}
	err = json.Unmarshal(out, &report)
	return report.Programs, err
}

// reported is a program in a report.
type reported struct {
	Name       string   `json:"name"`
	Elsewhere  bool     `json:"executable_elsewhere"`
	Executable string   `json:"executable"`
	Ignored    bool     `json:"ignored"`
	Packages   []string `json:"packages"`
	Software   struct {
		Name string `json:"name"`
	} `json:"software"`
	UserAgents []string `json:"user_agents"`
}

// pretendedAgents are User-Agents of others.
var pretendedAgents = []string{
	"aws-cli/1.16.0 Python/2.7.16 SDK", "aws-sdk-java/1.11.0 SDK", "Boto3/1.9.0 Python/2.7.16 Botocore/1.12.0 SDK", "honest",
	"amazon-ssm-agent/2.3.0.0 SDK", "EC2Launch/2.0 SDK",
}
