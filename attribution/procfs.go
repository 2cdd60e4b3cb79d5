package attribution

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The formats of proc(5). Reading the files is elsewhere.

// ticksPerSecond is USER_HZ, the unit of times in /proc, which is 100 wherever
// Go runs (time(7)).
const ticksPerSecond = 100

var errProcFormat = errors.New("not in the format of proc(5)")

// procStat is what is used of /proc/PID/stat.
type procStat struct {
	parent int
	start  time.Duration // after boot, in steps of 1/ticksPerSecond
	stack  uint64        // where it begins; 0 if that may not be known
	ended  bool          // nobody has waited for it yet
	kernel bool          // it is a thread of the kernel's own, and runs no program
}

// kernelThread is PF_KTHREAD among the flags of a stat file (linux/sched.h).
const kernelThread = 0x00200000

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The name in its second
// field can hold anything, parentheses and blanks too.
func parseStat(b []byte) (procStat, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return procStat{}, fmt.Errorf("stat: %w", errProcFormat)
	}
	const first = 3 // the number of the field after the name
	var fields [28 - first + 1][]byte
	n := 0
	for field := range bytes.FieldsSeq(b[end+1:]) {
		fields[n] = field
		if n++; n == len(fields) {
			break
		}
	}
	if n < len(fields) {
		return procStat{}, fmt.Errorf("stat: %w", errProcFormat)
	}
	parent, err := strconv.Atoi(string(fields[4-first]))
	if err != nil {
		return procStat{}, fmt.Errorf("stat: parent: %w", err)
	}
	flags, err := strconv.ParseUint(string(fields[9-first]), 10, 64)
	if err != nil {
		return procStat{}, fmt.Errorf("stat: flags: %w", err)
	}
	start, err := strconv.ParseInt(string(fields[22-first]), 10, 64)
	if err != nil {
		return procStat{}, fmt.Errorf("stat: start time: %w", err)
	}
	stack, err := strconv.ParseUint(string(fields[28-first]), 10, 64)
	if err != nil {
		return procStat{}, fmt.Errorf("stat: stack: %w", err)
	}
	state := fields[3-first][0]
	return procStat{
		parent: parent, start: time.Duration(start) * time.Second / ticksPerSecond, stack: stack, ended: state == 'Z' || state == 'X',
		kernel: flags&kernelThread != 0,
	}, nil
}

// parseStatName reads the name out of /proc/PID/stat, "" if there is none.
func parseStatName(b []byte) string {
	first, last := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if first < 0 || last < first {
		return ""
	}
	return string(b[first+1 : last])
}

// procStatus is what is used of /proc/PID/status.
type procStatus struct {
	user         *uint32 // effective
	namespacePID int     // 0 if it is the pid itself, or not known
}

// parseStatus reads /proc/PID/status (proc_pid_status(5)). What is missing in
// it is not known.
func parseStatus(b []byte) procStatus {
	var s procStatus
	for line := range bytes.Lines(b) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "Uid":
			if values := strings.Fields(string(value)); len(values) > 1 {
				s.user = parseUserID(values[1])
			}
		case "NSpid":
			if values := strings.Fields(string(value)); len(values) > 1 {
				s.namespacePID, _ = strconv.Atoi(values[len(values)-1])
			}
		}
	}
	return s
}

func parseUserID(s string) *uint32 {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return nil
	}
	return new(uint32(id))
}

// parseCgroup reads the path out of /proc/PID/cgroup (cgroups(7)): that in systemd's
// hierarchy of version 1, where there is one that processes are sorted into, or in
// the unified one. Where there are both, runtimes that know version 1 only leave
// their containers in the unified cgroup of the service that started them.
func parseCgroup(b []byte) string {
	var unified, systemd string
	for line := range strings.Lines(string(b)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[0] == "0" && fields[1] == "":
			unified = fields[2]
		case fields[1] == "name=systemd":
			systemd = fields[2]
		}
	}
	if systemd == "" || systemd == "/" {
		return cmp.Or(unified, systemd)
	}
	return systemd
}

// parseLastPID reads the pid that was given out last out of /proc/loadavg
// (proc_loadavg(5)). It is 0 if that is not known.
func parseLastPID(b []byte) int {
	fields := strings.Fields(string(b))
	if len(fields) < 5 {
		return 0
	}
	pid, err := strconv.Atoi(fields[4])
	if err != nil {
		return 0
	}
	return pid
}

// parseSocketLink reads the inode out of the target of a link in /proc/PID/fd,
// "socket:[INODE]" (proc_pid_fd(5)).
func parseSocketLink(b []byte) (inode uint64, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte("socket:["))
	if !ok {
		return 0, false
	}
	b, ok = bytes.CutSuffix(b, []byte("]"))
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(string(b), 10, 64)
	return inode, err == nil
}

// parseUserName looks for the user with the id in a line of /etc/passwd
// (passwd(5)).
func parseUserName(line string, id uint32) (name string, ok bool) {
	fields := strings.SplitN(line, ":", 4)
	if len(fields) < 4 || fields[2] != strconv.FormatUint(uint64(id), 10) {
		return "", false
	}
	return fields[0], true
}
