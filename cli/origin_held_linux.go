package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// heldOrigin is what was named, and what is in directories of these names, as it was when
// it was opened. It is read when the rights to open it are gone.
type heldOrigin struct {
	found map[string]*heldFile
}

// heldFile is a file or directory, with what was wrong with it.
type heldFile struct {
	info    fs.FileInfo
	entries []fs.DirEntry
	fd      int
	stat    error
	open    error // of a directory: to read it
}

// sparedFiles is how many more may be opened beside those that are held: outputs, and
// what the runtime and libc need.
const sparedFiles = 64

// hold opens all that is named. It fails if what is named is not there, and if so many
// files cannot be open at once.
func hold(names []string) (origin, error) {
	h := &heldOrigin{found: make(map[string]*heldFile)}
	for _, name := range names {
		if err := h.list(name); err != nil {
			return nil, err
		}
	}
	if err := makeRoom(len(h.found) + sparedFiles); err != nil {
		return nil, err
	}
	for name, file := range h.found {
		if file.stat == nil && !file.info.IsDir() {
			file.open = file.hold(name)
		}
	}
	return h, nil
}

// list finds what a name stands for.
func (h *heldOrigin) list(name string) error {
	if name == standardInput {
		return nil
	}
	file := h.add(name)
	if file.stat != nil {
		return plain(file.stat)
	}
	file.open = nil // is read, also if it was found in a directory before
	if !file.info.IsDir() {
		return nil
	}
	file.entries, file.open = os.ReadDir(name)
	for _, entry := range file.entries {
		in := filepath.Join(name, entry.Name())
		if h.found[in] != nil {
			continue
		}
		hidden := strings.HasPrefix(entry.Name(), ".")
		if member := h.add(in); member.stat == nil && (hidden || !member.info.Mode().IsRegular()) {
			member.open = fs.ErrInvalid // is not read
		}
	}
	return nil
}

func (h *heldOrigin) add(name string) *heldFile {
	if h.found[name] == nil {
		file := &heldFile{fd: -1}
		file.info, file.stat = os.Stat(name)
		h.found[name] = file
	}
	return h.found[name]
}

// hold opens a file. What is not there yet of a pipe is not waited for: the files are
// read first.
func (f *heldFile) hold(name string) (err error) {
	if f.open != nil {
		return f.open
	}
	f.fd, err = unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return nil
}

// makeRoom has so many files open at once (RLIMIT_NOFILE, getrlimit(2)).
func makeRoom(files int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= uint64(files) {
		return err
	}
	limit.Cur = uint64(files)
	limit.Max = max(limit.Max, limit.Cur)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%w: %d files", errNoRoom, files)
	}
	return nil
}

func (h *heldOrigin) at(name string) (*heldFile, error) {
	if file := h.found[name]; file != nil {
		return file, file.stat
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Stat implements origin.
func (h *heldOrigin) Stat(name string) (fs.FileInfo, error) {
	file, err := h.at(name)
	if err != nil {
		return nil, err
	}
	return file.info, nil
}

// ReadDir implements origin.
func (h *heldOrigin) ReadDir(name string) ([]fs.DirEntry, error) {
	file, err := h.at(name)
	if err != nil {
		return nil, err
	}
	return file.entries, file.open
}

// Open implements origin. What is held stays open.
func (h *heldOrigin) Open(name string) (io.ReadCloser, error) {
	file, err := h.at(name)
	switch {
	case err != nil:
		return nil, err
	case file.open != nil:
		return nil, file.open
	case file.info.Mode().IsRegular():
		const all = 1<<63 - 1
		return io.NopCloser(io.NewSectionReader(descriptor(file.fd), 0, all)), nil
	}
	return &heldStream{file: os.NewFile(uintptr(file.fd), name), fd: file.fd}, nil
}

// descriptor reads at any place of a file.
type descriptor int

// ReadAt implements io.ReaderAt.
func (d descriptor) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		got, err := unix.Pread(int(d), p[n:], at+int64(n))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return n, err
		case got == 0:
			return n, io.EOF
		default:
			n += got
		}
	}
	return n, nil
}

// heldStream is a pipe or a device.
type heldStream struct {
	file *os.File
	fd   int
	come bool // who writes to it
}

// Read implements io.Reader. A pipe that nobody has opened yet to write to is at its end
// for read(2), and for poll(2) it is not.
func (s *heldStream) Read(p []byte) (int, error) {
	for !s.come {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		s.come = err == nil
	}
	return s.file.Read(p)
}

// Close implements io.Closer.
func (s *heldStream) Close() error { return s.file.Close() }
