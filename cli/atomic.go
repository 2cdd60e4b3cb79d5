package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeAtomically writes a file that is there as a whole or not at all, also if the
// machine fails: it is on the disk before it takes its name (fsync(2)).
func writeAtomically(name string, write func(io.Writer) error) error {
	err := replace(name, func(f *os.File) error {
		if err := write(f); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(name))
}

// replace writes a file, with logFileMode, beside the one that it replaces, and gives it
// the name when it is whole (rename(2)): whoever opens it gets the one or the other.
func replace(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
