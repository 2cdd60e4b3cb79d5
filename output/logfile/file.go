// Package logfile is a log in a file, which is rotated or is opened anew when others
// have rotated it, and in which each line is whole.
package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Errors of opening.
var (
	ErrNotRegular = errors.New("it is no regular file")
	ErrInUse      = errors.New("another imds-analyzer writes to it")
	// ErrLink: who can write there could have any file of root's written to.
	ErrLink = errors.New("it is a link, or a file with several names, in a directory in which other users can write")
	// ErrSpecial: who put it there decides what becomes of what is written.
	ErrSpecial = errors.New("in a directory in which other users can write")
	// ErrMoved: what was opened may be any file.
	ErrMoved = errors.New("somebody gives its name to others, in a directory in which other users can write")
	// ErrCapture: lines would damage it.
	ErrCapture = errors.New("it holds a capture, or is packed as captures can be")
	// ErrOwner: who put it there can read it.
	ErrOwner = errors.New("it is another user's, in a directory in which other users can write")
)

// mode: only the owner may read what this host's software does.
const mode = 0o600

// retryEvery is how often it is tried again to rotate the file, or to open it anew.
const retryEvery = time.Second

// Options say how a File is rotated.
type Options struct {
	// RotateSize is the size in bytes that a file does not exceed, unless a line does; 0
	// for any.
	RotateSize int64
	// Keep is how many files are kept besides, from 1 on: name.1 is the latest.
	Keep int
	// IsCapture reports whether a file that begins with head is none to add lines to; nil
	// if any is.
	IsCapture func(head []byte) bool
}

// File is a log file. It is not safe for concurrent use.
type File struct {
	name    string
	options Options
	now     func() time.Time
	file    *os.File
	end     end
	cutOff  uint64
	// stale: the file has another name by now, or none, and there is to be a new one.
	stale   bool
	problem error     // why it was not rotated or opened anew
	next    time.Time // not before then is that tried again
}

// Open opens the file to append to it, and makes it if need be. A half line at its
// end, which a process has left behind that was killed, is cut off with the first line
// that is written. It fails with ErrNotRegular for a pipe or a device, with ErrInUse if
// another process has it open as a File, with ErrCapture, and with ErrLink, ErrSpecial,
// ErrOwner and ErrMoved. A file that is the user's own is closed to others.
func Open(name string, o Options) (*File, error) {
	f := &File{name: name, options: o, now: time.Now}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// open has lines go to the file that the name leads to.
func (f *File) open() error {
	file, err := f.openOwn(Target(f.name))
	if err != nil {
		return err
	}
	end, err := endOf(file)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if end.cut > 0 {
		f.cutOff++
	}
	// It is mended with the next line: a half line that is gone before the log tells of it
	// nobody hears of, if a kill comes between.
	f.file, f.end, f.stale = file, end, false
	return nil
}

// openOwn opens a file that is to be this log's alone. What is no log stays as it is.
func (f *File) openOwn(name string) (*os.File, error) {
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	if err = f.refuseCapture(file); err == nil {
		err = claim(file)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return file, nil
}

// headLen is more than it takes to tell a capture.
const headLen = 16

func (f *File) refuseCapture(file *os.File) error {
	if f.options.IsCapture == nil {
		return nil
	}
	head := make([]byte, headLen)
	n, err := file.ReadAt(head, 0)
	switch {
	case err != nil && err != io.EOF:
		return err
	case f.options.IsCapture(head[:n]):
		return ErrCapture
	}
	return nil
}

// CutOff is how many half lines that others have left behind are cut off with the next
// line, or were.
func (f *File) CutOff() uint64 { return f.cutOff }

// Err is why the file could not be rotated or opened anew: what is written goes on
// to the one before meanwhile. It is nil if there is nothing wrong.
func (f *File) Err() error { return f.problem }

// Write appends whole lines, and returns how many bytes of whole lines are in the file:
// a line that is there in part, as when the disk is full, is cut off again.
func (f *File) Write(lines []byte) (written int, err error) {
	err = f.renewIfStale()
	for written < len(lines) && err == nil {
		var n int
		n, err = f.append(f.fitting(lines[written:]))
		written += n
	}
	return written, err
}

// append appends whole lines to the file that is open.
func (f *File) append(lines []byte) (int, error) {
	if err := f.end.mend(f.file); err != nil {
		return 0, err
	}
	n, err := f.file.Write(lines)
	if err == nil {
		return n, nil
	}
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	if info, failed := f.file.Stat(); failed == nil {
		f.end = end{cut: int64(n - whole), size: info.Size()}
	}
	_ = f.end.mend(f.file) // or before the next line
	return whole, err
}

// Reopen opens the file anew if another one has its name now, or none, as when others
// have rotated it. What fails is tried again, and Err tells it.
func (f *File) Reopen() { f.try(f.renew) }

// renewIfStale does so if the file has no name any more, or it failed before. What is
// written to a file without a name nobody finds: it fails where there can be no new one.
func (f *File) renewIfStale() error {
	if IsDeleted(f.file) {
		err := f.renew()
		f.problem = nil // the caller tells
		return err
	}
	if f.stale && f.mayTry() {
		f.Reopen()
	}
	return nil
}

// IsDeleted reports whether an open file has no name any more.
func IsDeleted(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && isDeleted(info)
}

func (f *File) renew() error {
	if f.stale = !f.hasName(); !f.stale {
		return nil
	}
	before := f.file
	_ = f.end.mend(before) // what cannot be mended is the next reader's half line
	if err := f.open(); err != nil {
		return fmt.Errorf("cannot open %s anew: %w", f.name, err)
	}
	return before.Close()
}

// hasName reports whether the file that is open is the one that the name leads to.
func (f *File) hasName() bool {
	now, err := f.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.name)
	return err == nil && os.SameFile(now, named)
}

// try does something with the file's name, and reports whether it has succeeded.
func (f *File) try(do func() error) bool {
	f.problem = do()
	f.next = f.now().Add(retryEvery)
	return f.problem == nil
}

// mayTry reports whether it is time to try again what has failed.
func (f *File) mayTry() bool { return f.problem == nil || !f.now().Before(f.next) }

// Close closes the file. A half line to which nothing was added stays, for who opens it
// next to tell of.
func (f *File) Close() error { return f.file.Close() }
