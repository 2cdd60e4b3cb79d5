package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"imds-analyzer/scripts/testbed"
)

const (
	// startTimeout and stopTimeout bound the program's start and end.
	startTimeout = 45 * time.Second
	stopTimeout  = 15 * time.Second
	// sampleTime is how often its memory is looked at. VmHWM is the most that it ever
	// was, so that only the time since the last look is missed.
	sampleTime = 100 * time.Millisecond
)

// program is the program under attack, with its default settings but for -o and --own-namespace.
type program struct {
	cmd     *exec.Cmd
	log     string
	trapped bool         // attacked where it writes: what it saves there may fail
	errs    bytes.Buffer // to be read once it has ended
	ended   chan struct{}
	sampled chan struct{}
	peak    int64 // KiB
	cpu     time.Duration
}

// startProgram returns once the program captures.
func startProgram(ctx context.Context, binary, directory string, a attack) (*program, error) {
	p := &program{log: filepath.Join(directory, "imds.log"), trapped: a.outputs != nil, ended: make(chan struct{}), sampled: make(chan struct{})}
	args, out, err := p.outputs(directory, a)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	if !a.everywhere {
		args = append(args, "--own-namespace")
	}
	p.cmd = exec.CommandContext(ctx, binary, args...)
	p.cmd.Stdout = out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = &p.errs
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // its status is in ProcessState
		close(p.ended)
	}()
	go p.sample()
	return p, p.awaitStart(ctx)
}

// outputs are the arguments for where it writes, and its standard output.
func (p *program) outputs(directory string, a attack) (args []string, out *os.File, err error) {
	if a.outputs == nil {
		out, err = os.Open(os.DevNull)
		return []string{"-o", p.log}, out, err
	}
	if args, err = a.outputs(directory); err != nil {
		return nil, nil, err
	}
	out, err = os.Create(p.log)
	return append(args, "--format", "json"), out, err
}

func (p *program) awaitStart(ctx context.Context) error {
	err := awaitCapture(ctx, p.log, p.ended)
	switch {
	case errors.Is(err, errEnded):
		return fmt.Errorf("%w: %s", err, p.errs.String())
	case err != nil:
		p.kill()
	}
	return err
}

// errEnded: the program has ended in place of starting.
var errEnded = errors.New("the program did not start")

// probePath is what is called until the program tells of it: it says that it captures
// before it does. The service does not count it.
const probePath = "/probe"

// awaitCapture returns once the log tells of a call that was made meanwhile.
func awaitCapture(ctx context.Context, log string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		text, _ := os.ReadFile(log)
		switch {
		case bytes.Contains(text, []byte(strconv.Quote(probePath))):
			return nil
		case bytes.Contains(text, []byte("capture-started")):
			if err := probe(); err != nil {
				return err
			}
		}
		select {
		case <-ended:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("the program did not start in time: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// probe makes one call, as none of the attackers and from none of the honest clients' ports.
func probe() error {
	conn, err := dial(&net.TCPAddr{IP: net.ParseIP(probeAddr)})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = exchange(conn, bufio.NewReader(conn), requestFor(probePath, "probe"))
	return err
}

// sample keeps the peak of the program's memory up to date until it has ended.
func (p *program) sample() {
	defer close(p.sampled)
	ticker := time.NewTicker(sampleTime)
	defer ticker.Stop()
	for {
		p.look()
		select {
		case <-p.ended:
			return
		case <-ticker.C:
		}
	}
}

var highWaterMark = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// look reads VmHWM (proc_pid_status(5)).
func (p *program) look() {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if found := highWaterMark.FindSubmatch(status); found != nil {
		kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
		p.peak = max(p.peak, kib)
	}
}

// stop ends the program as Ctrl-C does, and returns its log.
func (p *program) stop() ([]entry, error) {
	select {
	case <-p.ended:
		return nil, fmt.Errorf("the program ended by itself (%s): %s", p.cmd.ProcessState, tail(p.errs.String()))
	default:
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		p.kill()
		return nil, errors.New("the program did not end in time")
	}
	<-p.sampled
	p.cpu = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	if status := p.cmd.ProcessState.ExitCode(); status != 0 && status != exitPartial && !(p.trapped && status == exitFailed) {
		return nil, fmt.Errorf("the program failed (%s): %s", p.cmd.ProcessState, tail(p.errs.String()))
	}
	return readLog(p.log)
}

// The program's exit statuses if something failed, if it is not to be run like that, and if
// packets were lost.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
)

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// said is the end of what the program wrote to standard error.
func (p *program) said() string { return tail(p.errs.String()) }

func tail(text string) string { return text[max(0, len(text)-4<<10):] }

// readLog reads a log, of which each line has to be whole.
func readLog(name string) ([]entry, error) { return readLines[entry](name) }

func readLines[T any](name string) (log []T, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = testbed.ReadLog(file, func(e T, _ string) { log = append(log, e) })
	return log, err
}
