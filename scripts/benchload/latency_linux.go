package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// measureLatency tells how long after a request was on the wire its line can be read
// in the log, by someone who waits for it (inotify(7)).
func (p *plan) measureLatency(ctx context.Context, out io.Writer) (failed int, err error) {
	printHead(out, "clients", "calls/s", "lines", "from the request, ms: p50", "p99", "max", "from the answer: p50", "p99", "max")
	for _, l := range []struct {
		kind string
		rate int
	}{{"get", seldom}, {"get", 100}, {"get", 1000}, {"agent", 100}, {"agent", 1000}, {"keep-alive", 100}} {
		k, _ := kindNamed(l.kind)
		seconds := 2 * p.seconds
		if l.rate == seldom {
			seconds = 10 * p.seconds
		}
		lines, v, err := p.delays(ctx, k, l.rate, l.rate*seconds)
		if err != nil {
			return failed, err
		}
		row := []string{"`" + l.kind + "`", count(l.rate), count(len(lines))}
		for _, since := range []func(delay) int64{delay.sinceRequest, delay.sinceAnswer} {
			var all []int64
			for _, d := range lines {
				all = append(all, since(d))
			}
			for _, hundredths := range []int{50, 99, 100} {
				row = append(row, delayAt(all, hundredths))
			}
		}
		printRow(out, row...)
		var silent faults
		silent.add(len(lines) != v.made, "%d lines can be read, and %d calls were made", len(lines), v.made)
		failed += printFaults(out, v.broken(), v.losses(), silent)
	}
	return failed, nil
}

// seldom is a rate at which no packet has others to wait for: each line is as late as can
// be. In ten rows' time it makes the lines that a 99th percentile takes.
const seldom = 2

// delayAt is a percentile in milliseconds. Of fewer than 100 the 99th is the largest, and
// is left out.
func delayAt(all []int64, hundredths int) string {
	if hundredths == 99 && len(all) < 100 {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(percentile(all, hundredths))/float64(time.Millisecond))
}

// delay is of one line.
type delay struct {
	request time.Time
	answer  time.Duration // from the request on
	seen    time.Time
}

func (d delay) sinceRequest() int64 { return int64(d.seen.Sub(d.request)) }
func (d delay) sinceAnswer() int64  { return int64(d.seen.Sub(d.request) - d.answer) }

// delays are those of the calls' lines, with what the log says of the calls.
func (p *plan) delays(ctx context.Context, k kind, rate, calls int) ([]delay, *verdict, error) {
	s, err := openSite()
	if err != nil {
		return nil, nil, err
	}
	defer s.close()
	program, err := s.startProgram(ctx, p.binary, "log", eachCall...)
	if err != nil {
		return nil, nil, err
	}
	defer program.kill()
	w, err := watchLog(program.log)
	if err != nil {
		return nil, nil, err
	}
	defer w.close()
	read := make(chan error, 1)
	go func() { read <- w.read() }()
	if err := s.call(ctx, p.client, k, rate, calls); err != nil {
		return nil, nil, err
	}
	if _, err := program.awaitQuiet(ctx); err != nil {
		return nil, nil, err
	}
	made, err := s.calls(k)
	if err != nil {
		return nil, nil, err
	}
	v, err := program.finish(made)
	w.end()
	if err := errors.Join(err, <-read); err != nil {
		return nil, nil, err
	}
	all, err := w.delays()
	return all, v, err
}

// watcher reads a log as it grows, and remembers when it read what.
type watcher struct {
	file   *os.File
	notify *os.File
	text   []byte
	marks  []mark
}

// mark: so many bytes had been read then.
type mark struct {
	bytes int
	at    time.Time
}

func watchLog(name string) (*watcher, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK) // so that it takes a deadline
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	w := &watcher{file: file, notify: os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, name, unix.IN_MODIFY); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// read reads what is written, until nothing more will be.
func (w *watcher) read() error {
	buffer, events := make([]byte, 1<<20), make([]byte, 4<<10)
	for ended := false; ; {
		n, err := w.file.Read(buffer)
		if n > 0 {
			w.text = append(w.text, buffer[:n]...)
			w.marks = append(w.marks, mark{len(w.text), time.Now()})
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		if ended {
			return nil
		}
		_, err = w.notify.Read(events)
		// What was written before the end may not have been read yet.
		ended = errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !ended {
			return err
		}
	}
}

// end says that nothing more will be written.
func (w *watcher) end() { _ = w.notify.SetReadDeadline(time.Now()) }

// delays are those of the lines about calls.
func (w *watcher) delays() (all []delay, err error) {
	end, m := 0, 0
	for line := range bytes.Lines(w.text) {
		end += len(line)
		for w.marks[m].bytes < end {
			m++
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		if e.Event.Dataset == callDataset {
			all = append(all, delay{e.Time, e.Event.Duration, w.marks[m].at})
		}
	}
	return all, nil
}

func (w *watcher) close() {
	_ = w.file.Close()
	_ = w.notify.Close()
}
