package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// maxState bounds a file on one container, or on the host. Such files have
	// some KiB, with a label or annotation of 256 KiB, which is what Kubernetes
	// allows a pod in all, below 1 MiB.
	maxState = 1 << 20
	// maxList bounds a list of all containers: 1 KiB each, and 8,000 of them.
	maxList = 8 << 20
)

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("larger than such files are")
)

// tree is a directory in which a runtime keeps its state. The zero value is one
// that is not there.
type tree struct {
	base, dir string // dir is below base
	// confined: whose the files are may not lead out of base by a symbolic link.
	confined bool
}

// read reads a file of the tree, if it is not larger than the limit. Whoever wrote
// it, reading it does not wait and has no effect; and a user, who can have lists of
// his read as often as he likes, cannot make that dear.
func (t tree) read(limit int64, name ...string) ([]byte, error) {
	f, err := t.open(filepath.Join(name...))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w", f.Name(), errNotRegular)
	}
	if t.confined {
		limit = min(limit, maxState)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %w", f.Name(), errTooLarge)
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead) // at once: to grow to it takes four times as much
	_, err = b.ReadFrom(io.LimitReader(f, limit+1))
	if err == nil && int64(b.Len()) > limit { // it was written to
		return nil, fmt.Errorf("%s: %w", f.Name(), errTooLarge)
	}
	return b.Bytes(), err
}

// open opens a file or a directory. O_NONBLOCK is for a FIFO, which would wait for
// a writer (open(2)).
func (t tree) open(name string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	name = filepath.Join(t.dir, name)
	switch {
	case t.base == "":
		return nil, os.ErrNotExist
	case !t.confined:
		return os.OpenFile(filepath.Join(t.base, name), flags, 0)
	}
	root, err := os.OpenRoot(t.base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenFile(name, flags, 0)
}

// list returns the names in the tree, the first n of them.
func (t tree) list(n int) ([]string, error) {
	f, err := t.open("")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(n)
	if errors.Is(err, io.EOF) {
		err = nil // an empty directory
	}
	return names, err
}
