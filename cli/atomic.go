package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeAtomically writes a file that is there as a whole or not at all, also if the
// machine fails: it is written beside the one that it replaces, and is on the disk
// before it takes its name (rename(2), fsync(2)).
func writeAtomically(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // with logFileMode
	if err != nil {
		return err
	}
	if err := writeAll(f, write); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDirectory(filepath.Dir(name))
}

// writeAll writes to the file and closes it.
func writeAll(f *os.File, write func(io.Writer) error) error {
	err := write(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
