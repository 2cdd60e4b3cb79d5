package logfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fitting returns those of the lines that go to the file now, the first at least. If it
// has no room for that, it is rotated before.
func (f *File) fitting(lines []byte) []byte {
	info, err := f.file.Stat()
	if f.options.RotateSize == 0 || err != nil { // which the write tells
		return lines
	}
	size := info.Size() - f.end.cut
	room := f.options.RotateSize - size
	first := int64(bytes.IndexByte(lines, '\n') + 1)
	if room < first && size > 0 {
		if !f.mayTry() || !f.try(f.rotate) {
			return lines
		}
		room = f.options.RotateSize
	}
	room = min(max(room, first), int64(len(lines)))
	return lines[:bytes.LastIndexByte(lines[:room], '\n')+1]
}

// rotate gives the file another name, and opens a new one. If it has another already, others have
// done it: what has the log's name now is theirs, or there is nothing to make room for.
func (f *File) rotate() error {
	if !f.hasName() {
		return f.renew()
	}
	err := shift(Target(f.name), f.options.Keep)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // others have done it in this moment
		return fmt.Errorf("cannot rotate %s: %w", f.name, err)
	}
	return f.renew()
}

// shift gives a file the name with a 1, and each that has it the next number, up to
// the last that is kept: that takes the place of the oldest. At any time each has a name
// (rename(2)).
func shift(name string, keep int) error {
	in, err := OpenDirectory(directoryOf(name))
	if err != nil {
		return err
	}
	defer in.Close()
	name = filepath.Base(name)
	free := 1
	for free < keep && exists(in, numbered(name, free)) {
		free++
	}
	for n := free; n > 1; n-- {
		if err := in.Rename(numbered(name, n-1), numbered(name, n)); err != nil {
			return err
		}
	}
	return in.Rename(name, numbered(name, 1))
}

// maxLinks bounds how many links lead to a file, as the kernel does.
const maxLinks = 40

// Target is the name of the file that a name leads to: that is rotated, and not a link to
// it. Links where other users can write are not followed.
func Target(name string) string {
	for range maxLinks {
		to, err := os.Readlink(name)
		if err != nil || ofOthers(directoryOf(name)) {
			break
		}
		to = follow(name, to)
		if isMagic(name, to) {
			break
		}
		name = to
	}
	return name
}

// follow is what a link leads to.
func follow(link, to string) string {
	if filepath.IsAbs(to) {
		return to
	}
	directory, _ := filepath.Split(link) // not cleaned: what is before ".." may be a link
	return directory + to
}

// directoryOf is where a file is: not cleaned, as what is before ".." may be a link.
func directoryOf(name string) string {
	directory, _ := filepath.Split(name)
	return cmp.Or(directory, ".")
}

// isMagic reports whether a link leads to what has no name, such as the pipe of
// /proc/PID/fd/1 (symlink(7)).
func isMagic(link, to string) bool {
	_, err := os.Lstat(to)
	if err == nil {
		return false
	}
	_, err = os.Stat(link)
	return err == nil
}

func numbered(name string, n int) string { return fmt.Sprintf("%s.%d", name, n) }

func exists(in *os.Root, name string) bool {
	_, err := in.Lstat(name)
	return err == nil
}
