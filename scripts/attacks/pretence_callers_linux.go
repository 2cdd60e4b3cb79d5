package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

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
