package cli

import (
	"io"
	"io/fs"
	"os"
)

// origin is where inputs are found: the file system, or what of it was opened while there
// were the rights to.
type origin interface {
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	// Open opens a file to be read from its beginning.
	Open(name string) (io.ReadCloser, error)
}

// fileSystem is all of it, as it is now.
type fileSystem struct{}

func (fileSystem) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (fileSystem) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
func (fileSystem) Open(name string) (io.ReadCloser, error)    { return os.Open(name) }
