//go:build unix && !linux

package logfile

import "golang.org/x/sys/unix"

// openWay is how a directory is opened on the way to another.
const openWay = unix.O_RDONLY

// readLink returns where a link leads. Whose it is nobody knows: another may have been put
// in its place before it was read.
func readLink(in int, name string) (to string, own bool, err error) {
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(in, name, text)
	if err != nil {
		return "", false, err
	}
	return string(text[:n]), false, nil
}
