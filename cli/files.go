package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

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
	current capture.Source
	packets uint64 // of the current file
	errs    []error
	streams bool // among them
}

// openFiles returns the Source of the files. Those that are not there fail at
// once, before the others are read.
func openFiles(names []string, stdin io.Reader, sieve *capture.Sieve) (*files, error) {
	streams := false
	for _, name := range names {
		if name == standardInput {
			streams = true
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, plain(err)
		}
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a directory: name the capture files in it", name)
		}
		streams = streams || !info.Mode().IsRegular()
	}
	return &files{names: names, stdin: stdin, sieve: sieve, streams: streams}, nil
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
	if name != standardInput {
		return capture.OpenFile(name, f.sieve)
	}
	source, err := capture.NewReader(f.stdin, f.sieve)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return source, nil
}

// fail remembers what was wrong with the current file. Damage behind good
// records leaves the job done in part.
func (f *files) fail(err error) {
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
	source := f.current
	f.current = nil
	return source.Close()
}
