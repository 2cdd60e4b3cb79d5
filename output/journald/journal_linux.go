package journald

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sendWithin is how long the journal may be busy. Then the line is an error's, and it
// is for the caller to try again.
const sendWithin = 100 * time.Millisecond

// Journal writes to the journal. It is not safe for concurrent use.
type Journal struct {
	socket *net.UnixConn
	to     *net.UnixAddr
}

// Open opens the journal that listens at a socket. It fails if none does.
func Open(socket string) (*Journal, error) {
	to := &net.UnixAddr{Name: socket, Net: "unixgram"}
	// That it is there is found by connecting. What is sent is sent without: the journal
	// can be started anew.
	there, err := net.DialUnix("unixgram", nil, to)
	if err != nil {
		return nil, err
	}
	from, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
	if err != nil {
		return nil, errors.Join(err, there.Close())
	}
	return &Journal{from, to}, there.Close()
}

// Write takes whole lines, each of which is an entry, and returns how many bytes are
// those of entries that the journal has.
func (j *Journal) Write(lines []byte) (written int, err error) {
	for line := range bytes.Lines(lines) {
		if err := j.send(fields(bytes.TrimSuffix(line, []byte("\n")))); err != nil {
			return written, err
		}
		written += len(line)
	}
	return written, nil
}

// send sends an entry; one that is too long for a message in a file in memory.
func (j *Journal) send(entry []byte) error {
	if err := j.socket.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	_, _, err := j.socket.WriteMsgUnix(entry, nil, j.to)
	if errors.Is(err, syscall.EMSGSIZE) || errors.Is(err, syscall.ENOBUFS) {
		return j.sendFile(entry)
	}
	return err
}

// sendFile sends a file that nobody can change any more, in the place of an entry.
func (j *Journal) sendFile(entry []byte) error {
	file, err := sealed(entry)
	if err != nil {
		return fmt.Errorf("an entry of %d bytes: %w", len(entry), err)
	}
	defer file.Close()
	_, _, err = j.socket.WriteMsgUnix(nil, unix.UnixRights(int(file.Fd())), j.to)
	return err
}

// sealed is a file in memory that holds the bytes and is sealed (memfd_create(2)).
func sealed(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(identifier, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), identifier)
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err = file.Write(content); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Close closes the way to the journal.
func (j *Journal) Close() error { return j.socket.Close() }
