package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"imds-analyzer/capture"
)

// files is the Source of all that is to be read: files in the order of time, and
// then streams. What is wrong with one does not keep the others from being read.
type files struct {
	*capture.FileSet
	stdin io.Reader
	// passedOver tells of what was found and is not read.
	passedOver []string
	streams    bool         // among what is to be read
	total      int64        // of bytes to be read, below zero if it is not known
	read       atomic.Int64 // of these

	mu     sync.Mutex // guards what follows
	failed []error
}

// openFiles returns the Source of what is named. Names of what is not there, and
// of directories without captures, fail at once, before anything is read. When
// ctx ends, files are not looked at any more.
func openFiles(ctx context.Context, o options, stdin io.Reader, sieve *capture.Sieve) (*files, error) {
	found := o.found
	if found == nil {
		var err error
		if found, err = findInputs(ctx, cmp.Or[origin](o.from, fileSystem{}), o.read, stdin); err != nil {
			return nil, err
		}
	}
	f := &files{stdin: stdin, passedOver: found.passedOver}
	written := o.targets
	if written == nil {
		written = targets(o.output, o.write)
	}
	var set []capture.SetFile
	for _, in := range found.inputs {
		if err := in.checkNotWritten(written); err != nil {
			return nil, usageError{err}
		}
		f.streams = f.streams || in.stream
		f.expect(in.size())
		set = append(set, capture.SetFile{
			Name: in.name, Begins: in.begins, Stream: in.stream,
			Open: func() (io.ReadCloser, error) { return f.open(in) },
		})
	}
	f.FileSet = capture.NewFileSet(set, sieve)
	return f, nil
}

// expect adds to what is to be read; a size below zero is one that is not known.
func (f *files) expect(size int64) {
	if size < 0 || f.total < 0 {
		f.total = -1
		return
	}
	f.total += size
}

// progress returns how many bytes were read so far, packed if they are, and how
// many there are: below zero if that is not known. More than these are read
// where a file grows meanwhile. It may be called at any time, in any goroutine.
func (f *files) progress() (read, total int64) { return f.read.Load(), f.total }

// stream reports whether Next may have to wait for what is yet to come.
func (f *files) stream() bool { return f.streams }

// Next implements capture.Source.
func (f *files) Next() (*capture.Packet, error) {
	for {
		p, err := f.FileSet.Next()
		if err == nil || err == io.EOF {
			return p, err
		}
		f.fail(err)
	}
}

// fail remembers what was wrong with a file. Damage behind good records leaves
// the job done in part.
func (f *files) fail(err error) {
	var broken *capture.BrokenError
	if errors.As(err, &broken) && broken.Packets > 0 {
		err = partialError{err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = append(f.failed, plain(err))
}

// failures returns what has been wrong since it was called last.
func (f *files) failures() (failed []error) {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	failed, f.failed = f.failed, nil
	return failed
}

// limits tells what was not done as it should be.
func (f *files) limits() (limits []string) {
	if f == nil {
		return nil
	}
	told := func(late uint64, why, advice string) {
		if late > 0 {
			limits = append(limits, fmt.Sprintf("%s that %d of them were read behind the others: connections of which several files "+
				"have a part may not be put together. %s, or merge them first: mergecap", why, late, advice))
		}
	}
	forMemory := f.LateForMemory() // first: they are among those that are late by then
	told(f.Late()-forMemory, "So many files are captures of the same time", "Read fewer at once")
	told(forMemory, "Files that are captures of the same time take so much memory, as they are packed with a wide window "+
		"or have very large packets,", "Read fewer at once, unpack them")
	return limits
}

// partialError is damage behind good records.
type partialError struct{ error }

func (e partialError) Error() string   { return e.error.Error() + "; what comes before was read" }
func (e partialError) Unwrap() []error { return []error{e.error, errPartial} }

// open opens an input, whose bytes are counted.
func (f *files) open(in input) (io.ReadCloser, error) {
	switch {
	case in.looked != nil:
		return &countedInput{Reader: in.looked, file: in.looked, left: in.size(), read: &f.read}, nil
	case in.standard:
		return &countedInput{Reader: f.stdin, left: in.size(), read: &f.read}, nil
	}
	file, err := in.from.Open(in.name)
	if err != nil {
		f.read.Add(max(in.size(), 0))
		return nil, err
	}
	return &countedInput{Reader: file, file: file, left: in.size(), read: &f.read}, nil
}

// countedInput counts what is read of an input.
type countedInput struct {
	io.Reader
	file io.Closer // nil for standard input
	left int64     // to be read, as far as that is known
	read *atomic.Int64
}

func (c *countedInput) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.left -= int64(n)
	c.read.Add(int64(n))
	return n, err
}

// Close implements io.Closer. What was left of a file that is damaged will not be
// read any more, and does not count as if it were to come.
func (c *countedInput) Close() error {
	c.read.Add(max(c.left, 0))
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}
