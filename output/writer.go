package output

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/sirupsen/logrus"
)

// bufferBytes is how much a buffered Writer keeps back: about 100 entries.
const bufferBytes = 64 << 10

// Writer writes the log: entries of calls and of the capture's life, each as
// one line of JSON. What reaches the underlying writer are whole lines. It is
// not safe for concurrent use.
type Writer struct {
	log       *logrus.Entry // kept, so that not each line takes a new one
	formatter *formatter
	sink      sink
}

// NewWriter returns a Writer to out, which errors call name. A buffered one
// writes when its buffer is full or flushed, else each line is one Write.
func NewWriter(out io.Writer, name string, buffered bool) *Writer {
	w := &Writer{formatter: &formatter{}, sink: sink{out: out, name: name, buffered: buffered}}
	logger := logrus.New()
	logger.SetFormatter(w.formatter)
	w.log = logrus.NewEntry(logger)
	return w
}

// Call writes the entry of a call. Once a write has failed, that and all later
// calls return its error: what was written may end in half a line, and nothing
// more is added to it.
func (w *Writer) Call(e *Entry) error {
	w.formatter.call = e
	return w.write(e.LogLevel)
}

// Lifecycle writes an entry of the capture's life, with the errors of Call. It
// flushes: who reads it wants to know now.
func (w *Writer) Lifecycle(l *Lifecycle) error {
	w.formatter.lifecycle = l
	if err := w.write(l.LogLevel); err != nil {
		return err
	}
	return w.Flush()
}

// Flush writes what is buffered, with the errors of Call.
func (w *Writer) Flush() error {
	w.sink.flush()
	return w.sink.err
}

func (w *Writer) write(level string) error {
	if w.sink.err != nil {
		return w.sink.err
	}
	w.log.Level = logLevel(level)
	line, err := w.log.Bytes()
	w.formatter.call, w.formatter.lifecycle = nil, nil
	if err != nil {
		return err
	}
	w.sink.add(line)
	return w.sink.err
}

func logLevel(level string) logrus.Level {
	if level == levelWarning {
		return logrus.WarnLevel
	}
	return logrus.InfoLevel
}

// sink takes whole lines, until one cannot be written.
type sink struct {
	out      io.Writer
	name     string
	buffered bool
	buffer   []byte
	err      error
}

func (s *sink) add(line []byte) {
	if !s.buffered {
		s.put(line)
		return
	}
	if len(s.buffer)+len(line) > bufferBytes {
		s.flush()
	}
	s.buffer = append(s.buffer, line...)
}

func (s *sink) flush() {
	if len(s.buffer) > 0 {
		s.put(s.buffer)
		s.buffer = s.buffer[:0]
	}
}

func (s *sink) put(lines []byte) {
	if s.err != nil {
		return
	}
	n, err := s.out.Write(lines)
	if err == nil && n < len(lines) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.err = WriteError(s.name, err)
	}
}

// WriteError says in one line that writing to the output of that name has
// failed, why, and what to do. It wraps err.
func WriteError(name string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("cannot write to %s: %w: make room there, or write to another place", name, err)
	case errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("cannot write to %s: %w: its reader has stopped reading", name, err)
	}
	return fmt.Errorf("cannot write to %s: %w", name, err)
}
