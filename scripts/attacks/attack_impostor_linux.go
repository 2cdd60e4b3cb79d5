package main

import (
	"context"
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

// impostorAttacks are by processes that have the kernel tell other things of them, or that
// are told by files which are not what they seem.
func impostorAttacks() []attack {
	return []attack{
		pretence{name: "comm", about: "callers with another program's name, of the process or of the thread (PR_SET_NAME)", kinds: []string{kindProcessName, kindThreadName}, names: []string{otherName}, args: noOthers, then: executableTold}.attack(),
		pretence{name: "memory-map", about: "callers that have the kernel tell another executable and other arguments (PR_SET_MM_MAP)", kinds: []string{kindMap}, start: startInOwnUsers, may: mayBeEnv, then: countEnv}.attack(),
		pretence{name: "chroot", about: "callers of root's in a root directory with another /usr/bin/env, passwd and package database", kinds: []string{kindPlain}, before: layJail, start: startInJail, may: mayBeInJail, then: noneOfHost}.attack(),
		pretence{name: "scripts", about: "scripts by a descriptor, and by interpreters with odd arguments", kinds: []string{kindPlain}, before: layScripts, start: startScript, may: mayBePython, then: scriptsTrue}.attack(),
	}
}

// executableTold: a name hides no executable. It can be missing of some, as of any process
// that ends at once.
func executableTold(s *stage, log string, lines []toldCall) []string {
	if log != s.program.log {
		return nil // the other ways may find nobody
	}
	var known, all int
	for _, t := range lines {
		if !strings.HasPrefix(t.URL.Original, "/pretence/") {
			continue
		}
		all++
		if t.Process.Executable != "" {
			known++
		}
	}
	if float64(known) < mostPartly*float64(all) || all == 0 {
		return []string{fmt.Sprintf("of %d calls %d have an executable", all, known)}
	}
	return nil
}

// startInOwnUsers is a caller that is root in a user namespace of its own.
func startInOwnUsers(ctx context.Context, directory, kind, path string, _ int) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(directory, "caller"), rolePretend, kind, path)
	cmd.Stderr = os.Stderr
	own := []syscall.SysProcIDMap{{ContainerID: 0, HostID: attackerUser, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: own, GidMappings: own,
		Credential: &syscall.Credential{NoSetGroups: true}, Pdeathsig: syscall.SIGKILL,
	}
	return cmd, nil
}

// countEnv counts the calls of which the other executable is told: it is the kernel's word.
func countEnv(s *stage, _ string, lines []toldCall) []string {
	for _, t := range lines {
		if t.Process.Executable == hostProgram {
			s.note("executables that are the kernel's word", 1)
		}
	}
	return nil
}

func jail(directory string) string { return filepath.Join(directory, "jail") }

// layJail makes a root directory in which everything has the names of the host's.
func layJail(_ *stage, directory string) (after func(), err error) {
	const list = "Package: honest\nStatus: install ok installed\nVersion: 1\n\n"
	files := map[string]string{
		"etc/passwd":                    "honest:x:" + strconv.Itoa(attackerUser) + ":0::/:/bin/sh\n",
		"var/lib/dpkg/status":           list,
		"var/lib/dpkg/info/honest.list": hostProgram + "\n",
	}
	for name, text := range files {
		if err := write(filepath.Join(jail(directory), name), text, 0o644); err != nil {
			return nil, err
		}
	}
	program := filepath.Join(jail(directory), hostProgram)
	return func() {}, errors.Join(os.MkdirAll(filepath.Dir(program), 0o755), copyProgram(program))
}

// write writes a file, and makes the directories for it.
func write(name, text string, mode os.FileMode) error {
	return errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), mode))
}

func startInJail(ctx context.Context, directory, kind, path string, _ int) (*exec.Cmd, error) {
	cmd := asAttacker(ctx, rolePretend, kind, path)
	cmd.Path, cmd.Dir = hostProgram, "/"
	cmd.SysProcAttr.Chroot = jail(directory)
	return cmd, nil
}

func mayBeInJail(directory, executable string) bool {
	return executable == filepath.Join(jail(directory), hostProgram)
}

// scriptGame is a way to run a script. What is told of it is one of the names, or nothing,
// and a path only where that is the script's.
type scriptGame struct {
	name     string // of the script, in the directory
	line     string // its first, DIRECTORY for the directory; empty if it has none
	args     []string
	names    []string // that may be told: DIRECTORY for the directory
	withPath bool
}

