package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"imds-analyzer/scripts/testbed"
)

// How long the program under test may take, and how its log is watched.
const (
	startWithin = 20 * time.Second
	stopWithin  = time.Minute
	// quietFor is how long a log has not grown that is taken for done.
	quietFor  = 1500 * time.Millisecond
	pollEvery = 20 * time.Millisecond
)

// program is the program under test as it runs.
type program struct {
	*exec.Cmd
	log   string
	err   bytes.Buffer  // to be read once it has ended
	ended chan struct{} // closed
}

// startProgram starts the program in the host's namespace, and returns once it
// captures. It leaves other namespaces alone, which are there for other reasons.
func (s *site) startProgram(ctx context.Context, binary, log string, args ...string) (*program, error) {
	p := &program{log: filepath.Join(s.dir, log), ended: make(chan struct{})}
	if err := os.RemoveAll(p.log); err != nil {
		return nil, err
	}
	p.Cmd = exec.Command(binary, append([]string{"-o", p.log, "--own-namespace"}, args...)...)
	p.Stderr = &p.err
	if err := s.host.Start(p.Cmd); err != nil {
		return nil, err
	}
	go func() {
		_ = p.Wait() // its status is in ProcessState
		close(p.ended)
	}()
	return p, p.awaitStart(ctx)
}

func (p *program) awaitStart(ctx context.Context) error {
	for deadline := time.Now().Add(startWithin); time.Now().Before(deadline); {
		if log, _ := os.ReadFile(p.log); bytes.Contains(log, []byte("\n")) {
			return nil
		}
		if !p.runs(pollEvery) {
			return fmt.Errorf("the program did not start: %s", &p.err)
		}
		if ctx.Err() != nil {
			p.kill()
			return ctx.Err()
		}
	}
	p.kill()
	return errors.New("the program did not start in time")
}

// pause waits for so long, or until the run is to end.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// runs says after so much time, or at once if not, whether the program runs.
func (p *program) runs(after time.Duration) bool {
	select {
	case <-p.ended:
		return false
	case <-time.After(after):
		return true
	}
}

// awaitQuiet waits until the log does not grow any more, and returns when it last did.
func (p *program) awaitQuiet(ctx context.Context) (last time.Time, err error) {
	last = time.Now()
	for size := int64(-1); time.Since(last) < quietFor; {
		info, err := os.Stat(p.log)
		if err != nil {
			return last, err
		}
		if info.Size() != size {
			if size >= 0 {
				last = time.Now()
			}
			size = info.Size()
		}
		if !p.runs(pollEvery) {
			return last, fmt.Errorf("the program has ended: %s", &p.err)
		}
		if ctx.Err() != nil {
			return last, ctx.Err()
		}
	}
	return last, nil
}

func (p *program) usage() (testbed.Usage, error) { return testbed.UsageOf(p.Process.Pid) }

// stop ends the program as a service manager does, and returns its exit status.
func (p *program) stop() (int, error) {
	_ = p.Process.Signal(syscall.SIGTERM)
	if p.runs(stopWithin) {
		p.kill()
		return 0, errors.New("the program did not end in time")
	}
	status := p.ProcessState.ExitCode()
	if status != 0 && status != exitPartial {
		return status, fmt.Errorf("the program: %s: %s", p.ProcessState, &p.err)
	}
	return status, nil
}

// finish ends the program, and holds its log against the calls that were made.
func (p *program) finish(calls map[string]access) (*verdict, error) {
	exit, err := p.stop()
	if err != nil {
		return nil, err
	}
	v, err := judge(calls, p.readLog)
	if err != nil {
		return nil, err
	}
	v.exit, v.summary = exit, p.err.String()
	return v, nil
}

func (p *program) kill() {
	_ = p.Process.Kill()
	<-p.ended
}

func (p *program) readLog(take func(entry)) error {
	log, err := os.Open(p.log)
	if err != nil {
		return err
	}
	defer log.Close()
	return readLog(log, take)
}
