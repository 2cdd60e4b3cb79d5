package testbed

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used until a moment.
type Usage struct {
	At   time.Time
	CPU  time.Duration
	RSS  int64 // bytes
	Peak int64 // bytes
	// Forks is how many processes and threads all of the machine has started:
	// they cost a program that follows processes something, whoever starts them.
	Forks int64
}

// tick is the unit of times in /proc/PID/stat, whatever the kernel's own is
// (USER_HZ in the kernel's include/asm-generic/param.h).
const tick = 10 * time.Millisecond

// ErrProc: a file in /proc is not as proc(5) has it.
var ErrProc = errors.New("not as in proc(5)")

// ParseCPU reads utime and stime, the 14th and 15th fields of
// proc_pid_stat(5). The second, a name in parentheses, may hold anything.
func ParseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat is %w: %q", ErrProc, stat)
	}
	user, err := strconv.ParseUint(fields[11], 10, 32)
	system, err2 := strconv.ParseUint(fields[12], 10, 32)
	if err := errors.Join(err, err2); err != nil {
		return 0, fmt.Errorf("stat is %w: %w", ErrProc, err)
	}
	return time.Duration(user+system) * tick, nil
}

// Field reads the number after a name at the beginning of a line: of
// proc_pid_status(5), where sizes are in KiB, and of proc_stat(5).
func Field(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, name)
		words := strings.Fields(rest)
		if !found || len(words) == 0 {
			continue
		}
		return strconv.ParseInt(words[0], 10, 53)
	}
	return 0, fmt.Errorf("there is no %q: %w", name, ErrProc)
}
