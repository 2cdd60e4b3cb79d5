//go:build !unix

package cli

import "io/fs"

// fileNumber is 0: the system does not tell a file's number with what it says of it.
func fileNumber(fs.FileInfo) uint64 { return 0 }
