//go:build !unix

package cli

import (
	"io"
	"os"
)

// syncDirectory does nothing: there is no way to, or no need.
func syncDirectory(*os.File) error { return nil }

// lockFile keeps nobody away.
func lockFile(name string) (io.Closer, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, logFileMode)
}

// markUsed does nothing: a file that is open cannot be removed.
func markUsed(*os.File) error { return nil }

// openDescriptor opens a device.
func openDescriptor(name string) (*os.File, error) { return os.OpenFile(name, os.O_WRONLY, 0) }

// isOwnFile knows of no owners here.
func isOwnFile(os.FileInfo) bool { return true }
