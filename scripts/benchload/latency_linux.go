package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// measureLatency tells how long after a request was on the wire its line can be read
// in the log, by someone who waits for it (inotify(7)).
func (p *plan) measureLatency(out io.Writer) (broken int, err error) {
	printHead(out, "clients", "calls/s", "lines", "from the request, ms: p50", "p99", "max", "from the answer: p50", "p99", "max")
	for _, l := range []struct {
		kind string
		rate int
	}{{"get", 1}, {"get", 100}, {"get", 1000}, {"agent", 1}, {"agent", 100}, {"agent", 1000}, {"keep-alive", 100}} {
		k, _ := kindNamed(l.kind)
		seconds := 2 * p.seconds
		if l.rate == 1 {
			seconds = 6 * p.seconds
		}
		lines, err := p.delays(k, l.rate, l.rate*seconds)
		if err != nil {
			return 0, err
		}
		row := []string{"`" + l.kind + "`", count(l.rate), count(len(lines))}
		for _, since := range []func(delay) int64{delay.sinceRequest, delay.sinceAnswer} {
			var all []int64
			for _, d := range lines {
				all = append(all, since(d))
			}
			for _, q := range []float64{0.5, 0.99, 1} {
				row = append(row, fmt.Sprintf("%.1f", float64(quantile(all, q))/float64(time.Millisecond)))
			}
		}
		printRow(out, row...)
	}
	return 0, nil
}

// delay is of one line.
type delay struct {
	request time.Time
	answer  time.Duration // from the request on
	seen    time.Time
}

func (d delay) sinceRequest() int64 { return int64(d.seen.Sub(d.request)) }
func (d delay) sinceAnswer() int64  { return int64(d.seen.Sub(d.request) - d.answer) }

func (p *plan) delays(k kind, rate, calls int) ([]delay, error) {
	s, err := openSite()
	if err != nil {
		return nil, err
	}
	defer s.close()
	program, err := s.startProgram(p.binary, "log", eachCall...)
	if err != nil {
		return nil, err
	}
	defer program.kill()
	w, err := watchLog(program.log)
	if err != nil {
		return nil, err
	}
	defer w.close()
	read := make(chan error, 1)
	go func() { read <- w.read() }()
	if err := s.call(context.Background(), p.client, k, rate, calls); err != nil {
		return nil, err
	}
	if _, err := program.awaitQuiet(); err != nil {
		return nil, err
	}
	if _, err := program.stop(); err != nil {
		return nil, err
	}
	if err := <-read; err != nil {
		return nil, err
	}
	return w.delays()
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
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
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

// read reads until the line of the capture's end.
func (w *watcher) read() error {
	buffer, events := make([]byte, 1<<20), make([]byte, 4<<10)
	for {
		n, err := w.file.Read(buffer)
		if n > 0 {
			w.text = append(w.text, buffer[:n]...)
			w.marks = append(w.marks, mark{len(w.text), time.Now()})
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		if bytes.Contains(w.text[max(0, len(w.text)-8<<10):], []byte(captureStopped)) {
			return nil
		}
		if _, err := w.notify.Read(events); err != nil {
			return err
		}
	}
}

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
