package logfile

import "golang.org/x/sys/unix"

// openWay is how a directory is opened on the way to another: to find names in it, which
// takes no right to read it (open(2)).
const openWay = unix.O_PATH

// readLink returns where a link leads, and whether it is root's own and has no other name.
// Both are of the same link, whatever is put in its place meanwhile (readlinkat(2)).
func readLink(in int, name string) (to string, own bool, err error) {
	fd, err := openIn(in, name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", false, err
	}
	defer unix.Close(fd)
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil {
		return "", false, err
	}
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", text)
	if err != nil {
		return "", false, err
	}
	return string(text[:n]), is.Uid == 0 && is.Nlink == 1, nil
}
