package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// How long the program under test may take.
const (
	startWithin = 20 * time.Second
	// logWithin is for the last entries: an answer that is not seen takes 30 s
	// (capture/limits.go), but here all are.
	logWithin  = 5 * time.Second
	stopWithin = 20 * time.Second
	pollEvery  = 20 * time.Millisecond
)

// program is the program under test as it runs.
type program struct {
	*exec.Cmd
	log   string
	err   bytes.Buffer
	ended chan error
}

// anyWay leaves the choice of ways to the program.
const anyWay = "any"

// startProgram starts the program, which writes its log to a new file in dir,
// and returns once it captures.
func startProgram(n *namespace, binary, way, dir string) (*program, error) {
	p := &program{log: filepath.Join(dir, "log"), ended: make(chan error, 1)}
	if err := os.RemoveAll(p.log); err != nil {
		return nil, err
	}
	args := []string{"--format", "json", "-o", p.log}
	if way != anyWay {
		args = append(args, "--attribution", way)
	}
	p.Cmd = exec.Command(binary, args...)
	p.Stderr = &p.err
	if err := n.start(p.Cmd); err != nil {
		return nil, fmt.Errorf("cannot start the program under test: %w", err)
	}
	go func() { p.ended <- p.Wait() }()
	if err := p.awaitLines(1, startWithin); err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not capture by %s: %w", binary, way, err), p.stop())
	}
	return p, nil
}

// awaitLines waits until the log has so many lines.
func (p *program) awaitLines(lines int, within time.Duration) error {
	var log tail
	defer log.close()
	for deadline := time.Now().Add(within); ; time.Sleep(pollEvery) {
		err := log.read(p.log)
		switch {
		case log.lines >= lines:
			return nil
		case time.Now().After(deadline):
			return errors.Join(fmt.Errorf("its log has %d lines after %v, not %d", log.lines, within, lines), err)
		}
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
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	var err error
	select {
	case err = <-p.ended:
	case <-ctx.Done():
		_ = p.Process.Kill()
		err = errors.Join(ctx.Err(), <-p.ended)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the program under test: %w\n%s", err, p.err.Bytes())
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
