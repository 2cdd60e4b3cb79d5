package logfile

import "golang.org/x/sys/unix"

// openWay is how a directory is opened on the way to another: to find names in it, which
// takes no right to read it (open(2)).
const openWay = unix.O_PATH
