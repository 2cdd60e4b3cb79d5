//go:build linux

// Package selftest proves on the machine at hand that the program sees what it
// claims to see: in private network namespaces it starts a stand-in metadata
// service, lets children call it, and compares what was logged with what they
// did. The real metadata service is never contacted.
package selftest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"
)

// Watch is the program under test: it captures all interfaces of the network
// namespace that it is called in, writes its log to log, and ends with ctx.
type Watch func(ctx context.Context, log io.Writer) error

// ErrFailed: the program did not see what there was to see.
var ErrFailed = errors.New("selftest failed")

// ErrNoNetwork: the private network could not be made, so nothing was tested.
var ErrNoNetwork = errors.New("cannot make a private network")

const (
	// maxLine bounds a log entry: 16 ancestors with long command lines.
	maxLine = 4 << 20
	// startTimeout bounds the start of the capture and of the service.
	startTimeout = 10 * time.Second
	// entryTimeout bounds the wait for the last entries once all children
	// have ended: an answer that is not seen takes its time, and capture
	// lags by milliseconds.
	entryTimeout = 3 * time.Second
)

// Inside runs the test in the calling process, whose network namespace is
// private. It reports each check on out, and returns ErrFailed if one failed.
func Inside(ctx context.Context, watch Watch, out io.Writer) error {
	// The children are told to end with their parent, which to the kernel is
	// the thread that started them (PR_SET_PDEATHSIG, prctl(2)).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	service, err := startService(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoNetwork, err)
	}
	defer service.stop()
	program, err := startProgram(ctx, watch)
	if err != nil {
		return err
	}
	calls, err := makeCalls(ctx)
	if err != nil {
		return errors.Join(err, program.stop())
	}
	program.await(len(calls.expected))
	if err := program.stop(); err != nil {
		return err
	}
	return judge(calls.expected, program.entries, service.stop()).report(out, program.methods)
}

// program is the program under test as it runs.
type program struct {
	cancel  context.CancelFunc
	ended   chan error
	lines   chan entry
	entries []entry
	methods []string
}

// startProgram starts to watch, and returns once the capture is open.
func startProgram(ctx context.Context, watch Watch) (*program, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &program{cancel: cancel, ended: make(chan error, 1), lines: make(chan entry)}
	reader, writer := io.Pipe()
	go func() {
		err := watch(ctx, writer)
		_ = writer.Close()
		p.ended <- err
	}()
	go p.scan(reader)
	select {
	case e, ok := <-p.lines:
		if ok && e.Event.Action == "capture-started" {
			p.methods = e.IMDS.Capture.Methods
			return p, nil
		}
		cancel()
		return nil, fmt.Errorf("the capture did not start: %w", <-p.ended)
	case <-time.After(startTimeout):
		cancel()
		return nil, errors.New("the capture did not start in time")
	}
}

// scan hands out the lines of the log.
func (p *program) scan(log *io.PipeReader) {
	defer close(p.lines)
	defer log.Close() // a program that writes on must not wait
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err == nil {
			p.lines <- e
		}
	}
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

// stop ends the program and takes in the rest of its log.
func (p *program) stop() error {
	p.cancel()
	for e := range p.lines {
		p.take(e)
	}
	return <-p.ended
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
			Methods []string `json:"attribution_methods"`
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
	Network struct {
		Type string `json:"type"`
	} `json:"network"`
	Process struct {
		PID int `json:"pid"`
	} `json:"process"`
}
