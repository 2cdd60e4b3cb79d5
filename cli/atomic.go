package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"imds-analyzer/output/logfile"
)

// place is where a file is to be, in a directory that is open: its name is found also
// when the rights to get there are gone.
type place struct {
	directory *os.Root
	file      string
	special   *os.File // what has the name is no file to be replaced, such as a pipe; else nil
	// made is what is to take the file's name, and beside is its own till then; nil if it
	// was not made yet.
	made   *os.File
	beside string
}

// openPlace opens where a file is to be. It fails with the errors of logfile.OpenDirectory,
// and with logfile.ErrNotRegular for a name such as /dev/stdout, which is not to be taken
// from what has it, whatever that leads to.
func openPlace(name string) (*place, error) {
	if _, ok := logfile.Descriptor(name); ok {
		return nil, fmt.Errorf("%s: %w", name, logfile.ErrNotRegular)
	}
	directory, err := logfile.OpenDirectory(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	return &place{directory: directory, file: filepath.Base(name)}, nil
}

// Close leaves nothing behind that has not taken the file's name.
func (p *place) Close() error {
	if p.directory == nil {
		return nil
	}
	return errors.Join(p.abandon(), p.directory.Close())
}

// make makes the file that is to be written (O_EXCL, open(2)), with logFileMode, beside
// the one that it replaces.
func (p *place) make() (err error) {
	p.beside = fmt.Sprintf("%s%0*x", p.mark(), markDigits, rand.Uint64())
	if p.made, err = p.directory.OpenFile(p.beside, os.O_RDWR|os.O_CREATE|os.O_EXCL, logFileMode); err == nil {
		_ = markUsed(p.made) // some file systems have no locks
	}
	return err
}

// markDigits is how many hexadecimal digits a random number of 64 bits has.
const markDigits = 16

// mark is how all names begin that make gives: people do not call their files so.
func (p *place) mark() string { return "." + p.file + ".imds-analyzer-" }

// abandonedAfter is how old a file is that a killed program may have left beside the one
// that it was to replace: one that is just being made may not be locked yet.
const abandonedAfter = time.Minute

// sweep removes what killed programs have left beside a file: regular files of the user's
// own with such a name and no other, which nobody is writing to. What cannot be removed
// stays, and is in nobody's way.
func sweep(name string) {
	p, err := openPlace(name)
	if err != nil {
		return
	}
	defer p.Close()
	entries, _ := fs.ReadDir(p.directory.FS(), ".")
	for _, entry := range entries {
		if p.isBeside(entry.Name()) && p.isAbandoned(entry.Name()) {
			_ = p.directory.Remove(entry.Name())
		}
	}
}

// isBeside reports whether make could have given the name.
func (p *place) isBeside(name string) bool {
	number, ok := strings.CutPrefix(name, p.mark())
	return ok && len(number) == markDigits && strings.Trim(number, "0123456789abcdef") == ""
}

func (p *place) isAbandoned(name string) bool {
	info, err := p.directory.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < abandonedAfter || !isOwnFile(info) {
		return false
	}
	// Another may have put a pipe there meanwhile, which would be waited for.
	file, err := p.directory.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	return markUsed(file) == nil
}

func (p *place) abandon() error {
	if p.made == nil {
		return nil
	}
	_ = p.made.Close() // it may be closed, and is not wanted
	p.made = nil
	return p.directory.Remove(p.beside)
}

// writeAtomically writes a file that is there as a whole or not at all, also if the
// machine fails: it is on the disk before it takes its name (fsync(2)).
func writeAtomically(name string, write func(io.Writer) error) error {
	p, err := openPlace(name)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.writeAtomically(write)
}

func (p *place) writeAtomically(write func(io.Writer) error) error {
	err := p.replace(func(f *os.File) error {
		if err := write(f); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return err
	}
	directory, err := p.directory.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(syncDirectory(directory), directory.Close())
}

// replace writes a file beside the one that it replaces, and gives it the name when it is
// whole (rename(2)): whoever opens it gets the one or the other.
func replace(name string, write func(*os.File) error) error {
	p, err := openPlace(name)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.replace(write)
}

func (p *place) replace(write func(*os.File) error) error {
	if p.made == nil {
		if err := p.make(); err != nil {
			return err
		}
	}
	err := errors.Join(write(p.made), p.made.Close())
	if err == nil {
		err = p.directory.Rename(p.beside, p.file)
	}
	if err != nil {
		return errors.Join(err, p.abandon())
	}
	p.made = nil
	return nil
}
