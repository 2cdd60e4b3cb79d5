package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

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
