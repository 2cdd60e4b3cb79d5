package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"imds-analyzer/scripts/testbed"
)

// wakeUps counts how often the threads of a process have got a processor: context
// switches, of their own will or not (proc_pid_status(5)).
func wakeUps(pid int) (sum int64, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err == nil && len(tasks) == 0 {
		err = os.ErrNotExist
	}
	if err != nil {
		return 0, fmt.Errorf("the threads of process %d: %w", pid, err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			return 0, err
		}
		for _, name := range []string{"voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"} {
			n, err := testbed.Field(string(status), name)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}

// measureIdle has programs run side by side while nothing calls. Each process that
// others start on the machine wakes those that follow processes.
func (p *plan) measureIdle(ctx context.Context, out io.Writer) (failed int, err error) {
	s, err := openSite()
	if err != nil {
		return 0, err
	}
	defer s.close()
	type idler struct {
		way     string
		program *program
		wakes   int64
		usage   testbed.Usage
	}
	var all []*idler
	for _, way := range []string{"default", "sock_diag", "proc"} {
		var args []string
		if way != "default" {
			args = []string{"--attribution", way}
		}
		program, err := s.startProgram(ctx, p.binary, "log-"+way, args...)
		if err != nil {
			return 0, err
		}
		defer program.kill()
		all = append(all, &idler{way: way, program: program})
	}
	if err := pause(ctx, 10*time.Second); err != nil { // what a start leaves behind
		return 0, err
	}
	for _, i := range all {
		if i.usage, err = i.program.usage(); err != nil {
			return 0, err
		}
		if i.wakes, err = wakeUps(i.program.Process.Pid); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, p.quiet); err != nil {
		return 0, err
	}
	printHead(out, "processes are found by", "seconds", "wake-ups/s", "processes started on the machine/s", "CPU, % of one", "RSS, MiB")
	for _, i := range all {
		wakes, err := wakeUps(i.program.Process.Pid)
		if err != nil {
			return 0, err
		}
		u, err := i.program.usage()
		if err != nil {
			return 0, err
		}
		seconds := u.At.Sub(i.usage.At).Seconds()
		printRow(out, i.way, fmt.Sprintf("%.0f", seconds), fmt.Sprintf("%.2f", float64(wakes-i.wakes)/seconds),
			fmt.Sprintf("%.2f", float64(u.Forks-i.usage.Forks)/seconds), fmt.Sprintf("%.3f", percentOf(i.usage, u)), mebibytes(u.RSS))
	}
	for _, i := range all {
		v, err := i.program.finish(nil)
		if err != nil {
			return failed, err
		}
		failed += printFaults(out, v.broken(), v.losses())
	}
	return failed, nil
}
