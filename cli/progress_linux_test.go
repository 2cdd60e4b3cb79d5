package cli_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imds-analyzer/cli"
	"imds-analyzer/output/screentest"
)

// onTerminal is a screen whose changes can be waited for.
type onTerminal struct {
	t      *testing.T
	slave  *os.File
	copied chan error
	status chan int

	mu      sync.Mutex
	screen  *screentest.Screen
	changed chan struct{}
}

// atTerminal runs the program on a terminal of that size.
func atTerminal(t *testing.T, columns, rows int, in io.Reader, args ...string) *onTerminal {
	t.Helper()
	w := newTerminal(t, columns, rows)
	go func() { w.status <- cli.Main(args, cli.Streams{In: in, Out: w.slave, Err: w.slave}) }()
	return w
}

// atOwnTerminal runs the program as a process of its own, of which the terminal is the controlling
// one, as in a shell.
func atOwnTerminal(t *testing.T, columns, rows int, in io.Reader, args ...string) *onTerminal {
	t.Helper()
	w := newTerminal(t, columns, rows)
	cmd := liveCommand(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, w.slave, w.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		_ = cmd.Wait()
		w.status <- cmd.ProcessState.ExitCode()
	}()
	return w
}

func newTerminal(t *testing.T, columns, rows int) *onTerminal {
	t.Helper()
	t.Setenv("TERM", "xterm")
	master, slave := terminal(t)
	w := &onTerminal{t: t, slave: slave, copied: make(chan error, 1), status: make(chan int, 1), changed: make(chan struct{}),
		screen: screentest.New(columns, rows, func(rune) int { return 1 })}
	w.resize(columns, rows)
	go func() {
		_, err := io.Copy(w, master)
		w.copied <- err
	}()
	return w
}

func (w *onTerminal) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
	return w.screen.Write(p)
}

func (w *onTerminal) resize(columns, rows int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.screen.Resize(columns, rows)
	size := unix.Winsize{Col: uint16(columns), Row: uint16(rows)}
	if err := unix.IoctlSetWinsize(int(w.slave.Fd()), unix.TIOCSWINSZ, &size); err != nil {
		w.t.Fatal(err)
	}
}

func (w *onTerminal) lines() ([]string, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.screen.Lines(), w.changed
}

// until waits for the last line to be such a one.
func (w *onTerminal) until(last *regexp.Regexp) {
	w.t.Helper()
	patience := time.After(time.Minute)
	for {
		lines, changed := w.lines()
		if len(lines) > 0 && last.MatchString(lines[len(lines)-1]) {
			return
		}
		select {
		case <-changed:
		case <-patience:
			w.t.Fatalf("no %v at the end of %q", last, lines)
		}
	}
}

// end waits for the program's end, and returns what can be read then.
func (w *onTerminal) end() (lines []string, status int) {
	w.t.Helper()
	status = <-w.status
	w.slave.Close()
	if err := <-w.copied; !errors.Is(err, syscall.EIO) { // which is how it ends
		w.t.Fatal(err)
	}
	lines, _ = w.lines()
	return lines, status
}

// While a stream goes on its progress is below the calls, whatever the terminal's
// size is. At the end it has left no trace, in calls, warnings and summary.
func TestProgressOfStream(t *testing.T) {
	data := readFile(t, captureOf(t, "proxy-haproxy-any"))
	half, cut := len(data)/2, len(data)-10
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			args := []string{"-r", "-", "--format", format}
			want, _ := atTerminal(t, 100, 24, strings.NewReader(data[:cut]), args...).end()

			in, stream := io.Pipe()
			w := atTerminal(t, 100, 24, in, args...)
			io.WriteString(stream, data[:half])
			w.until(regexp.MustCompile(fmt.Sprintf(`^%.1f KiB read  .*/s  [1-8] calls, 1 v1$`, float64(half)/1024)))
			w.resize(30, 24)
			w.until(regexp.MustCompile(`^.{1,29}$`))
			w.resize(100, 10)
			w.until(regexp.MustCompile(`KiB read  .*/s  [1-8] calls, 1 v1$`))
			io.WriteString(stream, data[half:cut])
			w.until(regexp.MustCompile(`KiB read  .*/s  9 calls, 1 v1$`))
			stream.Close()
			lines, status := w.end()
			if status != 3 || !slices.Equal(timeless(lines), timeless(want)) {
				t.Errorf("exit status %d\ngot  %q\nwant %q", status, lines, want)
			}
		})
	}
}

// A program that is confined has its progress on the terminal that it was started from.
func TestProgressOfProcess(t *testing.T) {
	data := readFile(t, captureOf(t, "boto"))
	in, stream := io.Pipe()
	w := atOwnTerminal(t, 100, 24, in, "-r", "-")
	io.WriteString(stream, data[:len(data)/2])
	w.until(regexp.MustCompile(`KiB read  .*/s  \d+ calls, \d+ v1$`))
	io.WriteString(stream, data[len(data)/2:])
	stream.Close()
	if lines, status := w.end(); status != 0 {
		t.Errorf("exit status %d: %q", status, lines)
	}
}

var changing = regexp.MustCompile(`"(@timestamp|started)":"2[^"]*"`)

// timeless are lines without the time at which those on the capture were written,
// in an order that does not depend on when the warning came.
func timeless(lines []string) (list []string) {
	for _, line := range lines {
		if strings.Contains(line, `"dataset":"imds.capture"`) {
			line = changing.ReplaceAllString(line, "")
		}
		list = append(list, line)
	}
	slices.Sort(list)
	return list
}

// Of files it is known how much there is to read. What waits for the command of
// --enrich holds the run here.
func TestProgressOfFiles(t *testing.T) {
	files := []string{captureOf(t, "boto"), captureOf(t, "ec2-tools-lo")}
	dir := t.TempDir()
	for _, open := range []string{dir, filepath.Dir(dir)} { // for nobody, who runs the command
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command, gone := filepath.Join(dir, "command"), filepath.Join(dir, "go")
	if err := os.WriteFile(command, []byte("#!/bin/sh\nuntil [ -e "+gone+" ]; do sleep 0.01; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	w := atTerminal(t, 120, 24, strings.NewReader(""), append([]string{"--enrich", command, "--enrich-timeout", "1m", "-r"}, files...)...)
	w.until(regexp.MustCompile(`^\[=+\]  100 %  (\d+ KiB) of \d+ KiB  .*/s  \d+ calls, \d+ v1  0:00 left$`))
	if err := os.WriteFile(gone, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	lines, status := w.end()
	if status != 0 || slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "%  ") }) {
		t.Errorf("exit status %d: %q", status, lines)
	}
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasSuffix(line, " to the metadata service") })
	if want := count(append(truth(t, "boto"), truth(t, "ec2-tools-lo")...)); i < 0 || summarised(t, strings.Join(lines[i:], "\n")) != want || shownCounts(t, lines[:i]) != want {
		t.Errorf("not %+v in calls and summary: %q", want, lines)
	}
}
