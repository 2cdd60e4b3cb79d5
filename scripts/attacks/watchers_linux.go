package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outlet is a way by which names come out of the program.
type outlet struct {
	name  string
	names bool // hostile names have to be in it
	show  func(ctx context.Context, w *watchers) (string, error)
	check func(text string) []string
	flag  string // without which the program does not have it; "" for none
}

// The files below the stage's directory into which watchers write.
const (
	savedFile   = "saved.pcapng"
	stateFile   = "state.json"
	metricsFile = "metrics.prom"
	namesLog    = "names.log"
)

func outlets() []outlet {
	return []outlet{
		{"console", true, printed("console"), consoleFaults, ""},
		{"text", true, printed("text"), plainFaults, ""},
		{"summary", true, complained("text"), plainFaults, ""},
		{"messages with a log", false, complained("log"), plainFaults, ""},
		{"log with lines for CloudWatch", true, fileOf(namesLog), jsonFaults, ""},
		{"journal", true, func(_ context.Context, w *watchers) (string, error) { return w.journal.text(), nil }, journalFaults, ""},
		{"state", true, fileOf(stateFile), jsonFaults, ""},
		{"metrics", true, fileOf(metricsFile), metricsFaults, "--metrics-textfile"},
		{"comments of a saved capture", true, comments, jsonCommentFaults, ""},
		{"calls of a saved capture", true, ran("-r", savedFile, "--format", "text"), plainFaults, ""},
		{"report of a saved capture", true, ran("report", savedFile), plainFaults, ""},
		{"report", true, ran("report", namesLog), plainFaults, ""},
		{"report in HTML", true, ran("report", "--format", "html", namesLog), pageFaults, ""},
		{"report in JSON", true, ran("report", "--format", "json", namesLog), jsonFaults, ""},
	}
}

func printed(name string) func(context.Context, *watchers) (string, error) {
	return func(_ context.Context, w *watchers) (string, error) { return w.all[name].out.String(), nil }
}

func complained(name string) func(context.Context, *watchers) (string, error) {
	return func(_ context.Context, w *watchers) (string, error) { return w.all[name].errs.String(), nil }
}

func fileOf(name string) func(context.Context, *watchers) (string, error) {
	return func(_ context.Context, w *watchers) (string, error) {
		text, err := os.ReadFile(filepath.Join(w.directory, name))
		return string(text), err
	}
}

func comments(_ context.Context, w *watchers) (string, error) {
	file, err := os.ReadFile(filepath.Join(w.directory, savedFile))
	if err != nil {
		return "", err
	}
	all, err := commentsOf(file)
	return strings.Join(all, "\n"), err
}

// ran runs the program on what watchers have written, and returns all that it says.
func ran(args ...string) func(context.Context, *watchers) (string, error) {
	return func(ctx context.Context, w *watchers) (string, error) {
		cmd := exec.CommandContext(ctx, w.binary, args...)
		cmd.Dir = w.directory
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return string(out), err
	}
}

// watchers are more of the program, which show what it captures in other ways.
type watchers struct {
	binary, directory string
	help              string // the program's
	all               map[string]*watcher
	journal           *journal
}

// has says whether a program has a flag, by its help.
func has(help, flag string) bool { return strings.Contains(help, flag+" ") }

// without takes out the flags, with what follows them, that the program does not have: an
// older one is attacked, too.
func without(help string, args []string) (known []string) {
	for i := 0; i < len(args); i++ {
		switch flag := args[i]; {
		case !strings.HasPrefix(flag, "--") || has(help, flag):
			known = append(known, flag)
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			i++
		}
	}
	return known
}

