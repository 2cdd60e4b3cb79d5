//go:build !unix

package logfile

import "os"

// Guarded opens a file.
func Guarded(name string, flags int) (*os.File, error) { return os.OpenFile(name, flags, mode) }

// GuardedRegular opens a file.
func GuardedRegular(name string, flags int) (*os.File, error) { return Guarded(name, flags) }

// OpenDirectory opens a directory.
func OpenDirectory(name string) (*os.Root, error) { return os.OpenRoot(name) }