const pythonLine = "#!DIRECTORY/python3"

// Python's grammar says what follows a flag (python(1)); the kernel gives an interpreter the
// rest of the line as one argument (execve(2)).
func scriptGames() []scriptGame {
	const here = "DIRECTORY/"
	return []scriptGame{
		{name: "usual", line: pythonLine, names: []string{here + "usual"}, withPath: true},
		{name: "by-descriptor", args: []string{"/dev/fd/3"}, names: []string{"/dev/fd/3"}},
		{name: "by-own-descriptor", args: []string{"/proc/self/fd/3"}, names: []string{"/proc/self/fd/3"}},
		{name: "by-way-around", args: []string{"/tmp/../dev/./fd/3"}, names: []string{"/tmp/../dev/./fd/3"}},
		{name: "commands", line: pythonLine + " -c"},
		{name: "module", line: pythonLine + " -m", names: []string{here + "module"}},
		{name: "two-flags", line: pythonLine + " -E -s", names: []string{here + "two-flags"}, withPath: true},
		{name: "flag-and-path", line: pythonLine + " -E /usr/bin/honest", names: []string{here + "flag-and-path"}, withPath: true},
		{name: "standard-input", line: pythonLine + " -"},
		{name: "flag-that-takes-it", line: pythonLine + " -W", names: []string{rolePretend}},
		{name: "another", line: pythonLine + " " + hostProgram, names: []string{hostProgram}, withPath: true},
		{name: "nested", line: "#!DIRECTORY/usual", names: []string{here + "usual"}, withPath: true},
		{name: "relative", line: pythonLine, names: []string{"./relative"}},
	}
}

// layScripts writes the scripts, and the interpreter, which is this program.
func layScripts(_ *stage, directory string) (after func(), err error) {
	for _, g := range scriptGames() {
		err = errors.Join(err, write(filepath.Join(directory, g.name), in(directory, g.line)+"\n", 0o755))
	}
	return func() {}, errors.Join(err, copyProgram(filepath.Join(directory, "python3")))
}

func in(directory, text string) string { return strings.ReplaceAll(text, "DIRECTORY", directory) }

func startScript(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error) {
	g := scriptGames()[i%len(scriptGames())]
	cmd := asAttacker(ctx)
	cmd.Path = filepath.Join(directory, g.name)
	switch {
	case g.line == "": // the interpreter itself
		file, err := os.Open(cmd.Path)
		if err != nil {
			return nil, err
		}
		cmd.ExtraFiles, cmd.Path = []*os.File{file}, filepath.Join(directory, "python3") // closed with this process
	case g.name == "relative":
		cmd.Path, cmd.Dir = "./relative", directory
	}
	cmd.Args = slices.Concat([]string{cmd.Path}, g.args, []string{rolePretend, kind, path})
	return cmd, nil
}

func mayBePython(directory, executable string) bool {
	return executable == filepath.Join(directory, "python3")
}

// scriptsTrue holds what is told of scripts against what was run.
func scriptsTrue(s *stage, log string, lines []toldCall) (faults []string) {
	for _, t := range lines {
		i, ok := numberOf(t)
		if !ok || t.IMDS.Script.Name == "" {
			continue
		}
		g := scriptGames()[i%len(scriptGames())]
		if wrong := g.wrong(filepath.Dir(t.Process.Executable), t.IMDS.Script); wrong != "" {
			faults = append(faults, fmt.Sprintf("%s: %s: %s: %+v", filepath.Base(log), g.name, wrong, t.IMDS.Script))
		}
		s.note("scripts told", 1)
	}
	return faults
}

func (g scriptGame) wrong(directory string, told toldScript) string {
	switch {
	case !slices.ContainsFunc(g.names, func(name string) bool { return in(directory, name) == told.Name }):
		return "another script is told"
	case told.Path != "" && (!g.withPath || told.Path != told.Name):
		return "another path is told"
	case told.Package.Name != "" && told.Path != hostProgram:
		return "a package is told"
	}
	return ""
}

// numberOf is the number of a pretender's call.
func numberOf(t toldCall) (int, bool) {
	if !strings.HasPrefix(t.URL.Original, "/pretence/") {
		return 0, false
	}
	i, err := strconv.Atoi(filepath.Base(t.URL.Original))
	return i, err == nil
}
