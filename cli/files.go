package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"imds-analyzer/capture"
)

// standardInput is the name by which standard input is read.
const standardInput = "-"

// files is the Source of several capture files, one after the other. What is
// wrong with one does not keep the others from being read; Next returns all
// that was wrong at the end.
type files struct {
	names   []string
	stdin   io.Reader
	sieve   *capture.Sieve
	name    string // of the current file, as errors call it
	current capture.Source
	closer  io.Closer // nil for standard input
	packets uint64    // of the current file
	errs    []error
	streams bool // among them

	read  atomic.Int64 // bytes of all files
	total int64        // 0 if that is not known
}

// openFiles returns the Source of the files. Those that are not there fail at
// once, before the others are read.
func openFiles(names []string, stdin io.Reader, sieve *capture.Sieve) (*files, error) {
	f := &files{names: names, stdin: stdin, sieve: sieve}
	for _, name := range names {
		if name == standardInput {
			f.streams = true
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, plain(err)
		}
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a directory: name the capture files in it", name)
		}
		f.streams = f.streams || !info.Mode().IsRegular()
		f.total += info.Size()
	}
	if f.streams {
		f.total = 0
	}
	return f, nil
}

// progress returns how many bytes of the files were read, and how many they
// have; that is 0 where it is not known, as of a pipe. It may be called at any
// time.
func (f *files) progress() (read, total int64) { return f.read.Load(), f.total }

// counted counts the bytes that are read.
type counted struct {
	io.Reader
	read *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// stream reports whether one of them is a stream, for which Next may have to wait.
func (f *files) stream() bool { return f.streams }

// Next implements capture.Source.
func (f *files) Next() (capture.Packet, error) {
	for {
		if f.current == nil && !f.open() {
			return capture.Packet{}, f.end()
		}
		p, err := f.current.Next()
		if err == nil {
			f.packets++
			return p, nil
		}
		f.fail(err)
		f.Close()
	}
}

// open opens the next file that can be opened; it reports false if there is
// none.
func (f *files) open() bool {
	for len(f.names) > 0 {
		name := f.names[0]
		f.names = f.names[1:]
		f.packets = 0
		source, err := f.openOne(name)
		if err == nil {
			f.current = source
			return true
		}
		f.fail(err)
	}
	return false
}

func (f *files) openOne(name string) (capture.Source, error) {
	if name == standardInput {
		f.name, f.closer = "standard input", nil
		return capture.NewReader(counted{f.stdin, &f.read}, f.sieve)
	}
	f.name = name
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f.closer = file
	source, err := capture.NewReader(counted{file, &f.read}, f.sieve)
	if err != nil {
		_ = file.Close() // it was only read, and the first error tells more
	}
	return source, err
}

// named says in which file an error arose, unless it does so itself.
func (f *files) named(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

// fail remembers what was wrong with the current file. Damage behind good
// records leaves the job done in part.
func (f *files) fail(err error) {
	err = f.named(err)
	damaged := errors.Is(err, capture.ErrTruncated) || errors.Is(err, capture.ErrDamaged)
	switch {
	case errors.Is(err, io.EOF):
	case damaged && f.packets > 0:
		f.errs = append(f.errs, partialError{err})
	default:
		f.errs = append(f.errs, plain(err))
	}
}

func (f *files) end() error {
	if len(f.errs) == 0 {
		return io.EOF
	}
	return fileErrors(f.errs)
}

// partialError is damage behind good records.
type partialError struct{ error }

func (e partialError) Error() string   { return e.error.Error() + "; what comes before was read" }
func (e partialError) Unwrap() []error { return []error{e.error, errPartial} }

// fileErrors are the errors of several files.
type fileErrors []error

func (e fileErrors) Error() string { return errors.Join(e...).Error() }

// Close implements capture.Source.
func (f *files) Close() error {
	if f.current == nil {
		return nil
	}
	f.current = nil
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}
