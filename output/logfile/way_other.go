//go:build unix && !linux

package logfile

import "golang.org/x/sys/unix"

// openWay is how a directory is opened on the way to another.
const openWay = unix.O_RDONLY
