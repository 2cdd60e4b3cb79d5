package cli

import (
	"context"
	"io"
	"io/fs"
	"os"
	"time"

	"imds-analyzer/output"
)

const (
	// progressDelay is how long a run takes at least that shows its progress.
	progressDelay = 500 * time.Millisecond
	// progressInterval is the time from one look at it to the next: 8 a second.
	progressInterval = 125 * time.Millisecond
)

// newStatusLine returns the line that shows the progress of reading: on standard
// error if that is a terminal whose lines can be written anew. There is none if
// standard output is a pipe: what reads it may write to the same terminal.
func newStatusLine(o options, streams Streams) *output.StatusLine {
	size := terminalSize(streams.Err)
	if o.live() || size == nil || isPipe(streams.Out) {
		return nil
	}
	return output.NewStatusLine(streams.Err, size)
}

// aboveLine returns a writer for a stream that leaves alone the line on standard
// error, if the stream is a terminal. If both are the same, it needs one of them.
func aboveLine(line *output.StatusLine, stream, stderr io.Writer) io.Writer {
	switch {
	case line == nil || !isTerminal(stream):
		return stream
	case sameStream(stream, stderr):
		return line.Above(stderr)
	}
	return line.Above(stream)
}

func sameStream(a, b io.Writer) bool {
	infoA, errA := statOf(a)
	infoB, errB := statOf(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

func statOf(stream io.Writer) (fs.FileInfo, error) {
	file, ok := stream.(*os.File)
	if !ok {
		return nil, fs.ErrInvalid
	}
	return file.Stat()
}

func isPipe(stream io.Writer) bool {
	info, err := statOf(stream)
	return err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0
}

// showProgress shows the progress from time to time, in a goroutine of its own,
// until ctx ends or the returned function is called. Then it is gone.
func (s *session) showProgress(ctx context.Context) (hide func()) {
	if s.line == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	hidden := make(chan struct{})
	go func() {
		defer close(hidden)
		defer s.line.Clear()
		for wait := progressDelay; ; wait = progressInterval {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
				s.showNow()
			}
		}
	}()
	return func() {
		cancel()
		<-hidden
	}
}

// showNow shows the progress. Before anything was read there is none, and who
// writes to a pipe may be asking for a password; a program in the background has
// no business on the terminal.
func (s *session) showNow() {
	if p := s.progress(); p.Read > 0 && inForeground(s.terminal) {
		s.line.Show(p.Line)
	}
}

// progress is how far reading has come.
func (s *session) progress() output.Progress {
	p := output.Progress{Elapsed: time.Since(s.started)}
	p.Read, p.Total = s.files.progress()
	p.Calls, p.V1 = s.log.found()
	return p
}
