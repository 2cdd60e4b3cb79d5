package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
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
		pretence{name: "silent-files", about: "callers whose program, script, directory or root is on a file system that answers nobody else", kinds: []string{kindPlain}, before: laySilent, start: startInSilence, may: mayBeSilent, then: noneWaits}.attack(),
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
		PID              int      `json:"pid"`
		Name             string   `json:"name"`
		Executable       string   `json:"executable"`
		Args             []string `json:"args"`
		WorkingDirectory string   `json:"working_directory"`
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
	return writeProgram(to, text)
}

// writeProgram writes a program that can be run at once: what is forked meanwhile would have it
// open to be written to (execve(2), ETXTBSY).
func writeProgram(to string, text []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
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
