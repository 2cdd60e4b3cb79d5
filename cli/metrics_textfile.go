package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// textfileMode: what reads it is another user.
const textfileMode = 0o644

// textfileEndWithin is how long the end of a capture waits for the last file.
const textfileEndWithin = time.Second

// textfile is a file with the counts, for node_exporter's textfile collector. A goroutine
// of its own writes it, so that a disk that has stalled holds up no capture: the file
// stays as it was then, which its time tells.
type textfile struct {
	name  string
	every time.Duration
	texts chan []byte
	ended chan struct{}
	say   func(error)
	// latest is what was put last.
	latest atomic.Pointer[[]byte]

	mu     sync.Mutex // guards what follows
	ending bool       // the last text has come
}

func newTextfile(name string, every time.Duration, say func(error)) *textfile {
	f := &textfile{name: name, every: every, texts: make(chan []byte, 1), ended: make(chan struct{}), say: say}
	go f.run()
	return f
}

// interval is how often it is written, 0 for never.
func (f *textfile) interval() time.Duration {
	if f == nil {
		return 0
	}
	return f.every
}

// put has the text written, unless one before it still waits.
func (f *textfile) put(text []byte) {
	f.latest.Store(&text)
	select {
	case f.texts <- text:
	default:
	}
}

// Lines of the text that say whether the capture runs.
const (
	upLine   = "\nimds_analyzer_up 1\n"
	downLine = "\nimds_analyzer_up 0\n"
)

// down has the latest text written with the word that the capture has ended, in the place
// of one that still waits: for a program that is ended while its log has stalled.
func (f *textfile) down() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	latest := f.latest.Load()
	if latest == nil || f.ending {
		return
	}
	select {
	case <-f.texts:
	default:
	}
	f.put(bytes.Replace(*latest, []byte(upLine), []byte(downLine), 1))
}

// end has the last text written.
func (f *textfile) end(text []byte) {
	f.mu.Lock()
	f.ending = true
	f.mu.Unlock()
	timeout := time.After(textfileEndWithin)
	select {
	case f.texts <- text:
		close(f.texts)
	case <-timeout:
		return
	}
	select {
	case <-f.ended:
	case <-timeout:
	}
}

// run writes what it is given. It tells when that begins to fail: it may succeed again.
func (f *textfile) run() {
	defer close(f.ended)
	sweep(f.name)
	failing := false
	for text := range f.texts {
		err := f.write(text)
		if err != nil && !failing {
			f.say(fmt.Errorf("cannot write the metrics: %w; it is tried again every %v", err, f.every))
		}
		failing = err != nil
	}
}

// write replaces the file at once, so that nobody reads half of it. It need not be on the
// disk: what it says is old when the machine is up again.
func (f *textfile) write(text []byte) error {
	return replace(f.name, func(file *os.File) error {
		_, err := file.Write(text)
		return errors.Join(err, file.Chmod(textfileMode))
	})
}
