package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	processor time.Duration // time of processors, user's and kernel's
	wakeUps   uint64        // how often its threads had waited and went on
	resident  uint64        // KiB of memory
	others    uint64        // processes that were started on the whole machine, of which the kernel tells the program
}

// tick is the unit of the times in /proc/PID/stat: USER_HZ is 100 on all
// architectures that Go knows (proc_pid_stat(5)).
const tick = time.Second / 100

func runUsage(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	pid := flags.Int("pid", 0, "the `pid` of the process")
	period := flags.Duration("for", time.Minute, "how `long` to watch it")
	if err := parse(flags, args); err != nil {
		return err
	}
	dir := filepath.Join("/proc", strconv.Itoa(*pid))
	seen, err := watch(ctx, *period/parts, func() (usage, error) { return readUsage("/proc", dir) })
	if err != nil {
		return err
	}
	report(out, *period, seen)
	return nil
}

// parts is how many times a period is divided: other programs of the machine start
// processes, of which the kernel tells, and may leave some of the parts alone.
const parts = 10

// watch reads at the beginning, and at the end of each part.
func watch(ctx context.Context, part time.Duration, read func() (usage, error)) (seen []usage, err error) {
	ticker := time.NewTicker(part)
	defer ticker.Stop()
	for {
		u, err := read()
		if err != nil {
			return nil, fmt.Errorf("it is not there, or has ended: %w", err)
		}
		if seen = append(seen, u); len(seen) > parts {
			return seen, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// report shows what each part took, and all.
func report(out io.Writer, period time.Duration, seen []usage) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer table.Flush()
	fmt.Fprintln(table, "time\tprocessor\twake-ups\tresident KiB\tprocesses started on the machine\t")
	row := func(time time.Duration, from, to usage) {
		fmt.Fprintf(table, "%v\t%v\t%d\t%d\t%d\t\n", time, to.processor-from.processor, to.wakeUps-from.wakeUps, to.resident, to.others-from.others)
	}
	for i := range seen[1:] {
		row(period/parts, seen[i], seen[i+1])
	}
	row(period, seen[0], seen[len(seen)-1])
}

// readUsage reads a process's directory in /proc, and what is there of the machine.
func readUsage(proc, dir string) (u usage, err error) {
	var texts [3]string
	for i, name := range []string{filepath.Join(dir, "stat"), filepath.Join(dir, "status"), filepath.Join(proc, "stat")} {
		text, err := os.ReadFile(name)
		if err != nil {
			return u, err
		}
		texts[i] = string(text)
	}
	if u.processor, err = parseStat(texts[0]); err != nil {
		return u, err
	}
	u.resident = number(texts[1], "VmRSS:")
	u.others = number(texts[2], "processes ")
	u.wakeUps, err = wakeUps(dir)
	return u, err
}

// wakeUps adds up how often the threads of a process have waited.
func wakeUps(dir string) (n uint64, err error) {
	threads, err := filepath.Glob(filepath.Join(dir, "task", "*", "status"))
	if err != nil {
		return 0, err
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		n += number(string(status), "voluntary_ctxt_switches:")
	}
	return n, nil
}

// parseStat reads the time of processors, the 14th and 15th field. The second is a
// name in parentheses, which may hold anything.
func parseStat(stat string) (time.Duration, error) {
	_, rest, _ := strings.Cut(stat[strings.LastIndexByte(stat, ')')+1:], " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("no stat of a process: %q", stat)
	}
	user, err := strconv.ParseUint(fields[11], 10, 32)
	if err != nil {
		return 0, err
	}
	kernel, err := strconv.ParseUint(fields[12], 10, 32)
	if err != nil {
		return 0, err
	}
	return time.Duration(user+kernel) * tick, nil
}

// number reads the number behind the name at the beginning of a line, 0 if it is not
// there.
func number(text, name string) uint64 {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name); ok {
			word, _, _ := strings.Cut(strings.TrimSpace(value), " ")
			n, _ := strconv.ParseUint(word, 10, 64)
			return n
		}
	}
	return 0
}
