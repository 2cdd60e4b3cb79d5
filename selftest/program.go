//go:build linux

package selftest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// maxLine bounds a log entry: 16 ancestors with long command lines.
	maxLine = 4 << 20
	// startTimeout bounds the start of the capture and of the service.
	startTimeout = 10 * time.Second
	// entryTimeout bounds the wait for the last entries once all children
	// have ended: an answer that is not seen takes its time, and capture
	// lags by milliseconds.
	entryTimeout = 3 * time.Second
	// stopTimeout bounds the end of the program, which waits for what it has
	// captured.
	stopTimeout = 10 * time.Second
)

// program is the program under test, in a process of its own as in normal use:
// it gives up privileges that the test needs.
type program struct {
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	errs    bytes.Buffer // to be read once it has ended
	lines   chan entry
	entries []entry
	ways    []string
}

// startProgram starts to watch, and returns once the capture is open.
func startProgram(ctx context.Context, way string) (*program, error) {
	p := &program{lines: make(chan entry)}
	ctx, p.cancel = context.WithCancel(ctx)
	p.cmd = exec.CommandContext(ctx, self, arguments(way)...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopTimeout
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = &p.errs
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.cancel()
		return nil, err
	}
	go p.scan(out)
	return p, p.awaitStart()
}

func arguments(way string) []string {
	if way == "" {
		return []string{"--format", "json", "--own-namespace"}
	}
	return []string{"--format", "json", "--own-namespace", "--attribution", way}
}

func (p *program) awaitStart() error {
	select {
	case e, ok := <-p.lines:
		if ok && e.Event.Action == "capture-started" {
			p.ways = e.IMDS.Capture.Ways
			return nil
		}
		if err := p.stop(); err != nil {
			return err
		}
		return errors.New("the program ended before it captured")
	case <-time.After(startTimeout):
		_ = p.stop() // that it did not start says more
		return errors.New("the capture did not start in time")
	}
}

// scan hands out the lines of the log.
func (p *program) scan(log io.Reader) {
	defer close(p.lines)
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err == nil {
			p.lines <- e
		}
	}
	_, _ = io.Copy(io.Discard, log) // a program that writes on must not wait
}

// await waits until the calls are in the log, or will not be.
func (p *program) await(calls int) {
	timeout := time.After(entryTimeout)
	for len(p.entries) < calls {
		select {
		case e, ok := <-p.lines:
			if !ok {
				return
			}
			p.take(e)
		case <-timeout:
			return
		}
	}
}

// stop ends the program and takes in the rest of its log. The error has the
// words with which it failed, which are the first.
func (p *program) stop() error {
	p.cancel()
	for e := range p.lines {
		p.take(e)
	}
	err := p.cmd.Wait()
	if err == nil || p.cmd.ProcessState.Success() {
		return nil // a program that was told to end has done so
	}
	said, _, _ := strings.Cut(p.errs.String(), "\n")
	return fmt.Errorf("the program failed (%w): %s", err, said)
}

func (p *program) take(e entry) {
	if e.Event.Dataset == "imds.call" {
		p.entries = append(p.entries, e)
	}
}

// entry is what the test reads of a log entry.
type entry struct {
	Event struct {
		Action  string `json:"action"`
		Dataset string `json:"dataset"`
	} `json:"event"`
	IMDS struct {
		Version     string `json:"version"`
		Attribution struct {
			Status string `json:"status"`
			Method string `json:"method"`
		} `json:"attribution"`
		Capture struct {
			Ways []string `json:"attribution_methods"`
		} `json:"capture"`
	} `json:"imds"`
	HTTP struct {
		Request struct {
			Method string `json:"method"`
		} `json:"request"`
	} `json:"http"`
	URL struct {
		Original string `json:"original"`
	} `json:"url"`
	Process struct {
		PID int `json:"pid"`
	} `json:"process"`
}
