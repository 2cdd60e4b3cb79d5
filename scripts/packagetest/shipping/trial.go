package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// trial runs the program as its service would be, calls a stand-in for the metadata
// service, has the log rotated all the while, and looks whether each of its lines comes
// where logs are kept, once. It takes a network and a /var of its own, which
// check-shipping makes.
type trial struct {
	program, config    string
	collector, example string
	alarms             string
	sink               sink
}

const (
	serviceAddress = "169.254.169.254:80"
	logFile        = "/var/log/imds-analyzer/imds.log"

	// A file is rotated at 64 KiB, the least: after 15 lines, as our command line is long.
	// As many are kept as can be, so that all lines can be compared.
	rotateSize, rotateKeep = "64KiB", "1000"
	callsAPart             = 600 // three parts: about 120 files
	pace                   = 5 * time.Millisecond
	patience               = 2 * time.Minute
)

func (t *trial) run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stop, err := t.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	program, err := launch(ctx, "imds-analyzer: capturing on ", t.program, "--config", t.config, "--no-packages", "--own-namespace",
		"--interface", "lo", "--max-entry-rate", "0", "--rotate-size", rotateSize, "--rotate-keep", rotateKeep)
	if err != nil {
		return err
	}
	defer program.kill()
	made, err := t.callAndShip(ctx)
	if err != nil {
		return err
	}
	if err := program.end(); err != nil {
		return fmt.Errorf("the program: %w", err)
	}
	lines, files, err := readLog()
	if err != nil {
		return err
	}
	return t.compare(ctx, out, lines, files, made)
}

// serve listens as the metadata service and as the place where logs are kept.
func (t *trial) serve(ctx context.Context) (stop func(), err error) {
	imds := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "i-0123456789abcdef0") })}
	keeper := &http.Server{Handler: &t.sink}
	for address, server := range map[string]*http.Server{serviceAddress: imds, "127.0.0.1:4318": keeper} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		go func() { _ = server.Serve(listener) }()
	}
	return func() { imds.Close(); keeper.Close() }, nil
}

// callAndShip makes calls while the collector runs, while nobody takes what it sends, and
// when somebody does again. It returns how many were of version 1.
func (t *trial) callAndShip(ctx context.Context) (v1 int, err error) {
	collector, err := t.collect(ctx)
	if err != nil {
		return 0, err
	}
	defer collector.kill()
	for _, part := range []func() error{
		func() error { return nil },
		func() error { t.sink.refuse(true); return nil },
		func() error {
			err := t.awaitRefusal(ctx)
			t.sink.refuse(false)
			return err
		},
	} {
		if err := part(); err != nil {
			return 0, err
		}
		n, err := call(ctx, callsAPart)
		if v1 += n; err != nil {
			return 0, err
		}
	}
	if err := t.awaitLines(ctx); err != nil {
		return 0, err
	}
	return v1, collector.end()
}

func (t *trial) collect(ctx context.Context) (*process, error) {
	return launch(ctx, "Everything is ready", t.collector, "--config", t.example, "--set", "exporters.otlphttp.encoding=json")
}

func (t *trial) awaitRefusal(ctx context.Context) error {
	return await(ctx, "that a request is refused", func() bool { _, refused, _ := t.sink.soFar(); return refused > 0 })
}

// awaitLines waits until as many lines have come as there are in the log now.
func (t *trial) awaitLines(ctx context.Context) error {
	return await(ctx, "the lines", func() bool {
		lines, _, err := readLog()
		got, _, wrong := t.sink.soFar()
		return err != nil || wrong != nil || len(times(got)) >= len(lines)
	})
}

