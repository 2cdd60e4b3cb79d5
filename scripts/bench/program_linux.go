package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"imds-analyzer/scripts/testbed"
)

// How long the program under test may take.
const (
	startWithin = 20 * time.Second
	// quietWithin is for the next entry when all calls are made: one leaves at
	// most 200 ms after its call is complete (docs/architecture.md), and looking
	// up what has queued may take longer.
	quietWithin = 2 * time.Second
	stopWithin  = 20 * time.Second
	pollEvery   = 20 * time.Millisecond
)

// program is the program under test as it runs.
type program struct {
	*exec.Cmd
	log   string
	err   bytes.Buffer
	ended chan struct{} // closed
	exit  error         // then
}

// anyWay leaves the choice of ways to the program.
const anyWay = "any"

// startProgram starts the program, which writes its log to a new file in dir,
// and returns once it captures.
func startProgram(n *testbed.Namespace, binary, way, dir string) (*program, error) {
	p := &program{log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	if err := os.RemoveAll(p.log); err != nil {
		return nil, err
	}
	args := []string{"--format", "json", "--max-entry-rate", "0", "-o", p.log} // each call is held against its client
	if way != anyWay {
		args = append(args, "--attribution", way)
	}
	p.Cmd = exec.Command(binary, args...)
	p.Stderr = &p.err
	if err := n.Start(p.Cmd); err != nil {
		return nil, fmt.Errorf("cannot start the program under test: %w", err)
	}
	go func() {
		p.exit = p.Wait()
		close(p.ended)
	}()
	if err := p.awaitLines(1, startWithin); err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not capture by %s: %w", binary, way, err), p.stop())
	}
	return p, nil
}

// awaitLines waits until the log has so many lines, as long as the next one
// comes within the time.
func (p *program) awaitLines(lines int, within time.Duration) error {
	var log tail
	defer log.close()
	for grown := time.Now(); ; {
		before := log.lines
		err := log.read(p.log)
		if log.lines > before {
			grown = time.Now()
		}
		switch {
		case log.lines >= lines:
			return nil
		case time.Since(grown) > within:
			return errors.Join(fmt.Errorf("its log has %d lines, not %d", log.lines, lines), err)
		case !p.runs(pollEvery):
			return errors.Join(errors.New("it has ended"), err)
		}
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

// tail counts the lines of a file that grows.
type tail struct {
	file  *os.File
	lines int
}

func (t *tail) read(path string) (err error) {
	if t.file == nil {
		if t.file, err = os.Open(path); err != nil {
			return err
		}
	}
	_, err = io.Copy(t, t.file)
	return err
}

func (t *tail) Write(b []byte) (int, error) {
	t.lines += bytes.Count(b, []byte("\n"))
	return len(b), nil
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}

// stop ends the program as a service manager does. Its exit status is 3 where
// packets were lost, which the log tells too.
func (p *program) stop() error {
	_ = p.Process.Signal(syscall.SIGTERM)
	if p.runs(stopWithin) {
		_ = p.Process.Kill()
		<-p.ended
		return fmt.Errorf("the program under test did not end within %v", stopWithin)
	}
	if p.exit != nil && p.ProcessState.ExitCode() != 3 {
		return fmt.Errorf("the program under test: %w\n%s", p.exit, p.err.Bytes())
	}
	return nil
}

// readLog hands over the lines of the log.
func (p *program) readLog(take func(entry)) error {
	log, err := os.Open(p.log)
	if err != nil {
		return err
	}
	defer log.Close()
	return readLog(log, take)
}
