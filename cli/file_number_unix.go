//go:build unix

package cli

import (
	"io/fs"
	"syscall"
)

// fileNumber is a file's number in its file system, 0 if the system does not tell.
func fileNumber(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Ino)
	}
	return 0
}
