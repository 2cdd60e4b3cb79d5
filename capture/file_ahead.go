package capture

import (
	"io"
	"os"
)

// fileAheadSize is what is unpacked at once, of which two are in memory: one that is
// read, and one that is filled meanwhile.
const fileAheadSize = 256 << 10

// fileAhead reads in a goroutine of its own while what was read before is looked at: to
// unpack a file takes about as long as to find the calls in it. It is for what is all
// there. Of a pipe, that goroutine could not be told to end.
type fileAhead struct {
	full    chan fileStretch
	free    chan []byte
	stopped chan struct{}
	given   fileStretch // that which is handed out
	rest    []byte      // of that
}

// fileStretch is what was read at once, and the error behind it.
type fileStretch struct {
	data []byte
	err  error
}

// newFileAhead begins to read. Who calls it closes it.
func newFileAhead(r io.Reader) *fileAhead {
	a := &fileAhead{full: make(chan fileStretch), free: make(chan []byte, 2), stopped: make(chan struct{})}
	for range cap(a.free) {
		a.free <- make([]byte, fileAheadSize)
	}
	go a.readAll(r)
	return a
}

// readAll reads until an error or Close.
func (a *fileAhead) readAll(r io.Reader) {
	defer close(a.full)
	for {
		select {
		case <-a.stopped:
			return
		case room := <-a.free:
			n, err := fillFrom(r, room)
			select {
			case <-a.stopped:
				return
			case a.full <- fileStretch{room[:n], err}:
			}
			if err != nil {
				return
			}
		}
	}
}

// fillFrom fills the room with what several Reads return. It ends early with an error only,
// which is r's.
func fillFrom(r io.Reader, room []byte) (n int, err error) {
	for empty := 0; n < len(room) && err == nil; {
		var read int
		read, err = r.Read(room[n:])
		if n += read; read > 0 {
			empty = 0
		} else if empty++; empty == fileMaxEmptyReads && err == nil {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

// Read implements io.Reader. Errors are those of what it reads ahead, or os.ErrClosed.
func (a *fileAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.given.err != nil {
			return 0, a.given.err
		}
		if a.given.data != nil {
			a.free <- a.given.data[:fileAheadSize]
		}
		next, open := <-a.full
		if !open {
			return 0, os.ErrClosed
		}
		a.given, a.rest = next, next.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close implements io.Closer: it waits until nothing is read any more.
func (a *fileAhead) Close() error {
	close(a.stopped)
	for range a.full {
		continue // what was read ahead is not wanted
	}
	return nil
}
