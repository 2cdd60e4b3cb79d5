//go:build !unix

package logfile

import (
	"fmt"
	"os"
)

// open opens the file to append to it.
func open(name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, mode)
}

// claim knows of no locks here.
func claim(*os.File) error { return nil }

// ofOthers knows of no permissions here.
func ofOthers(string) bool { return false }

// isDeleted: a file that is open keeps its name.
func isDeleted(os.FileInfo) bool { return false }