func await(ctx context.Context, what string, is func() bool) error {
	for !is() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// call makes so many calls, half of them without a token and half on connections of
// their own. It returns how many have none.
func call(ctx context.Context, n int) (v1 int, err error) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v1, ctx.Err()
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+serviceAddress+"/latest/meta-data/instance-id", nil)
		if err != nil {
			return v1, err
		}
		if i%2 == 0 {
			v1++
		} else {
			request.Header.Set("X-aws-ec2-metadata-token", "none")
		}
		request.Close = i%4 < 2
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return v1, err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	return v1, nil
}

// readLog returns the lines of all files of the log, and how many files there are.
func readLog() (lines []string, files int, err error) {
	for name := logFile; ; name = fmt.Sprintf("%s.%d", logFile, files) {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return lines, files, nil
		}
		if err != nil {
			return nil, 0, err
		}
		files++
		for line := range strings.Lines(string(data)) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
}

// compare holds what came against the log. The last line, of the end, is written when the
// collector has ended.
func (t *trial) compare(ctx context.Context, out io.Writer, lines []string, files, v1 int) error {
	got, refused, err := t.sink.soFar()
	if err != nil {
		return err
	}
	alarms, err := readAlarms(t.alarms)
	if err != nil {
		return err
	}
	if n := alarms.filters["V1Calls"].count(lines); n != v1 {
		return fmt.Errorf("the metric filter V1Calls counts %d of %d calls in %d files", n, v1, files)
	}
	for _, s := range got {
		if err := s.check(); err != nil {
			return err
		}
	}
	if err := differences(lines, times(got)); err != nil {
		return err
	}
	row(out, "otel collector, run on a log that is rotated", "%d lines in %d files, each came once, with time and host; %d requests refused", len(got), files, refused)
	row(out, "metric filter V1Calls on that log", "%d of %d", v1, v1)
	return nil
}

// times tells how often each line came.
func times(got []shipped) map[string]int {
	n := map[string]int{}
	for _, s := range got {
		n[s.line]++
	}
	return n
}

// differences tells of lines that did not come, that came too often, and that are none of
// the log's.
func differences(lines []string, came map[string]int) error {
	var lost, repeated []string
	for _, line := range lines {
		switch n := came[line]; {
		case n == 0 && !strings.Contains(line, `"action":"capture-stopped"`):
			lost = append(lost, line)
		case n > 1:
			repeated = append(repeated, line)
		}
		delete(came, line)
	}
	strange := slices.Sorted(maps.Keys(came))
	if len(lost)+len(repeated)+len(strange) == 0 {
		return nil
	}
	return fmt.Errorf("%d lines did not come, %d came more than once, and %d are not in the log: %.300q",
		len(lost), len(repeated), len(strange), slices.Concat(lost, repeated, strange)[0])
}

// check holds what the shipper says of the line against what the line says.
func (s shipped) check() error {
	var entry struct {
		Time time.Time `json:"@timestamp"`
		Host struct{ Hostname string }
	}
	if err := json.Unmarshal([]byte(s.line), &entry); err != nil {
		return fmt.Errorf("no whole line: %.300s", s.line)
	}
	if !s.at.Equal(entry.Time) || s.host != entry.Host.Hostname || s.host == "" {
		return fmt.Errorf("came with time %v and host %q: %.300s", s.at, s.host, s.line)
	}
	return nil
}

// process is a program that runs, and tells on standard error what it does.
type process struct{ *exec.Cmd }

// launch starts a program, and returns when it has written that it is ready.
func launch(ctx context.Context, ready, name string, args ...string) (*process, error) {
	p := &process{exec.CommandContext(ctx, name, args...)}
	p.Env = append(os.Environ(), "OTLP_ENDPOINT=http://127.0.0.1:4318")
	errs, err := p.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(errs)
	for lines.Scan() {
		fmt.Fprintln(os.Stderr, lines.Text())
		if strings.Contains(lines.Text(), ready) {
			go func() { _, _ = io.Copy(os.Stderr, errs) }()
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s did not start: %w", name, p.Wait())
}

func (p *process) end() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Wait()
}

func (p *process) kill() { _ = p.Process.Kill() }
