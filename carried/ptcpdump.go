package carried

import (
	"cmp"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// ptcpdumpKeys are the names before what ptcpdump tells, a line each, in several
// comments (internal/writer/pcapng.go of github.com/mozillazg/ptcpdump). Its first
// versions wrote Command for Cmd. What it tells of threads, groups, labels and
// annotations is not needed.
var ptcpdumpKeys = [...]string{
	"PID", "Cmd", "Command", "Args", "UserId", "ParentPID", "ParentCmd", "ParentCommand", "ParentArgs",
	"ContainerName", "ContainerId", "ContainerImage", "PodName", "PodNamespace", "PodUID",
}

// cutMark ends arguments of which ptcpdump did not have all.
const cutMark = "..."

// ptcpdump reads its comments. They name the process that it saw with the packet's
// port, "when possible" as its README says, which can be an earlier user of that:
// likely, and not proven. Which of its packets were sent or received does not matter,
// as both have the name of the local process; on the host's end of a container's
// cable what that sends comes in. It reports false if it has told nothing.
func ptcpdump(comment string) (attribution.Answer, identity.Workload, bool) {
	said := ptcpdumpFields(comment)
	a, w := unknown, workloadOf(said)
	if pid := processID(said["PID"]); pid > 0 {
		a = answer(attribution.Inferred, processOf(said, pid))
	}
	return a, w, a.Process != nil || w != identity.Workload{}
}

// ptcpdumpFields are the texts by their keys. Arguments can have line ends in them,
// and what looks like such a line behind: what is said twice is not known.
func ptcpdumpFields(comment string) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(comment) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if !ok || !slices.Contains(ptcpdumpKeys[:], key) {
			continue
		}
		if _, twice := said[key]; twice {
			value = ""
		}
		said[key] = value
	}
	return said
}

func processOf(said map[string]string, pid int) attribution.Process {
	p := attribution.Process{PID: pid}
	p.Name, p.Executable = programOf(cmp.Or(said["Cmd"], said["Command"]))
	p.Args, p.ArgsTruncated = argsOf(said["Args"], attribution.MaxArgsBytes)
	p.ArgsJoined = p.Args != nil
	if uid, err := strconv.ParseUint(said["UserId"], 10, 32); err == nil { // root has none
		p.User = &attribution.User{ID: uint32(uid)}
	}
	if pid := processID(said["ParentPID"]); pid > 0 {
		p.Ancestors = []attribution.Ancestor{parentOf(said, pid)}
	}
	return p
}

func parentOf(said map[string]string, pid int) attribution.Ancestor {
	a := attribution.Ancestor{PID: pid}
	a.Name, a.Executable = programOf(cmp.Or(said["ParentCmd"], said["ParentCommand"]))
	a.Args, a.ArgsTruncated = argsOf(said["ParentArgs"], attribution.MaxAncestorArgsBytes)
	a.ArgsJoined = a.Args != nil
	return a
}

// programOf reads a command: the path of the executable or, of some, what was given
// to execve(2). One that is cut has neither its path nor its name.
func programOf(command string) (name, executable string) {
	switch {
	case command == "", len(command) > maxText, strings.HasSuffix(command, cutMark):
		return "", ""
	case path.IsAbs(command):
		return "", command
	}
	return path.Base(command), ""
}

// argsOf reads arguments, which are joined by blanks, up to so many bytes.
func argsOf(line string, most int) (args []string, truncated bool) {
	line, truncated = strings.CutSuffix(line, cutMark)
	if truncated {
		line = attribution.BeforeSecret(line)
	}
	if len(line) > most {
		line, truncated = line[:most], true
		line = line[:max(0, strings.LastIndexByte(line, ' '))]
	}
	if line == "" {
		return nil, false
	}
	return strings.Split(line, " "), truncated
}

func workloadOf(said map[string]string) identity.Workload {
	var w identity.Workload
	if id := short(said["ContainerId"]); id != "" {
		w.Container = identity.Container{ID: id, Name: short(said["ContainerName"]), Image: short(said["ContainerImage"])}
	}
	if name := short(said["PodName"]); name != "" {
		w.Pod = identity.Pod{Name: name, Namespace: short(said["PodNamespace"]), UID: short(said["PodUID"])}
	}
	return w
}

// processID reads a pid of Linux.
func processID(text string) int {
	if pid := pidOf(text); pid <= math.MaxInt32 {
		return pid
	}
	return 0
}