func (s *stage) startWatchers(ctx context.Context) (w *watchers, err error) {
	w = &watchers{binary: s.binary, directory: s.directory, all: make(map[string]*watcher)}
	if w.journal, err = openJournal(); err != nil {
		return nil, err
	}
	help, err := exec.CommandContext(ctx, s.binary, "--help").Output()
	if err != nil {
		w.close()
		return nil, err
	}
	w.help = string(help)
	file := func(name string) string { return filepath.Join(s.directory, name) }
	for name, args := range map[string][]string{
		"console": nil,
		"text":    {"--format", "text", "-w", file(savedFile), "--state", file(stateFile), "--metrics-textfile", file(metricsFile)},
		"log":     {"-o", file(namesLog), "--emf", "--emf-interval", "1s"},
		"journal": {"--journald"},
	} {
		if w.all[name], err = startWatcher(ctx, s.binary, name == "console", without(w.help, append(args, "--own-namespace"))); err != nil {
			w.close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return w, nil
}

// stop ends them as Ctrl-C does.
func (w *watchers) stop() error {
	var errs []error
	for name, watcher := range w.all {
		if err := watcher.stop(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(append(errs, w.journal.close())...)
}

func (w *watchers) close() {
	for _, watcher := range w.all {
		if watcher != nil {
			watcher.kill()
		}
	}
	_ = w.journal.close()
}

// watcher is one of them.
type watcher struct {
	cmd       *exec.Cmd
	out, errs lockedBuffer
	terminal  *os.File // or nil
	ended     chan error
}

func startWatcher(ctx context.Context, binary string, onTerminal bool, args []string) (*watcher, error) {
	w := &watcher{cmd: exec.CommandContext(ctx, binary, args...), ended: make(chan error, 1)}
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.errs
	if onTerminal {
		slave, err := w.open()
		if err != nil {
			return nil, err
		}
		defer slave.Close()
		w.cmd.Stdout, w.cmd.Stderr = slave, slave
		w.cmd.Env = append(os.Environ(), "TERM=xterm")
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	shown := make(chan struct{})
	go func() {
		if w.terminal != nil {
			_, _ = io.Copy(&w.out, w.terminal) // ends with EIO when nobody has the other end any more
		}
		close(shown)
	}()
	go func() {
		err := w.cmd.Wait()
		<-shown
		w.ended <- err
	}()
	return w, w.awaitStart()
}

// open makes a terminal (pts(4)), and returns the program's end.
func (w *watcher) open() (*os.File, error) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	w.terminal = terminal
	fd := int(terminal.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})); err != nil {
		return nil, err
	}
	return os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
}

// started is what the program says once it captures.
const started = "capturing on"

func (w *watcher) awaitStart() error {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(w.out.String()+w.errs.String(), started) {
			return nil
		}
		select {
		case err := <-w.ended:
			w.ended <- err
			return fmt.Errorf("it did not start: %w: %s", err, tail(w.errs.String()))
		default:
		}
	}
	w.kill()
	return errors.New("it did not start in time")
}

func (w *watcher) stop() error {
	_ = w.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-w.ended:
		w.ended <- nil
		if err != nil && w.cmd.ProcessState.ExitCode() != exitPartial {
			return fmt.Errorf("%w: %s", err, tail(w.errs.String()))
		}
		return nil
	case <-time.After(stopTimeout):
		return errors.New("it did not end in time")
	}
}

func (w *watcher) kill() {
	_ = w.cmd.Process.Kill()
	<-w.ended
	w.ended <- nil
}

// lockedBuffer is read while it is written.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// journal is a stand-in for systemd's, in this mount namespace alone.
type journal struct {
	socket  *net.UnixConn
	entries lockedBuffer
	ended   chan struct{}
}

func openJournal() (*journal, error) {
	const run, directory = "/run", "/run/systemd/journal"
	if err := unix.Mount("tmpfs", run, "tmpfs", 0, ""); err != nil {
		return nil, fmt.Errorf("a /run of its own: %w", err)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: directory + "/socket", Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	j := &journal{socket: socket, ended: make(chan struct{})}
	go j.read()
	return j, nil
}

// read takes entries, of which long ones come as files (systemd's JOURNAL_NATIVE_PROTOCOL).
func (j *journal) read() {
	defer close(j.ended)
	buffer, rights := make([]byte, 1<<20), make([]byte, 64)
	for {
		n, r, _, _, err := j.socket.ReadMsgUnix(buffer, rights)
		if err != nil {
			return
		}
		_, _ = j.entries.Write(buffer[:n])
		messages, _ := unix.ParseSocketControlMessage(rights[:r])
		for i := range messages {
			files, _ := unix.ParseUnixRights(&messages[i])
			for _, fd := range files {
				file := os.NewFile(uintptr(fd), "entry")
				_, _ = io.Copy(&j.entries, io.NewSectionReader(file, 0, 1<<24))
				file.Close()
			}
		}
	}
}

func (j *journal) close() error {
	err := j.socket.Close()
	<-j.ended
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (j *journal) text() string { return j.entries.String() }
